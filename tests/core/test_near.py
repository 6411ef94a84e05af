import random
from collections import defaultdict

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from gatling_beam.columns import StructColumns
from gatling_beam.near import (
    NearDrop,
    NearRow,
    band_hashes,
    band_rows,
    check_threshold,
    drops_of_band,
    least_drop,
    least_drops,
    minhashes,
    near_drops,
    near_rows,
    near_rows_of,
    packed,
    similarity,
    tokens,
)
from gatling_beam.plan import ExecutionPlan
from gatling_beam.sample import Sample, SourceRef


def wordy(strategies, n, seed):
    """Rows whose requests overlap to all degrees: random subsets of a few texts."""
    random_ = random.Random(seed)
    texts = [[f"word{t}_{k}" for k in range(40)] for t in range(4)]
    rows = []
    for i, plain in enumerate(strategies.plain_samples(n)):
        text = list(random_.choice(texts))
        for _ in range(random_.choice([0, 1, 2, 5])):
            text[random_.randrange(40)] = f"other{i}"
        name = random_.choice("abc")
        plan = ExecutionPlan(plain.execution_plan.nodes[1:])
        rows.append(
            msgspec.structs.replace(
                plain, execution_plan=plan, edge_evidence=(), request=" ".join(text), source=SourceRef(name, "o/x")
            )
        )
    return rows


def brute_force(rows, threshold, priorities):
    """The rule written a second time, in plain Python over unpacked values."""

    def order(i):
        row = rows[i]
        return priorities.get(row.source.name, 500), row.source.name, row.original_id, row.sample_id

    values = [list(map(int, v)) for v in minhashes([tokens(row.execution_plan, row.request) for row in rows])]
    size = band_rows(threshold)
    bands = defaultdict(list)
    for i, mine in enumerate(values):
        for b in range(128 // size):
            bands[b, tuple(mine[b * size : (b + 1) * size])].append(i)
    found = {}
    for members in bands.values():
        members.sort(key=order)
        for place, i in enumerate(members):
            for j in members[: min(place, 33)]:
                equal = sum(x % 16 == y % 16 for x, y in zip(values[i], values[j], strict=True))
                if (equal / 128 - 1 / 16) / (15 / 16) >= threshold and (i not in found or order(j) < order(found[i])):
                    found[i] = j
    return {rows[i].sample_id: rows[j].sample_id for i, j in found.items()}


@pytest.mark.parametrize("threshold", [0.6, 0.8, 1.0])
def test_drops_agree_with_brute_force_in_any_order(strategies, threshold):
    rows = wordy(strategies, 250, seed=3)
    priorities = {"c": 1}
    expected = brute_force(rows, threshold, priorities)
    assert 20 < len(expected) < 250 - 3
    for seed in (1, 2):
        random.Random(seed).shuffle(rows)
        table = StructColumns(Sample).encode(rows)
        bands = pa.concat_tables(
            [near_rows(table.slice(a, 100), threshold, priorities, "00000000") for a in (0, 100, 200)]
        )
        drops = least_drops(near_drops(bands, threshold))
        found = dict(zip(drops["sample_id"].to_pylist(), drops["of_sample_id"].to_pylist(), strict=True))
        assert found == expected
        assert set(drops["home"].to_pylist()) == {"00000000"}


def test_bands_one_by_one_give_the_same_drops(strategies):
    rows = wordy(strategies, 120, seed=5)
    bands = defaultdict(list)
    for row in rows:
        for near in near_rows_of(row, 0.8, {}):
            bands[near.band].append(near)
    drops = defaultdict(list)
    for members in bands.values():
        for drop in drops_of_band(iter(members), 0.8):
            drops[drop.sample_id].append(drop)
    assert {key: least_drop(some).of_sample_id for key, some in drops.items()} == brute_force(rows, 0.8, {})
    assert least_drop([]) is None


def test_only_the_least_33_of_a_band_are_compared():
    def row(i, signature):
        return NearRow("b", 1, "s", f"{i:03d}", f"{i:03d}", "", signature)

    # Values that share no low bits with their neighbours: row i is close to rows of the same i alone.
    kinds = [bytes([17 * (i % 16)] * 32 + [17 * (i // 16)] * 32) for i in range(40)]
    rows = [row(i, kinds[i]) for i in range(40)] + [row(100 + i, kinds[i]) for i in range(40)]
    drops = near_drops(StructColumns(NearRow).encode(rows[::-1]), 0.9)
    assert sorted(drops["sample_id"].to_pylist()) == [f"{100 + i:03d}" for i in range(33)]


def test_values_are_the_same_in_every_process_and_version():
    assert minhashes([["a", "b"], ["b", "a", "a"]])[:, :3].tolist() == [[3278730881, 3509601696, 3608401302]] * 2


def test_an_empty_plan_and_request_has_no_tokens_and_a_short_request_one():
    assert tokens(ExecutionPlan(()), " ") == []
    assert tokens(ExecutionPlan(()), "Stop  NOW") == ["request=stop now"]
    assert tokens(ExecutionPlan(()), "a b c d") == ["request=a b c", "request=b c d"]


def test_tokens_name_tools_and_arguments(strategies):
    plan = strategies.plain_samples(1)[0].execution_plan
    assert tokens(plan, "")[:3] == [
        "tool=live_giveaways_by_type",
        'argument=live_giveaways_by_type=type="beta"',
        "argument=live_giveaways_by_type=limit=0",
    ]


@pytest.mark.parametrize("shared", [0, 50, 80, 90, 100])
def test_the_estimate_is_near_the_true_similarity(shared):
    pairs = []
    for k in range(40):
        common = [f"{k}c{i}" for i in range(shared)]
        rest = 100 - shared
        pairs += [common + [f"{k}a{i}" for i in range(rest)], common + [f"{k}b{i}" for i in range(rest)]]
    signatures = packed(minhashes(pairs))
    estimates = similarity(signatures[::2], signatures[1::2])
    true = shared / (200 - shared)
    assert abs(estimates.mean() - true) < 0.03
    assert np.abs(estimates - true).max() < 0.2


def test_bands_find_pairs_at_the_threshold_and_as_few_others_as_that_allows():
    for threshold in (0.5, 0.8, 0.95):
        rows = band_rows(threshold)
        assert 1 - (1 - threshold**rows) ** (128 // rows) >= 0.99
        assert 1 - (1 - threshold ** (rows + 1)) ** (128 // (rows + 1)) < 0.99
    values = minhashes([["a"], ["a"], ["b"]])
    hashes = band_hashes(values, 6)
    assert hashes.shape == (3, 21)
    assert (hashes[0] == hashes[1]).all() and len(np.unique(hashes)) == 42


@pytest.mark.parametrize("near", [0, 0.49, 1.01, float("nan")])
def test_a_threshold_out_of_range_is_refused(near):
    with pytest.raises(ValueError, match=r"near=.* 0\.5\.\.1"):
        check_threshold(near)


def test_drops_of_several_bands_leave_one_for_each_row():
    drops = [NearDrop("0", "x", "s", 2, "s", "1", "1"), NearDrop("0", "x", "s", 1, "t", "9", "9")]
    left = least_drops(StructColumns(NearDrop).encode(drops * 2))
    assert list(StructColumns(NearDrop).decode(left)) == [drops[1]]
