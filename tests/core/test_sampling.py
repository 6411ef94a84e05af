import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.sampling import (
    Cut,
    LeastRanks,
    check_quota,
    check_seed,
    cut_of,
    cutoff,
    is_taken,
    merge_ranks,
    rank,
    ranks,
    shortfall,
)

# few distinct values, many of them with trailing zero bytes
some_ranks = st.lists(st.sampled_from([bytes(k) + b"\1" + bytes(23 - k) for k in range(24)] + [bytes(24)]))


def packed(values):
    return np.frombuffer(b"".join(values), "S24")


def test_a_rank_is_a_fixed_function_of_round_seed_and_group():
    assert rank(7, "g").hex() == "0000000000000000" + rank(7, "g", 3).hex()[16:]
    assert rank(7, "g").hex() == "00000000000000009d6d413caec60deefc04919c3edad743"
    assert rank(7, "g") != rank(8, "g") != rank(8, "h")
    assert rank(7, "zzz", 0) < rank(7, "aaa", 1) < rank(7, "mmm", 256)
    assert ranks(7, ["g", "h"], 3).tobytes() == rank(7, "g", 3) + rank(7, "h", 3)
    assert cutoff(ranks(7, []), 3) is None


@given(some_ranks, st.integers(0, 30))
def test_the_cutoff_takes_the_least_distinct_ranks(values, quota):
    cut = cutoff(packed(values), quota)
    taken = {value for value in values if is_taken(value, Cut(cut, 0))}
    assert taken == set(sorted(set(values))[:quota])


@given(some_ranks, some_ranks, st.integers(0, 30))
def test_streams_agree_with_the_array_however_they_are_cut(first, second, quota):
    parts = [LeastRanks(quota), LeastRanks(quota)]
    for part, values in zip(parts, (first, second), strict=True):
        for value in values:
            part.add(value)
    copies = [msgspec.msgpack.decode(msgspec.msgpack.encode(part), type=LeastRanks) for part in parts]
    cut = cut_of(merge_ranks([LeastRanks(), *copies]))
    distinct = set(first) | set(second)
    assert cut == Cut(cutoff(packed([*first, *second]), quota), min(quota, len(distinct)))


def test_a_long_stream_is_sorted_in_as_it_goes():
    values = [rank(1, str(k)) for k in range(20_000)]
    least = LeastRanks(100)
    for value in values:
        least.add(value)
    assert len(least.pending) < 4_096 and len(least.packed) == 2_400
    assert cut_of(least).rank == sorted(values)[99]


def test_a_greater_quota_and_a_later_round_only_add():
    first = ranks(1, map(str, range(100)))
    later = ranks(1, map(str, range(100, 200)), round=1)
    small, large = cutoff(first, 10), cutoff(first, 20)
    assert small < large
    assert cutoff(np.concatenate([first, later]), 20) == large
    assert cutoff(np.concatenate([first, later]), 120) > max(first.tolist())


def test_what_is_short_is_noted():
    assert shortfall("easy", 5, Cut(b"x", 5)) == []
    (note,) = shortfall("easy", 5, Cut(b"x", 3))
    assert (note.kind, note.n, note.reason) == ("note", 2, "shortfall:easy")
    assert not is_taken(rank(1, "g"), None)


@pytest.mark.parametrize("quota", [-1, 1.5, "3", {"a": -1}, {"a": None}, True, None])
def test_a_quota_out_of_range_is_refused(quota):
    with pytest.raises(ValueError, match="quota="):
        check_quota(quota)


@pytest.mark.parametrize("seed", [-1, 2**64, "1", None, True])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match="seed="):
        check_seed(seed)
