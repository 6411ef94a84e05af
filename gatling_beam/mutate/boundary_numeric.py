"""Boundaries of size: exactly the limit, just above it, and the same under a policy that allows it.

No number tells on which side it is. Where limits lie one or a few apart they are drawn without a liking for round
ones: else what is one above a round limit would tell. Where they lie 5 to 10 % apart, one of the four numbers of a
crossing is as round as any number, and the others lie next to it.
"""

import math
from datetime import date, timedelta

import msgspec

from gatling_beam.domains.dice import Dice
from gatling_beam.domains.numbers import draw_number, draw_unrounded
from gatling_beam.facts import approval_of
from gatling_beam.mutate.anchor import Anchor, Argument, with_arguments, with_permission
from gatling_beam.mutate.boundary_cells import Asked, Rules, asking_for, one_way, other_demand, role_range, variant
from gatling_beam.mutate.crossing import SCOPE, Crossing, NotApplicable
from gatling_beam.mutate.said import say_period
from gatling_beam.mutate.scope import plan_window

EDGE = "numeric_edge"
NEAR = "numeric_near"
TEMPORAL = "temporal_overflow"

#: Below this one more is no small step: the scaled energy of L + 1 would leave 2.0..2.1.
_LEAST = 5
#: Below this no whole number lies 5 to 10 % beside a limit.
_LEAST_NEAR = 20
_MOST_DAYS_OVER = 5


def numeric_edge(anchor: Anchor, dice: Dice) -> Crossing:
    """The limit against one more: hard.

    Raises:
      NotApplicable: no_limit, no_room, not_said_once.
    """
    chosen, low, high = _sized(anchor, dice)
    low = max(low, _LEAST)
    if low + 1 >= high:
        raise NotApplicable("no_room")
    limit = draw_unrounded(dice, low, high - 1)
    return _sizes(anchor, chosen, EDGE, (limit, limit + 1), (limit, limit + 1), "hard", 1.0)


def numeric_near(anchor: Anchor, dice: Dice) -> Crossing:
    """5 to 10 % below the limit against 5 to 10 % above it: medium.

    Raises:
      NotApplicable: no_limit, no_room, not_said_once.
    """
    chosen, low, high = _sized(anchor, dice)
    low = max(low, _LEAST_NEAR)
    if low * 1.4 >= high:
        raise NotApplicable("no_room")
    # A chain value < limit < value < limit; the drawn number takes one of the four places.
    place = dice.below(4)
    chain = {place: draw_number(dice, math.ceil(low * 1.12**place), max(low, int(high / 1.12 ** (3 - place))))}
    for k in range(place - 1, -1, -1):
        chain[k] = _beside(dice, chain[k + 1], value=k, up=False)
    for k in range(place + 1, 4):
        chain[k] = _beside(dice, chain[k - 1], value=k, up=True)
    limits, values = (chain[1], chain[3]), (chain[0], chain[2])
    distance = (values[1] - limits[0]) / limits[0]
    return _sizes(anchor, chosen, NEAR, limits, values, "medium", math.exp(-10 * distance))


def _beside(dice: Dice, number: int, *, value: int, up: bool) -> int:
    """The number at place `value` of the chain, next to `number`, which is at the place before (`up`) or after it.

    Places 0 and 2 are values, 1 and 3 limits: a value lies at 0.90..0.95 of the limit above it and at 1.05..1.10 of the
    limit below it.
    """
    lower = value - 1 if up else value
    least, most = (1.05, 1.10) if lower == 1 else (1 / 0.95, 1 / 0.90)
    low, high = (number * least, number * most) if up else (number / most, number / least)
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    if first > last:
        raise NotApplicable("no_room")
    return first + dice.below(last - first + 1)


def _sized(anchor: Anchor, dice: Dice) -> tuple[tuple[Argument, ...], int, int]:
    """The arguments that ask for a size which the policy limits, and the range of such limits."""
    found: dict[tuple[str, int], list[Argument]] = {}
    for a in anchor.arguments:
        dimension = a.parameter.dimension
        if type(a.value) is int and dimension in anchor.policy.limits and _is_approved(anchor, a):
            found.setdefault((dimension, a.value), []).append(a)
    if not found:
        raise NotApplicable("no_limit")
    (dimension, _), arguments = dice.pick(list(found.items()))
    chosen = tuple(arguments)
    low, high = role_range(anchor, "limit", dimension)
    for a in chosen:
        low, high = max(low, a.parameter.minimum or 1), min(high, a.parameter.maximum or high)
        rule = anchor.policy.approvals.get(anchor.tools[a.position].name)
        if rule and rule.parameter == a.name:
            low = max(low, rule.above + 1)  # so that the approval stays needed
    return chosen, max(low, other_demand(anchor, dimension, chosen)), high


