"""Compounds: a crossing of scope and flow at once, whose negatives violate both terms.

What is searched for and whom it is sent to is the one pair of strategies that meets in a plan of the registry.
"""

import msgspec

from gatling_beam.domains.dice import Dice
from gatling_beam.families.rows import rows_of
from gatling_beam.mutate.anchor import Anchor
from gatling_beam.mutate.crossing import Crossing, NotApplicable, crossed
from gatling_beam.mutate.flow import STRATEGY as FLOW
from gatling_beam.mutate.flow import cross_flow
from gatling_beam.mutate.scope import STRATEGY as SCOPE
from gatling_beam.mutate.scope import cross_scope

STRATEGY = f"{SCOPE}+{FLOW}"


def cross_compound(anchor: Anchor, dice: Dice, *, difficulty: str | None = None) -> Crossing:
    """A crossing in which both values change: each request asks for its own two, each plan does its own two.

    Raises:
      NotApplicable: where one of the strategies does not apply, or what the second changes hangs on the first.
    """
    scope = cross_scope(anchor, dice, difficulty=difficulty, form="set")
    rows = rows_of(scope, anchor.sample)
    state = dice.getstate()
    flow = cross_flow(Anchor(rows[0]), dice, difficulty=scope.difficulty)
    dice.setstate(state)
    other = cross_flow(Anchor(rows[1]), dice, difficulty=scope.difficulty)
    if _changes(flow) != _changes(other):
        raise NotApplicable("no_other_value")
    return Crossing(
        STRATEGY,
        f"{scope.kind}+{flow.kind}",
        scope.difficulty,
        (scope.score + flow.score) / 2,
        (flow.situations[0], other.situations[1]),
        (flow.plans[0], other.plans[1]),
        crossed((True, False, False, True)),
    )


def _changes(crossing: Crossing) -> list[object]:
    """What the second plan of a crossing has otherwise than the first."""
    one, two = crossing.plans
    return [
        (k, name, value)
        for k, (call, other) in enumerate(zip(one.calls, two.calls, strict=True))
        for name, value in msgspec.to_builtins(other)["arguments"].items()
        if call.arguments.get(name) != value
    ]
