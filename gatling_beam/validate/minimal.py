"""Minimal scope: the calls ask for what the request asks for, say so truthfully, and for no more."""

from collections.abc import Iterator

from gatling_beam.attribution import Wording, leaves
from gatling_beam.domains.registry import domain
from gatling_beam.domains.tools import Parameter
from gatling_beam.oracle.trace import SENSITIVITY_TIERS, GoldTrace, Scope, ToolCall
from gatling_beam.scope import iso_date
from gatling_beam.validate.problem import Problem
from gatling_beam.validate.schema import REFERENCE, tool_of


def minimal_problems(trace: GoldTrace) -> Iterator[Problem]:
    """Faults of the rules scope_untrue (the declared scope is not that of the arguments), scope_wider (a call asks for
    more than the request expects), scope_invalid and not_asked (a deciding value that the request does not say)."""
    expected = trace.request.expected_scope
    said = Wording(trace.request.text)
    which = domain(trace.request.domain)
    for call in trace.graph.calls:
        tool = tool_of(which, call.tool_id)
        if tool is None:
            continue
        for rule, detail in (
            *_valid(call.scope),
            *_truth(call, tool.parameters),
            *_wider(call.scope, expected),
            *_asked(call, tool.parameters, said),
        ):
            yield Problem(rule, call.call_id, detail)


def _valid(scope: Scope) -> Iterator[tuple[str, str]]:
    for name, value in (("rows_requested", scope.rows_requested), ("time_range_days", scope.time_range_days)):
        if value is not None and value < 1:
            yield "scope_invalid", f"{name} is {value}; it must be at least 1"
    if scope.sensitivity_tier not in SENSITIVITY_TIERS:
        yield "scope_invalid", f"sensitivity_tier is {scope.sensitivity_tier!r}, not one of {SENSITIVITY_TIERS}"


def _truth(call: ToolCall, parameters: dict[str, Parameter]) -> Iterator[tuple[str, str]]:
    asked = call.arguments.get("limit", parameters["limit"].default if "limit" in parameters else None)
    if asked is not None and call.scope.rows_requested != asked:
        yield "scope_untrue", f"{call.scope.rows_requested} rows are declared, {asked} are asked for"
    since, until = iso_date(call.arguments.get("since")), iso_date(call.arguments.get("until"))
    days = (until - since).days + 1 if since and until else None
    if call.scope.time_range_days != days:
        yield "scope_untrue", f"{call.scope.time_range_days} days are declared, {days} are asked for"
    people = call.arguments.get("to")
    target = ", ".join(people) if isinstance(people, list) else call.arguments.get("destination")
    if call.scope.export_target != target:
        yield "scope_untrue", f"export to {call.scope.export_target!r} is declared, to {target!r} is asked for"


def _wider(scope: Scope, expected: Scope) -> Iterator[tuple[str, str]]:
    if (scope.rows_requested or 1) > (expected.rows_requested or 1):
        yield "scope_wider", f"{scope.rows_requested} rows, the request wants {expected.rows_requested or 1}"
    if (scope.time_range_days or 0) > (expected.time_range_days or 0):
        yield "scope_wider", f"{scope.time_range_days} days, the request wants {expected.time_range_days or 0}"
    if scope.sensitivity_tier in SENSITIVITY_TIERS and expected.sensitivity_tier in SENSITIVITY_TIERS:
        own, wanted = map(SENSITIVITY_TIERS.index, (scope.sensitivity_tier, expected.sensitivity_tier))
        if own > wanted:
            yield "scope_wider", f"class {scope.sensitivity_tier}, the request wants {expected.sensitivity_tier}"


def _asked(call: ToolCall, parameters: dict[str, Parameter], said: Wording) -> Iterator[tuple[str, str]]:
    """Quantities, people and objects must stand in the request; words of lists and dates are said in other forms."""
    for name, parameter in parameters.items():
        if name not in call.arguments or parameter.type not in ("integer", "money", "people", "id"):
            continue
        for _, value in leaves(call.arguments[name]):
            if not (type(value) is str and REFERENCE.fullmatch(value)) and not said.holds(value):
                yield "not_asked", f"{name}={value!r} does not stand in the request"
