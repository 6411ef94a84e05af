"""Boundaries of sensitivity: what shows the class that the role may read, against what shows the next one."""

from collections.abc import Iterable

from gatling_beam.domains.dice import Dice
from gatling_beam.domains.registry import has_values, may_use
from gatling_beam.domains.tools import Tool
from gatling_beam.mutate.anchor import Anchor
from gatling_beam.mutate.boundary_cells import Asked, Rules, one_way, variant
from gatling_beam.mutate.crossing import SCOPE, Crossing, NotApplicable
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import draw_trace

STRATEGY = "sensitivity_creep"


def sensitivity_creep(anchor: Anchor, dice: Dice) -> Crossing:
    """The anchor's task and another one of its domain that reads one class more, or one less: medium.

    The other task has plan, request, texts and facts of its own; the role and the rest of the policy are the anchor's.

    Raises:
      NotApplicable: no_limit, no_other_value.
    """
    own = _class(anchor.tools)
    if not own or not any(rule.sensitivity for rule in anchor.domain.spec.policy):
        raise NotApplicable("no_limit")
    tasks = {step: _tasks(anchor, own, own + step) for step in (1, -1) if own + step}
    steps = [step for step, names in tasks.items() if names]
    if not steps:
        raise NotApplicable("no_other_value")
    step = dice.pick(steps)
    lower = min(own, own + step)
    policies = [variant(anchor, {"sensitivity": level}) for level in (lower, lower + 1)]
    policy = anchor.domain.policy(policies[1])
    trace = draw_trace(anchor.domain, dice.pick(tasks[step]), policy, dice, anchor.sample.original_id)
    other = Anchor(trace_to_sample(trace))
    asked = [Asked(one.plan, one.situation) for one in (anchor, other)][::step]
    situations, plans, cells = one_way((Rules(policies[0]), Rules(policies[1])), (asked[0], asked[1]), SCOPE)
    return Crossing(
        STRATEGY, f"class:{lower + 1}", "medium", 0.5, situations, plans, cells, distance=1.0, rule="sensitivity"
    )


def _class(tools: Iterable[Tool]) -> int:
    """The highest class that these tools read; 0 where they read nothing."""
    return max((tool.worst_sensitivity for tool in tools if tool.cls == "read"), default=0)


def _tasks(anchor: Anchor, own: int, level: int) -> list[str]:
    """The tasks that read up to class `level` and that the policy, opened so far, lets the role do."""
    policy = anchor.domain.policy(variant(anchor, {"sensitivity": max(own, level)}))
    return [
        name
        for name, plan in anchor.domain.plans.items()
        if _class(step.tool for step in plan) == level
        and all(may_use(policy, step.tool) for step in plan)
        and has_values(policy, anchor.domain.slots[name])
    ]
