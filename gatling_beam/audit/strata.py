"""The comparisons: which rows stand against which, for every strategy, kind and difficulty."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec
import numpy as np

from gatling_beam.audit.ceilings import INPUT_VIEWS, MIXED, PLAN_VIEWS, Comparison, ceiling, verdict
from gatling_beam.audit.collect import Crossing, Placed
from gatling_beam.audit.features import VIEWS, Bag, order
from gatling_beam.audit.figures import Figure
from gatling_beam.audit.probes import ProbeScore, ViewMatrix, probe
from gatling_beam.hashing import digest

#: The views of each comparison, and those that are asked of all difficulties together only.
_ASKED: dict[Comparison, tuple[str, ...]] = {
    "twin": (*PLAN_VIEWS, "request", "arg_sources", "ids"),
    "benign": (*PLAN_VIEWS, *INPUT_VIEWS, "arg_sources", "ids"),
    "touched": (),
}
_POOLED: dict[Comparison, tuple[str, ...]] = {
    "twin": ("order",),
    "benign": ("order", "language", "source"),
    "touched": ("plan_with_tiers",),
}


class Stratum(msgspec.Struct, frozen=True):
    """The crossings of a strategy and kind that have a negative of `difficulty` ("" for all).

    `whole` says that these are all its crossings.
    """

    strategy: str
    kind: str
    difficulty: str
    crossings: list[Crossing]
    whole: bool = True

    def negatives(self, crossing: Crossing) -> list[Placed]:
        """The negatives of this difficulty."""
        return [row for row in crossing.negatives if not self.difficulty or _difficulty(row) == self.difficulty]


def strata_of(strategy: str, kind: str, crossings: list[Crossing]) -> Iterator[Stratum]:
    """All difficulties together, then each; one alone if there is no other."""
    difficulties = sorted({_difficulty(row) for crossing in crossings for row in crossing.negatives} - {""})
    if len(difficulties) == 1:
        yield Stratum(strategy, kind, difficulties[0], crossings)
        return
    yield Stratum(strategy, kind, "", crossings)
    for difficulty in difficulties:
        some = [c for c in crossings if any(_difficulty(row) == difficulty for row in c.negatives)]
        yield Stratum(strategy, kind, difficulty, some, whole=False)


def figures_of(
    stratum: Stratum, *, min_rows: int, max_rows: int, floors: tuple[float, float] | None = None
) -> Iterator[Figure]:
    """All probes of a stratum, each on at most `max_rows` rows (whole families, by hash).

    `floors` are those of the plan's and of the request's sizes. Where no row has a place there is no order to probe.
    """
    bags = _Bags()
    known: dict[tuple[str, bool, frozenset[int]], ProbeScore | None] = {}
    for comparison, own in _ASKED.items():
        views = own + _POOLED[comparison] if stratum.whole else own
        rows, negative = _sides(stratum, comparison, max_rows)
        if min(negative.sum(), (~negative).sum()) < 2:
            continue
        families = [row.sample.group_id for row in rows]
        for view in views:
            if view == "order" and all(row.place is None for row in rows):
                continue
            # A crossing both ways has the same rows on the same sides in two comparisons.
            key = (view, comparison == "touched", frozenset(map(id, rows)))
            if key not in known:
                known[key] = probe(ViewMatrix([bags.of(view, row) for row in rows]), negative, families)
            score = known[key]
            if score is None:
                continue
            limit = ceiling(stratum.strategy, stratum.kind, stratum.difficulty, comparison, view)
            negatives, benign = int(negative.sum()), int((~negative).sum())
            yield Figure(
                stratum.strategy,
                stratum.kind,
                stratum.difficulty,
                comparison,
                view,
                negatives,
                benign,
                score.auc,
                score.distance,
                score.lower,
                score.model,
                limit,
                verdict(score.lower, limit, min(negatives, benign), min_rows),
                _floor(floors, comparison, view),
            )


def _floor(floors: tuple[float, float] | None, comparison: Comparison, view: str) -> float | None:
    if floors is None or comparison != "benign":
        return None
    return floors[0] if view in PLAN_VIEWS else floors[1] if view == "request" else None


class _Bags:
    """The features of rows, each made once."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int], Bag] = {}

    def of(self, view: str, row: Placed) -> Bag:
        key = (view, id(row))
        if key not in self._made:
            self._made[key] = order(row.place) if view == "order" else VIEWS[view](row.sample)
        return self._made[key]


def _sides(stratum: Stratum, comparison: Comparison, max_rows: int) -> tuple[list[Placed], np.ndarray]:
    """The rows of both sides, without repeats, and which are of the first."""
    rows: list[Placed] = []
    first: list[bool] = []
    for crossings in _by_family(stratum.crossings):
        if len(rows) >= max_rows:
            break
        for crossing in crossings:
            for side, members in _members(stratum, crossing, comparison):
                rows += members
                first += [side] * len(members)
    return rows, np.array(first, dtype=bool)


def _members(
    stratum: Stratum, crossing: Crossing, comparison: Comparison
) -> tuple[tuple[bool, list[Placed]], tuple[bool, list[Placed]]]:
    negatives = stratum.negatives(crossing)
    if comparison == "twin":
        twins = {id(row): row for negative in negatives for row in crossing.twins(negative)}
        return (True, negatives), (False, list(twins.values()))
    if comparison == "benign":
        benign = crossing.benign
        if stratum.strategy in MIXED:
            benign = sorted(benign, key=lambda row: digest("pick", row.sample.row_hash))[: len(negatives)]
        return (True, negatives), (False, benign)
    rows = negatives + crossing.benign
    return (True, [row for row in rows if not _untouched(row)]), (False, [row for row in rows if _untouched(row)])


def _untouched(row: Placed) -> bool:
    return row.sample.mutation is not None and row.sample.mutation.parent == row.sample.sample_id


def _by_family(crossings: Iterable[Crossing]) -> list[list[Crossing]]:
    families: dict[str, list[Crossing]] = defaultdict(list)
    for crossing in crossings:
        families[crossing.negatives[0].sample.group_id].append(crossing)
    return [families[name] for name in sorted(families, key=lambda name: digest("family", name))]


def _difficulty(row: Placed) -> str:
    return row.sample.mutation.difficulty if row.sample.mutation else ""
