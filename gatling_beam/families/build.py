"""Families: an anchor, and crossings of each strategy that applies to it, judged."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple

from gatling_beam.domains.dice import Dice
from gatling_beam.families.accept import accept
from gatling_beam.families.compound import STRATEGY as COMPOUND
from gatling_beam.families.compound import cross_compound
from gatling_beam.families.rows import rows_of
from gatling_beam.mutate.anchor import Anchor
from gatling_beam.mutate.boundary import BOUNDARIES
from gatling_beam.mutate.crossing import Crossing, NotApplicable
from gatling_beam.mutate.flow import STRATEGY as FLOW
from gatling_beam.mutate.flow import cross_flow
from gatling_beam.mutate.hierarchy import STRATEGY as HIERARCHY
from gatling_beam.mutate.hierarchy import cross_hierarchy
from gatling_beam.mutate.provenance import STRATEGY as PROVENANCE
from gatling_beam.mutate.provenance import cross_provenance
from gatling_beam.mutate.scope import STRATEGY as SCOPE
from gatling_beam.mutate.scope import cross_scope
from gatling_beam.sample import DeadLetter, Sample

#: The strategies of Tier II, in the order of the energy terms that they raise.
STRATEGIES = (SCOPE, HIERARCHY, PROVENANCE, FLOW)
#: How each is made, and that of two terms at once, which is made only where it is asked for.
MUTATORS: dict[str, Callable[..., Crossing]] = {
    SCOPE: cross_scope,
    HIERARCHY: cross_hierarchy,
    PROVENANCE: cross_provenance,
    FLOW: cross_flow,
    COMPOUND: cross_compound,
}
#: The kinds of Tier III.
BOUNDARY_KINDS = tuple(BOUNDARIES)


class Inapplicable(NamedTuple):
    """A strategy that does not apply to an anchor, and why: a key of `mutate.crossing.REASONS`."""

    strategy: str
    reason: str


class Made(NamedTuple):
    """The rows of a crossing, not yet judged."""

    strategy: str
    rows: list[Sample]


def crossings(
    sample: Sample | Anchor,
    *,
    seed: int,
    strategies: Sequence[str] = STRATEGIES,
    k: int = 1,
    first: int = 0,
    difficulty: str | None = None,
    **options: Any,
) -> Iterator[Made | Inapplicable]:
    """Up to `k` different crossings of an anchor for each strategy, as rows with declared labels.

    What is drawn depends on (seed, sample_id, strategy with its options, number of the crossing) alone: crossings of
    different difficulties are different ones.

    Args:
      sample: a benign row with a warrant and tools of the registry, or such a row taken apart.
      first: the number of the first crossing, so that a later call goes on where another ended.
      difficulty: hard, medium or easy; None for any.
      options: passed on to the mutator of the (one) strategy.
    """
    purpose = "".join(f"/{value}" for value in (difficulty, *options.values()) if value)
    options = {"difficulty": difficulty, **options}
    makers = {strategy: partial(MUTATORS[strategy], **options) for strategy in strategies}
    yield from _made(sample, seed, makers, range(first, first + k), None, purpose)


def boundary_pairs(
    sample: Sample | Anchor, *, seed: int, kinds: Sequence[str] = BOUNDARY_KINDS, k: int = 1, first: int = 0
) -> Iterator[Made | Inapplicable]:
    """Up to `k` different boundary crossings of an anchor for each kind, as rows of tier III with declared labels.

    Args:
      sample, first: as for `crossings`.
      kinds: keys of `mutate.boundary.BOUNDARIES`.
    """
    yield from _made(sample, seed, {kind: BOUNDARIES[kind] for kind in kinds}, range(first, first + k), "III")


def _made(
    sample: Sample | Anchor,
    seed: int,
    makers: Mapping[str, Callable[[Anchor, Dice], Crossing]],
    numbers: range,
    tier: str | None,
    purpose: str = "",
) -> Iterator[Made | Inapplicable]:
    try:
        anchor = sample if isinstance(sample, Anchor) else Anchor(sample)
    except NotApplicable as e:
        yield from (Inapplicable(strategy, e.reason) for strategy in makers)
        return
    for strategy, make in makers.items():
        seen: set[str] = set()
        for number in numbers:
            try:
                crossing = make(anchor, dice_of(seed, anchor.sample.sample_id, strategy + purpose, number))
            except NotApplicable as e:
                if number == numbers.start:
                    yield Inapplicable(strategy, e.reason)
                continue
            rows = rows_of(crossing, anchor.sample, tier=tier)
            if seen.isdisjoint(row.row_hash for row in rows):
                seen.update(row.row_hash for row in rows)
                yield Made(strategy, rows)


def family(sample: Sample, **options: Any) -> Iterator[Sample | DeadLetter | Inapplicable]:
    """The judged rows of all crossings of an anchor, or their dead letters; `options` as those of `crossings`."""
    for made in crossings(sample, **options):
        if isinstance(made, Inapplicable):
            yield made
        else:
            yield from accept(made.rows)


def dice_of(seed: int, sample_id: str, purpose: str, number: int) -> Dice:
    """The random numbers of a purpose."""
    key = blake2b(f"{seed}/{sample_id}/{purpose}/{number}".encode(), digest_size=8).digest()
    return Dice(int.from_bytes(key, "big"))
