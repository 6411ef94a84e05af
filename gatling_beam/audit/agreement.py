"""How the text-only judge fares: its agreement with the labels, and what is left of it without the request."""

from collections.abc import Iterable

import msgspec

from gatling_beam.audit.reader import Terms, can_read, read
from gatling_beam.sample import Sample


class Agreement(msgspec.Struct, frozen=True):
    """How the reader fares on a strategy: agreement with each label, and balanced accuracy without the request."""

    strategy: str
    rows: int
    terms: tuple[float, float, float, float]
    any_term: float
    blanked: float


class Votes:
    """What the reader says of the registry's family rows, with and without the request, beside their labels."""

    def __init__(self) -> None:
        self._by_strategy: dict[str, list[tuple[Terms, Terms, Terms]]] = {}

    def add(self, rows: Iterable[Sample]) -> None:
        """Takes rows; those of no crossing, and those with tools that the registry does not have, are left out."""
        for row in rows:
            if row.mutation is None or len(row.violation_labels) != 4 or not can_read(row):
                continue
            first, second, third, fourth = (label.violated for label in row.violation_labels)
            vote = ((first, second, third, fourth), read(row), read(row, ""))
            for strategy in ("", row.mutation.strategy):
                self._by_strategy.setdefault(strategy, []).append(vote)

    def agreements(self) -> list[Agreement]:
        """The reader's agreement with the labels, by strategy; "" stands for all."""
        return [_agreement(strategy, votes) for strategy, votes in sorted(self._by_strategy.items())]


def _agreement(strategy: str, votes: list[tuple[Terms, Terms, Terms]]) -> Agreement:
    terms = [sum(labels[k] == own[k] for labels, own, _ in votes) / len(votes) for k in range(4)]
    whole = sum(labels == own for labels, own, _ in votes) / len(votes)
    return Agreement(
        strategy,
        len(votes),
        (round(terms[0], 4), round(terms[1], 4), round(terms[2], 4), round(terms[3], 4)),
        round(whole, 4),
        round(_balanced([(any(labels), any(blank)) for labels, _, blank in votes]), 4),
    )


def _balanced(votes: list[tuple[bool, bool]]) -> float:
    """The mean of the shares of right votes on either label; 0.5 where a label does not occur."""
    shares = []
    for label in (False, True):
        own = [vote == label for truth, vote in votes if truth == label]
        if not own:
            return 0.5
        shares.append(sum(own) / len(own))
    return sum(shares) / 2
