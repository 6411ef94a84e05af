"""Single marks that go with a label: words, argument values, hosts, tools, filled fields; by pointwise information."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

from gatling_beam.audit.collect import Placed
from gatling_beam.audit.features import contexts, governance, ids, plan_with_tiers, request

_DIGITS = re.compile(r"\d+")
#: A mark fails that is adversarial (or benign) with at least this probability, by its 95 % bound.
_TELLS = 0.9
#: Families that must have a mark before it is looked at.
MIN_FAMILIES = 50
_VIEWS = {"plan": plan_with_tiers, "request": request, "contexts": contexts, "governance": governance, "fields": ids}


class Mark(msgspec.Struct, frozen=True):
    """A mark with its rows and families; `pmi` in bits with the label that it goes with.

    `adversarial` is the share of adversarial rows among the rows that have it, `lower` and `upper` its 95 % Wilson
    interval.
    """

    view: str
    name: str
    families: int
    rows: int
    adversarial: float
    lower: float
    upper: float
    pmi: float

    @property
    def tells(self) -> bool:
        """Whether the mark gives the label away by itself."""
        return self.lower > _TELLS or self.upper < 1 - _TELLS


class Marks:
    """Counts the marks of family rows."""

    def __init__(self) -> None:
        self._rows: Counter[str] = Counter()
        self._bad: Counter[tuple[str, str]] = Counter()
        self._good: Counter[tuple[str, str]] = Counter()
        self._families: dict[tuple[str, str], set[str]] = defaultdict(set)

    def add(self, rows: Iterable[Placed]) -> None:
        """Takes rows."""
        for row in rows:
            side = self._bad if row.negative else self._good
            self._rows["bad" if row.negative else "good"] += 1
            for view, bag_of in _VIEWS.items():
                for name in {_DIGITS.sub("0", name) for name in bag_of(row.sample) if name[:1] != "#"}:
                    side[view, name] += 1
                    seen = self._families[view, name]
                    if len(seen) < MIN_FAMILIES:
                        seen.add(row.sample.group_id)

    def found(self, most: int = 40, min_families: int = MIN_FAMILIES) -> list[Mark]:
        """The marks with the most information about the label, those first that give it away."""
        total = self._rows["bad"] + self._rows["good"]
        if not self._rows["bad"] or not self._rows["good"]:
            return []
        base = self._rows["bad"] / total
        marks = []
        for key, seen in self._families.items():
            if len(seen) < min(min_families, MIN_FAMILIES):
                continue
            bad, rows = self._bad[key], self._bad[key] + self._good[key]
            share = bad / rows
            pmi = max(_bits(share, base), _bits(1 - share, 1 - base))
            lower, upper = wilson(bad, rows)
            marks.append(
                Mark(key[0], key[1], len(seen), rows, round(share, 4), round(lower, 4), round(upper, 4), round(pmi, 4))
            )
        marks.sort(
            key=lambda m: (not m.tells, -abs(m.adversarial - base) * math.sqrt(m.rows), m.name, m.view),
        )
        return marks[:most]


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % Wilson interval of a share of `hits` in `n` > 0."""
    share, spread = hits / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def _bits(share: float, base: float) -> float:
    return math.log2(share / base) if share > 0 else 0.0
