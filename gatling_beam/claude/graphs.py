"""A plan as Claude writes it becomes the plan of a trace.

The calls are matched with those that the warrant permits, so that a plan that is right has the warrant's call ids; what
is wrong keeps ids of its own and is found by the validators.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from gatling_beam.claude.schemas import Argument, PlannedCall
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.tools import Tool
from gatling_beam.grounding import REFERENCE
from gatling_beam.oracle.template import scope_of
from gatling_beam.oracle.trace import GoldTrace, Scope, ToolCall, ToolCallGraph
from gatling_beam.scope import iso_date

_INTEGER = re.compile(r"[0-9]{1,18}")
_SIZES = ("integer", "money")


def with_graph(trace: GoldTrace, planned: Sequence[PlannedCall]) -> GoldTrace:
    """`trace` with the calls that were planned for its request. Faults stay in it, for the validators to find."""
    which = domain(trace.request.domain)
    own = [call.id for call in planned]
    names = dict(zip(own, _matched(which, trace, planned), strict=True)) if len(set(own)) == len(own) else {}
    calls: list[ToolCall] = []
    edges: list[list[str]] = []
    rows: dict[str, int | None] = {}
    for call in planned:
        call_id = names.get(call.id, call.id)
        tool = which.tools.get(call.tool)
        arguments: dict[str, Any] = {}
        for a in call.arguments:
            # Given twice, it stays twice, the second time under a name that no tool has.
            arguments[f"{a.name} again" if a.name in arguments else a.name] = _renamed(_value(tool, a), names)
        evidence = _evidence(call, arguments, names)
        edges += [[source, call_id, kind] for source, kind in evidence.items()]
        scope = _scope(tool, arguments, rows)
        rows[call_id] = scope.rows_requested
        origin = trace.graph.calls[0].provenance
        calls.append(ToolCall(call_id, f"{which.name}.{call.tool}", arguments, scope, origin, tuple(sorted(evidence))))
    graph = ToolCallGraph(trace.graph.graph_id, tuple(calls), tuple(call.call_id for call in calls))
    return msgspec.structs.replace(trace, graph=graph, metadata={**trace.metadata, "edges": edges})


def _value(tool: Tool | None, argument: Argument) -> Any:
    """An argument as its parameter takes it; as it was written where it is no such value."""
    values: list[Any] = list(argument.values)
    parameter = tool.parameters.get(argument.name) if tool else None
    if parameter and parameter.type in _SIZES:
        values = [int(value) if _INTEGER.fullmatch(value) else value for value in values]
    if len(values) == 1 and not (parameter and parameter.type == "people"):
        return values[0]
    return sorted(values) if parameter and parameter.type == "people" else values


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    match = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return f"${names.get(match[1], match[1])}.{match[2]}$" if match else value


def _evidence(call: PlannedCall, arguments: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    """The earlier calls that a call depends on, each with what shows it."""
    values = [item for value in arguments.values() for item in (value if isinstance(value, list) else [value])]
    found = {match[1]: "data" for item in values if isinstance(item, str) and (match := REFERENCE.fullmatch(item))}
    for kind, ids in (("control", call.only_if), ("turn", call.after)):
        for name in ids:
            found.setdefault(names.get(name, name), kind)
    return found


def _scope(tool: Tool | None, arguments: dict[str, Any], rows: dict[str, int | None]) -> Scope:
    if tool is None:
        return Scope()
    fed = [
        match[1]
        for value in arguments.values()
        for item in (value if isinstance(value, list) else [value])
        if isinstance(item, str) and (match := REFERENCE.fullmatch(item))
    ]
    since, until = iso_date(arguments.get("since")), iso_date(arguments.get("until"))
    if type(arguments.get("limit")) is not int:
        arguments = {name: value for name, value in arguments.items() if name != "limit"}
    return scope_of(tool, arguments, dict.fromkeys(fed), rows, (until - since).days + 1 if since and until else None)


def _matched(which: Domain, trace: GoldTrace, planned: Sequence[PlannedCall]) -> list[str]:
    """For each planned call the id of the call that it stands for: of the same tool, with the most equal arguments."""
    free = list(trace.graph.calls)
    found = []
    for k, call in enumerate(planned, 1):
        tool = which.tools.get(call.tool)
        values = {argument.name: _value(tool, argument) for argument in call.arguments}
        same = [other for other in free if other.tool_id == f"{which.name}.{call.tool}"]
        best = max(same, key=lambda other: _alike(values, other.arguments), default=None)
        if best is None:
            found.append(f"extra_{k}")
        else:
            free.remove(best)
            found.append(best.call_id)
    return found


def _alike(values: dict[str, Any], others: dict[str, Any]) -> int:
    return sum(others.get(name) == value for name, value in values.items())
