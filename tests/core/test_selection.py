"""The selection of crossings: exact, whole, free of shared rows, and independent of the order of rows."""

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.hashing import digest
from gatling_beam.quotas import kind_of
from gatling_beam.selection import DUPLICATE, NOT_SELECTED, TAKEN, Candidates

Row = dict[str, Any]


def crossing(name: str, strategy: str = "flow", negatives: int = 2, benign: int = 2, shared: str = "") -> list[Row]:
    """The rows of a crossing; `shared` names one that another crossing has too."""
    mutation = {"strategy": strategy, "difficulty": "hard", "ratio_band": "", "parent": digest(name)}
    names = [shared or f"{name} 0", *(f"{name} {k}" for k in range(1, negatives + benign))]
    labels = ["benign"] * benign + ["adversarial"] * negatives
    return [
        {"label": label, "row_hash": digest(own), "mutation": mutation}
        for own, label in zip(names, labels, strict=True)
    ]


def choose(files: list[list[Row]], quotas: dict[str, int], **options: Any) -> tuple[Counter[tuple[str, int]], Any]:
    """How many rows of each parent have which fate, and the selection."""
    candidates = Candidates(7, sorted(quotas), kind_of, **options)
    for k, rows in enumerate(files):
        candidates.add(str(k), pa.Table.from_pylist(rows), round=k)
    chosen = candidates.choose(quotas)
    fates: Counter[tuple[str, int]] = Counter()
    for k, rows in enumerate(files):
        fates += Counter(
            (row["mutation"]["parent"], fate) for row, fate in zip(rows, chosen.fates[str(k)], strict=True)
        )
    return fates, chosen


@given(st.lists(st.integers(1, 3), min_size=1, max_size=30), st.integers(0, 60), st.randoms())
def test_crossings_are_taken_whole_and_as_many_as_fit(negatives: list[int], quota: int, random: Any) -> None:
    crossings = [crossing(str(k), negatives=n) for k, n in enumerate(negatives)]
    rows = [row for own in crossings for row in own]
    fates, chosen = choose([rows], {"flow": quota})
    taken = {parent for parent, fate in fates if fate == TAKEN}
    assert not taken & {parent for parent, fate in fates if fate == NOT_SELECTED}
    weights = {own[0]["mutation"]["parent"]: n for own, n in zip(crossings, negatives, strict=True)}
    assert chosen.taken["flow"] == sum(weights[parent] for parent in taken) <= quota
    left = quota - chosen.taken["flow"]
    assert all(n > left for parent, n in weights.items() if parent not in taken)
    random.shuffle(rows)
    assert choose([rows], {"flow": quota})[0] == fates


def test_a_greater_quota_takes_the_same_and_more() -> None:
    rows = [row for k in range(40) for row in crossing(str(k))]
    few = {parent for parent, fate in choose([rows], {"flow": 20})[0] if fate == TAKEN}
    many = {parent for parent, fate in choose([rows], {"flow": 50})[0] if fate == TAKEN}
    assert len(few) == 10 and len(many) == 25 and few < many


def test_of_crossings_that_share_a_row_one_stays() -> None:
    rows = [*crossing("a", shared="s"), *crossing("b", shared="s"), *crossing("c", shared="s"), *crossing("d")]
    fates, chosen = choose([rows], {"flow": 100})
    assert chosen.available == {"flow": 4} == chosen.taken
    assert Counter(fate for _, fate in fates) == {TAKEN: 2, DUPLICATE: 2}
    fates, chosen = choose([rows], {"flow": 100}, distinct=False)
    assert chosen.taken == {"flow": 8}


def test_a_later_round_replaces_nothing() -> None:
    first, later = crossing("a", shared="s"), [row for k in range(20) for row in crossing(f"later {k}")]
    alone, _ = choose([first], {"flow": 6})
    both, chosen = choose([first, [*crossing("b", shared="s"), *later]], {"flow": 6})
    assert alone == {(digest("a"), TAKEN): 4} and both[digest("a"), TAKEN] == 4
    assert both[digest("b"), DUPLICATE] == 4
    assert chosen.taken == {"flow": 6}


def test_rows_of_other_strata_are_left_and_what_is_short_is_said() -> None:
    rows = [*crossing("a"), *crossing("b", strategy="other")]
    fates, chosen = choose([rows], {"flow": 10, "scope": 4})
    assert fates == {(digest("a"), TAKEN): 4, (digest("b"), NOT_SELECTED): 4}
    assert chosen.missing({"flow": 10, "scope": 4}) == {"flow": 8, "scope": 4}
    assert chosen.missing({"flow": 2, "scope": 0}) == {}


def test_one_that_is_too_heavy_is_passed_by() -> None:
    rows = [row for k in range(9) for row in crossing(f"two {k}")] + crossing("one", negatives=1)
    assert choose([rows], {"flow": 5})[1].taken == {"flow": 5}
    assert choose([rows[:-3]], {"flow": 5})[1].taken == {"flow": 4}


@pytest.mark.parametrize("quota", [0, 4])
def test_without_candidates_nothing_is_taken(quota: int) -> None:
    chosen = Candidates(7, ["flow"], kind_of).choose({"flow": quota})
    assert chosen.taken == {"flow": 0} and chosen.fates == {}
