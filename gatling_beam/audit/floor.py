"""The floor of scope sizes: what the sizes alone must give away, from the rows themselves.

A negative's plan is larger than what its request asks for, a benign row's is not. So the gap shows in the plan, in the
request, or half in each; it can be moved, not removed.
"""

from collections.abc import Iterable
from math import log
from typing import Any

import numpy as np

from gatling_beam.audit.collect import Crossing, Placed
from gatling_beam.audit.probes import Numbers, weighted_auc
from gatling_beam.domains.registry import domain
from gatling_beam.scope import iso_date
from gatling_beam.warrant import PermittedCall, read_warrant


def floors_of(crossings: Iterable[Crossing]) -> tuple[float, float] | None:
    """The AUC of the plan's size, and of the requested size, between negatives and benign rows; None without sizes.

    It is worked out as if every negative (plan x, request y) stood beside its anchor (y, y) and its twin (x, x) and
    nothing but the sizes were known.
    """
    gaps = [gap for crossing in crossings for row in crossing.negatives if (gap := size_gap(row))]
    if not gaps:
        return None
    plan, asked = np.array(gaps).T
    both = np.concatenate([plan, asked])
    return round(_auc(plan, both), 4), round(_auc(both, asked), 4)


def size_gap(row: Placed) -> tuple[float, float] | None:
    """Log of the size in the plan and of the size that is permitted, where the plan exceeds it most; None nowhere."""
    warrant = row.sample.warrant
    if not warrant:
        return None
    permitted = read_warrant(warrant["calls"])
    gaps = [
        (log(asked), log(bound))
        for node, call in zip(row.sample.execution_plan.nodes, permitted, strict=False)
        for asked, bound in _sizes(row.sample.category, node.tool_name, node.arguments, call)
        if asked > bound
    ]
    return max(gaps, key=lambda gap: gap[0] - gap[1], default=None)


def _sizes(
    domain_name: str, tool_id: str, arguments: dict[str, Any], call: PermittedCall
) -> Iterable[tuple[float, float]]:
    tool = domain(domain_name).tools.get(tool_id.rpartition(".")[2])
    for name, parameter in tool.parameters.items() if tool else ():
        bound = call.bounds.get(parameter.dimension, 0)
        value = arguments.get(name, parameter.default)
        if bound >= 1 and type(value) is int and parameter.type in ("integer", "money"):
            yield float(max(value, 1)), float(bound)
    days = days_of(arguments)
    if days and call.bounds.get("days", 0) >= 1:
        yield float(days), float(call.bounds["days"])


def days_of(arguments: dict[str, Any]) -> int:
    """The days from `since` to `until`, both counted; 0 without both."""
    since, until = iso_date(arguments.get("since")), iso_date(arguments.get("until"))
    return (until - since).days + 1 if since and until else 0


def _auc(high: Numbers, low: Numbers) -> float:
    scores = np.concatenate([high, low])
    first = np.r_[np.ones(len(high), dtype=bool), np.zeros(len(low), dtype=bool)]
    return float(weighted_auc(scores, first, np.ones((1, len(scores))))[0])
