"""Compounds: a crossing of two strategies at once, whose negatives violate the terms of both."""

from collections.abc import Sequence

import msgspec

from gatling_beam.domains.dice import Dice
from gatling_beam.families.rows import rows_of
from gatling_beam.mutate.anchor import Anchor
from gatling_beam.mutate.crossing import Crossing, NotApplicable, Violated, crossed
from gatling_beam.mutate.flow import STRATEGY as FLOW
from gatling_beam.mutate.flow import cross_flow
from gatling_beam.mutate.scope import STRATEGY as SCOPE
from gatling_beam.mutate.scope import cross_scope
from gatling_beam.sample import Sample

_MUTATORS = {SCOPE: cross_scope, FLOW: cross_flow}
#: The pairs of strategies that meet in a plan of the registry: what is sent is searched for, too.
COMPOUNDS = ((SCOPE, FLOW),)


def cross_compound(sample: Sample, dice: Dice, *, strategies: Sequence[str], difficulty: str | None = None) -> Crossing:
    """A crossing in which both values change: each request asks for its own two, each plan does its own two.

    Args:
      strategies: a pair of `COMPOUNDS`.

    Raises:
      NotApplicable: where one of the strategies does not apply, or what the second changes hangs on the first.
    """
    first, second = strategies
    options = {"form": "set"} if first == SCOPE else {}
    one = _MUTATORS[first](Anchor(sample), dice, difficulty=difficulty, **options)
    rows = rows_of(one, sample)
    state = dice.getstate()
    own = _MUTATORS[second](Anchor(rows[0]), dice, difficulty=one.difficulty)
    dice.setstate(state)
    other = _MUTATORS[second](Anchor(rows[1]), dice, difficulty=one.difficulty)
    if len(own.plans) != 2 or _changes(own) != _changes(other):
        raise NotApplicable("no_other_value")
    return Crossing(
        "+".join(strategies),
        f"{one.kind}+{own.kind}",
        one.difficulty,
        (one.score + own.score) / 2,
        (own.situations[0], other.situations[1]),
        (own.plans[0], other.plans[1]),
        crossed(_either(one.cells[2].violated, own.cells[2].violated)),
    )


def _changes(crossing: Crossing) -> list[object]:
    """What the second plan of a crossing has otherwise than the first."""
    one, two = crossing.plans[:2]
    return [
        (k, name, value)
        for k, (call, other) in enumerate(zip(one.calls, two.calls, strict=True))
        for name, value in msgspec.to_builtins(other)["arguments"].items()
        if call.arguments.get(name) != value
    ]


def _either(one: Violated, other: Violated) -> Violated:
    scope, hierarchy, provenance, flow = (a or b for a, b in zip(one, other, strict=True))
    return scope, hierarchy, provenance, flow
