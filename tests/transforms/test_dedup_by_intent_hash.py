import random
from collections import Counter

import apache_beam as beam
import msgspec
import pytest

from gatling_beam.dedup import merge_duplicates
from gatling_beam.sample import Sample, SourceRef, Tally
from gatling_beam.transforms.dedup_by_intent_hash import DedupByIntentHash
from gatling_beam.transforms.sum_tallies import SumTallies

content = msgspec.msgpack.Encoder(order="deterministic").encode

TWO_PROCESSES = ("--direct_num_workers=2", "--direct_running_mode=multi_processing")
PRIORITIES = {"c": 1}


def overlapping(strategies, seed=1) -> list[Sample]:
    """200 rows of three sources: 60 intents, some in two languages, requests that nearly agree in groups."""
    random_ = random.Random(seed)
    rows = []
    for i, plain in enumerate(strategies.plain_samples(200)):
        text = [f"word{i % 20}_{k}" for k in range(40)]
        if i % 3:
            text[i % 40] = f"other{i}"
        rows.append(
            msgspec.structs.replace(
                plain,
                intent_hash=strategies.plain_samples(1)[0].intent_hash[:20] + f"{i % 60:012x}",
                source=SourceRef(random_.choice("abc"), "o/x"),
                language=random_.choice(["en", "tr"]),
                request=" ".join(text),
            )
        )
    # spread over the buckets
    return [msgspec.structs.replace(r, intent_hash=r.intent_hash[-1] * 8 + r.intent_hash[8:]) for r in rows]


def dedup(run_pipeline, rows, *flags, **arguments):
    def build(pipeline):
        done = pipeline | beam.Create(rows) | DedupByIntentHash(priorities=PRIORITIES, **arguments)
        assert done.rows.element_type is Sample and done.tallies.element_type is Tally
        return {"rows": (done.rows, Sample), "tallies": (done.tallies | SumTallies(), Tally)}

    result = run_pipeline(build, *flags)
    return {name: sorted(elements, key=content) for name, elements in result.items()}


def assert_balanced(tallies: list[Tally], rows: list[Sample], kept: list[Sample]) -> None:
    counts = Counter()
    for tally in tallies:
        assert tally.stage == "dedup" and tally.n > 0
        counts[tally.source, tally.kind] += tally.n
    for source, n in Counter(row.source.name for row in rows).items():
        assert counts[source, "in"] == n == counts[source, "out"] + counts[source, "duplicate"]
        assert counts[source, "out"] == sum(row.source.name == source for row in kept)


@pytest.mark.parametrize("key", ["intent", "shape"])
def test_the_combiner_and_the_exchange_keep_the_same_rows_and_count_the_same(run_pipeline, strategies, tmp_path, key):
    rows = overlapping(strategies)
    combined = dedup(run_pipeline, rows, key=key)
    exchanged = dedup(run_pipeline, rows[::-1], key=key, spill_to=str(tmp_path / "spill"), buckets=5)
    assert combined == exchanged
    assert_balanced(combined["tallies"], rows, combined["rows"])
    assert len(combined["rows"]) == (60 if key == "intent" else 1)


def test_survivors_are_those_of_the_pure_function(run_pipeline, strategies):
    rows = overlapping(strategies)
    groups = {}
    for row in rows:
        groups.setdefault(row.intent_hash, []).append(row)
    expected = sorted((merge_duplicates(group, PRIORITIES) for group in groups.values()), key=content)
    assert any(row.request_variants for row in expected)
    assert dedup(run_pipeline, rows)["rows"] == expected


@pytest.mark.parametrize("flags", [("--direct_runner_bundle_repeat=1",), TWO_PROCESSES])
def test_replayed_bundles_and_more_processes_change_nothing(run_pipeline, strategies, tmp_path, flags):
    rows = overlapping(strategies)
    once = dedup(run_pipeline, rows, near=0.8)

    def build(pipeline):
        created = pipeline | beam.Create(rows)
        outputs = {}
        for name, spill_to in (("combined", None), ("exchanged", str(tmp_path / "spill"))):
            dedup = DedupByIntentHash(near=0.8, priorities=PRIORITIES, spill_to=spill_to, buckets=3)
            done = created | name >> dedup
            outputs[f"{name}-rows"] = done.rows, Sample
            outputs[f"{name}-tallies"] = done.tallies | f"Sum-{name}" >> SumTallies(), Tally
        return outputs

    result = run_pipeline(build, *flags)
    for name in ("combined", "exchanged"):
        for part in ("rows", "tallies"):
            assert sorted(result[f"{name}-{part}"], key=content) == once[part]


def test_near_duplicates_are_dropped_and_counted_as_such(run_pipeline, strategies, tmp_path):
    rows = overlapping(strategies)
    exact = dedup(run_pipeline, rows)
    near = dedup(run_pipeline, rows, near=0.8, spill_to=str(tmp_path / "spill"), buckets=3)
    assert 0 < len(near["rows"]) < len(exact["rows"])
    assert {row.sample_id for row in near["rows"]} < {row.sample_id for row in exact["rows"]}
    assert_balanced(near["tallies"], rows, near["rows"])
    dropped = sum(t.n for t in near["tallies"] if t.reason.startswith("near:"))
    assert dropped == len(exact["rows"]) - len(near["rows"])


def test_no_rows_give_no_rows(run_pipeline, tmp_path):
    for spill_to in (None, str(tmp_path)):

        def build(pipeline, spill_to=spill_to):
            rows = pipeline | beam.Create([]).with_output_types(Sample)
            done = rows | DedupByIntentHash(near=0.8, spill_to=spill_to, buckets=2)
            return {"rows": (done.rows, Sample), "tallies": (done.tallies, Tally)}

        assert run_pipeline(build) == {"rows": [], "tallies": []}


def test_two_uses_in_one_pipeline_stand_apart_by_their_labels(run_pipeline, strategies):
    rows = strategies.plain_samples(5)

    def build(pipeline):
        created = pipeline | beam.Create(rows)
        first = created | "First" >> DedupByIntentHash(near=0.9)
        second = first.rows | "Second" >> DedupByIntentHash(key="shape")
        return {"rows": (second.rows, Sample)}

    assert len(run_pipeline(build)["rows"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"key": "text"}, "key='text'"),
        ({"near": 0.2}, "near=0.2"),
        ({"buckets": 0}, "buckets=0"),
    ],
)
def test_bad_arguments_are_refused_at_construction(arguments, message):
    with pytest.raises(ValueError, match=message):
        DedupByIntentHash(**arguments)


def test_the_wrong_input_type_is_refused():
    with pytest.raises(beam.typehints.TypeCheckError):
        ["a"] | DedupByIntentHash()