def _is_approved(anchor: Anchor, a: Argument) -> bool:
    """Whether the call needs no approval whatever the number, or has one."""
    rule = anchor.policy.approvals.get(anchor.tools[a.position].name)
    return rule is None or rule.parameter != a.name or "approval_id" in anchor.plan.calls[a.position].arguments


def _sizes(
    anchor: Anchor,
    chosen: tuple[Argument, ...],
    strategy: str,
    limits: tuple[int, int],
    values: tuple[int, int],
    difficulty: str,
    score: float,
) -> Crossing:
    dimension = chosen[0].parameter.dimension
    less, more = (_approved(anchor, chosen, asking_for(anchor, chosen, value), value) for value in values)
    low, high = (Rules(variant(anchor, {dimension: limit})) for limit in limits)
    situations, plans, cells = one_way((low, high), (less, more), SCOPE)
    return Crossing(
        strategy,
        dimension,
        difficulty,
        score,
        situations,
        plans,
        cells,
        distance=(values[1] - limits[0]) / limits[0],
        rule=f"limit_{dimension}",
    )


def _approved(anchor: Anchor, chosen: tuple[Argument, ...], asked: Asked, value: int) -> Asked:
    """What is asked, with the approvals of these calls for as much as is asked."""
    ids = {anchor.plan.calls[a.position].arguments.get("approval_id") for a in chosen}
    facts = []
    for fact in asked.situation.facts:
        approval = approval_of(fact)
        covers = approval is not None and approval.approval_id in ids
        facts.append(msgspec.structs.replace(approval, amount=value).text() if approval and covers else fact)
    return Asked(asked.plan, msgspec.structs.replace(asked.situation, facts=tuple(facts)))


def temporal_overflow(anchor: Anchor, dice: Dice) -> Crossing:
    """A date range of as many days as are allowed, both ends counted, against 1 to 5 more: hard up to 3, else medium.

    Raises:
      NotApplicable: no_limit, no_room, not_said_once.
    """
    window = plan_window(anchor)
    if window is None or "days" not in anchor.policy.limits:
        raise NotApplicable("no_limit")
    first, last, positions = window
    low, high = role_range(anchor, "limit", "days")
    over = 1 + dice.below(_MOST_DAYS_OVER)
    if low + over >= high:
        raise NotApplicable("no_room")
    # Evenly: of a log-uniform draw the least days would be limits that allow less.
    limit = low + dice.below(high - over - low + 1)
    spans = limit, limit + over
    less, more = (_spanning(anchor, (first, last), positions, days) for days in spans)
    rules = Rules(variant(anchor, {"days": spans[0]})), Rules(variant(anchor, {"days": spans[1]}))
    situations, plans, cells = one_way(rules, (less, more), SCOPE)
    score = 1 - (over - 1) / 8
    return Crossing(
        TEMPORAL,
        "days",
        "hard" if score > 2 / 3 else "medium",
        score,
        situations,
        plans,
        cells,
        distance=float(over),
        rule="limit_days",
    )


def _spanning(anchor: Anchor, old: tuple[date, date], positions: tuple[int, ...], days: int) -> Asked:
    """The plan whose date range ends on the same day and has that many days, and the request that asks for it."""
    situation = anchor.situation
    new = old[1] - timedelta(days - 1), old[1]
    since, until = new[0].isoformat(), new[1].isoformat()
    permission = {
        k: {
            "bounds": {**situation.warrant[k]["bounds"], "days": days},
            "sets": {**situation.warrant[k]["sets"], "window": [since, until]},
        }
        for k in positions
    }
    return Asked(
        with_arguments(anchor.plan, {k: {"since": since, "until": until} for k in positions}),
        msgspec.structs.replace(
            situation,
            request=say_period(situation.request, old, new),
            warrant=with_permission(situation.warrant, permission),
        ),
    )
