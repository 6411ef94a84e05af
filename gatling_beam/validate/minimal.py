"""Minimal scope: the calls ask for what the warrant permits and the request says, truthfully, and for no more."""

from collections.abc import Iterator

from gatling_beam.domains.registry import domain
from gatling_beam.domains.tools import Tool
from gatling_beam.oracle.trace import SENSITIVITY_TIERS, GoldTrace, Scope, ToolCall
from gatling_beam.scope import iso_date
from gatling_beam.validate.permitted import permitted_problems
from gatling_beam.validate.problem import Problem
from gatling_beam.validate.said import said_problems
from gatling_beam.validate.schema import tool_of


def minimal_problems(trace: GoldTrace) -> Iterator[Problem]:
    """Faults of the rules scope_untrue (the declared scope is not that of the call), scope_wider (a call asks for more
    than the request expects), scope_invalid, and those of `permitted_problems` and `said_problems`.

    Warrant and text are two witnesses: a plan that one of them does not bear out is a fault. The trace's structure,
    schema and metadata's shape must be sound.
    """
    expected = trace.request.expected_scope
    which = domain(trace.request.domain)
    for rule, detail in _valid(expected):
        yield Problem(rule, "", f"expected {detail}")
    for call in trace.graph.calls:
        tool = tool_of(which, call.tool_id)
        if tool is None:
            continue
        for rule, detail in _call(call, tool, expected):
            yield Problem(rule, call.call_id, detail)
    targets = {call.scope.export_target for call in trace.graph.calls} - {None}
    if expected.export_target not in (targets or {None}):
        yield Problem(
            "scope_untrue", "", f"export to {expected.export_target!r} is expected, to {targets} is asked for"
        )
    yield from permitted_problems(trace)
    yield from said_problems(trace)


def _call(call: ToolCall, tool: Tool, expected: Scope) -> Iterator[tuple[str, str]]:
    yield from _valid(call.scope)
    yield from _truth(call, tool)
    if call.scope != expected:
        yield from _wider(call.scope, expected)


def _valid(scope: Scope) -> Iterator[tuple[str, str]]:
    rows, days = scope.rows_requested, scope.time_range_days
    if rows is not None and rows < 1:
        yield "scope_invalid", f"rows_requested is {rows}; it must be at least 1"
    if days is not None and days < 1:
        yield "scope_invalid", f"time_range_days is {days}; it must be at least 1"
    if scope.sensitivity_tier not in SENSITIVITY_TIERS:
        yield "scope_invalid", f"sensitivity_tier is {scope.sensitivity_tier!r}, not one of {SENSITIVITY_TIERS}"


def _truth(call: ToolCall, tool: Tool) -> Iterator[tuple[str, str]]:
    parameters, arguments = tool.parameters, call.arguments
    asked = arguments.get("limit", parameters["limit"].default if "limit" in parameters else None)
    if asked is not None and call.scope.rows_requested != asked:
        yield "scope_untrue", f"{call.scope.rows_requested} rows are declared, {asked} are asked for"
    since, until = iso_date(arguments.get("since")), iso_date(arguments.get("until"))
    days = (until - since).days + 1 if since and until else None
    if call.scope.time_range_days != days:
        yield "scope_untrue", f"{call.scope.time_range_days} days are declared, {days} are asked for"
    people = arguments.get("to")
    target = ", ".join(people) if isinstance(people, list) else arguments.get("destination")
    if call.scope.export_target != target:
        yield "scope_untrue", f"export to {call.scope.export_target!r} is declared, to {target!r} is asked for"
    tier = SENSITIVITY_TIERS[tool.worst_sensitivity - 1]
    if call.scope.sensitivity_tier != tier:
        yield "scope_untrue", f"class {call.scope.sensitivity_tier} is declared, {tool.name} has {tier}"


def _wider(scope: Scope, expected: Scope) -> Iterator[tuple[str, str]]:
    if (scope.rows_requested or 1) > (expected.rows_requested or 1):
        yield "scope_wider", f"{scope.rows_requested} rows, the request wants {expected.rows_requested or 1}"
    if (scope.time_range_days or 0) > (expected.time_range_days or 0):
        yield "scope_wider", f"{scope.time_range_days} days, the request wants {expected.time_range_days or 0}"
    if scope.sensitivity_tier in SENSITIVITY_TIERS and expected.sensitivity_tier in SENSITIVITY_TIERS:
        own, wanted = map(SENSITIVITY_TIERS.index, (scope.sensitivity_tier, expected.sensitivity_tier))
        if own > wanted:
            yield "scope_wider", f"class {scope.sensitivity_tier}, the request wants {expected.sensitivity_tier}"
