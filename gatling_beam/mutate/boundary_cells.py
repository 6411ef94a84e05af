"""Cells of boundary crossings: the request asks exactly for what the plan does, so that the policy alone decides.

A situation holds both the rules and the request of its plan, so there is one for each cell. All policies are changed
variants, inside and outside alike, and their ids say so in the same form.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from gatling_beam.domains.policies import changed_id
from gatling_beam.mutate.anchor import Anchor, Argument, with_arguments, with_permission
from gatling_beam.mutate.crossing import BENIGN, Cell, NotApplicable, Plan, Situation, Violated
from gatling_beam.mutate.said import say_number

#: The situations, plans and cells of a crossing.
Matrix = tuple[tuple[Situation, ...], tuple[Plan, ...], tuple[Cell, ...]]


class Asked(msgspec.Struct, frozen=True):
    """A plan and the situation whose request asks for exactly it."""

    plan: Plan
    situation: Situation


class Rules(msgspec.Struct, frozen=True):
    """What decides: a policy, and the facts of the session where they are not those of what is asked."""

    policy_id: str
    facts: tuple[str, ...] | None = None


def variant(anchor: Anchor, changes: Mapping[str, Any]) -> str:
    """The id of the anchor's policy with some values set otherwise."""
    return changed_id(anchor.policy.policy_id, changes)


def one_way(rules: tuple[Rules, Rules], asked: tuple[Asked, Asked], violated: Violated) -> Matrix:
    """Situations, plans and cells of a limit: the first rules allow the first plan only, the second ones the second."""
    low, high = rules
    less, more = asked
    return (
        (_under(low, less), _under(low, more), _under(high, more)),
        (less.plan, more.plan),
        (Cell(0, 0, BENIGN), Cell(1, 1, violated), Cell(2, 1, BENIGN)),
    )


def both_ways(rules: tuple[Rules, Rules], asked: tuple[Asked, Asked], violated: Violated) -> Matrix:
    """Situations, plans and cells of a choice: each of the rules allows the plan at its own place only."""
    one, other = asked
    return (
        (_under(rules[0], one), _under(rules[1], other), _under(rules[0], other), _under(rules[1], one)),
        (one.plan, other.plan),
        (Cell(0, 0, BENIGN), Cell(1, 1, BENIGN), Cell(2, 1, violated), Cell(3, 0, violated)),
    )


def _under(rules: Rules, asked: Asked) -> Situation:
    facts = asked.situation.facts if rules.facts is None else rules.facts
    return msgspec.structs.replace(asked.situation, policy_id=rules.policy_id, facts=facts)


def asking_for(anchor: Anchor, chosen: tuple[Argument, ...], value: int) -> Asked:
    """The plan with another number in these arguments, which have the same one, and the request that asks for it."""
    situation = anchor.situation
    changes = {a.position: {a.name: value} for a in chosen}
    permission = {
        a.position: {"bounds": {**situation.warrant[a.position]["bounds"], a.parameter.dimension: value}}
        for a in chosen
    }
    return Asked(
        with_arguments(anchor.plan, changes),
        msgspec.structs.replace(
            situation,
            request=say_number(situation.request, chosen[0].value, value),
            warrant=with_permission(situation.warrant, permission),
        ),
    )


def role_range(anchor: Anchor, kind: str, name: str) -> tuple[int, int]:
    """The numbers that the rule of a kind (limit, approval) draws its limit from for the anchor's role.

    Raises:
      NotApplicable: no_limit.
    """
    for rule in anchor.domain.spec.policy:
        if getattr(rule, kind) == name:
            low, high = rule.by_role[anchor.policy.role]
            return low, high
    raise NotApplicable("no_limit")


def other_demand(anchor: Anchor, dimension: str, chosen: tuple[Argument, ...]) -> int:
    """The most of a dimension that the rest of the plan asks for, by argument or by default; 0 for none."""
    own = {(a.position, a.name) for a in chosen}
    demands = [0]
    for k, (call, tool) in enumerate(zip(anchor.plan.calls, anchor.tools, strict=True)):
        for name, parameter in tool.parameters.items():
            if parameter.dimension == dimension and (k, name) not in own:
                value = call.arguments.get(name, parameter.default)
                if value is not None:
                    demands.append(value if type(value) is int else 10**9)
    return max(demands)
