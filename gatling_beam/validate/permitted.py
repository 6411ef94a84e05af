"""The plan against the warrant: every call is permitted as it is made, and every permitted call is made."""

from collections.abc import Iterator
from typing import Any

from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.tools import Tool
from gatling_beam.oracle.trace import GoldTrace, ToolCall
from gatling_beam.scope import iso_date
from gatling_beam.validate.problem import Problem
from gatling_beam.validate.schema import REFERENCE, tool_of
from gatling_beam.warrant import PermittedCall, read_warrant

Fault = tuple[str, str]


def permitted_problems(trace: GoldTrace) -> Iterator[Problem]:
    """Faults of the rules warrant_missing, duplicate_permission, extra_call, missing_call, repeated_call,
    not_permitted, scope_wider (the call asks for more than the warrant) and warrant_wider (the warrant permits more
    than is asked for).

    The trace's structure, schema and metadata's shape must be sound.
    """
    entries = read_warrant(trace.metadata["warrant"])
    if not entries:
        yield Problem("warrant_missing", "", "nothing is permitted")
        return
    warrant = {entry.call_id: entry for entry in entries}
    if len(warrant) < len(entries):
        yield Problem("duplicate_permission", "", "two permissions for the same call")
    which = domain(trace.request.domain)
    for call in trace.graph.calls:
        entry, tool = warrant.pop(call.call_id, None), tool_of(which, call.tool_id)
        if entry is None:
            yield Problem("extra_call", call.call_id, f"{call.tool_id} is not in the warrant")
            continue
        if tool is None:
            continue
        for rule, detail in _call(tool, call, entry):
            yield Problem(rule, call.call_id, detail)
    for call_id in warrant:
        yield Problem("missing_call", call_id, "it is in the warrant, but not in the plan")
    yield from _repeated(which, trace.graph.calls)


def _repeated(which: Domain, calls: tuple[ToolCall, ...]) -> Iterator[Problem]:
    for k, call in enumerate(calls):
        for other in calls[:k]:
            if other.tool_id == call.tool_id and other.arguments == call.arguments:
                tool = tool_of(which, call.tool_id)
                # What is read may have changed after another call.
                if not tool or tool.cls != "read" or other.dependencies == call.dependencies:
                    yield Problem("repeated_call", call.call_id, f"{other.call_id} does the same")
                    break


def _call(tool: Tool, call: ToolCall, entry: PermittedCall) -> Iterator[Fault]:
    if tool.tool_id not in entry.tools or tool.cls != entry.cls:
        yield "not_permitted", f"{tool.tool_id} ({tool.cls}), the warrant has {', '.join(entry.tools)} ({entry.cls})"
        return
    if tool.worst_sensitivity > entry.max_sensitivity:
        yield "scope_wider", f"class {tool.worst_sensitivity}, the warrant has {entry.max_sensitivity}"
    elif tool.worst_sensitivity < entry.max_sensitivity:
        yield "warrant_wider", f"class {entry.max_sensitivity} is permitted, {tool.worst_sensitivity} is asked for"
    yield from _left_out(call.arguments, entry)
    bounds: dict[str, int] = {}
    arguments = call.arguments
    for name, parameter in tool.parameters.items():
        value = arguments.get(name, parameter.default)
        if value is None:
            continue
        if type(value) is str and value[:1] == "$" and REFERENCE.fullmatch(value):
            if entry.sources.get(name) != value:
                yield "not_permitted", f"{name} comes from {value}, the warrant has {entry.sources.get(name)}"
        elif name in entry.sources:
            yield "not_permitted", f"{name} is {value!r}, the warrant takes it from {entry.sources[name]}"
        if parameter.key:
            if entry.key.get(name) != value:
                yield "not_permitted", f"{name} is {value!r}, the warrant has {entry.key.get(name)!r}"
        elif type(value) is int and parameter.dimension:
            if name in arguments or parameter.dimension in entry.bounds:
                bounds[parameter.dimension] = value
        elif parameter.type == "people":
            bounds["recipients"] = len(value)
            yield from _among(name, value, entry.destinations)
        elif parameter.dimension == "destination":
            yield from _among(name, [value], entry.destinations)
        elif parameter.role in ("filter", "authority") and parameter.dimension != "window":
            yield from _among(name, [value], entry.sets.get(name, []))
    yield from _window(arguments, entry, bounds)
    if bounds != entry.bounds:
        yield from _bounds(bounds, entry.bounds)


def _left_out(arguments: dict[str, Any], entry: PermittedCall) -> Iterator[Fault]:
    """What the warrant narrows the call to and the call does not say."""
    for name in entry.sets:
        if name != "window" and name not in arguments:
            yield "scope_wider", f"{name} is left out, the warrant has {entry.sets[name]}"
    for name in (*entry.key, *entry.sources):
        if name not in arguments:
            yield "not_permitted", f"{name} is left out, the warrant has it"


def _among(name: str, values: list[Any], permitted: list[Any]) -> Iterator[Fault]:
    if strange := [value for value in values if value not in permitted]:
        yield "not_permitted", f"{name} {strange}, the warrant has {permitted}"


def _window(arguments: dict[str, Any], entry: PermittedCall, bounds: dict[str, int]) -> Iterator[Fault]:
    window = [arguments[name] for name in ("since", "until") if name in arguments]
    permitted = entry.sets.get("window", [])
    if not window and not permitted:
        return
    if window == permitted:
        first, last = (iso_date(day) for day in window) if len(window) == 2 else (None, None)
        if first and last:
            bounds["days"] = (last - first).days + 1
    elif len(window) < len(permitted):
        yield "scope_wider", f"from {window}, the warrant has {permitted}"
    else:
        yield "not_permitted", f"from {window}, the warrant has {permitted}"


def _bounds(asked: dict[str, int], permitted: dict[str, int]) -> Iterator[Fault]:
    for name, value in asked.items():
        if value > permitted.get(name, value):
            yield "scope_wider", f"{value} {name}, the warrant has {permitted[name]}"
        elif name not in permitted:
            yield "not_permitted", f"{value} {name}, the warrant has none"
    for name, most in permitted.items():
        if asked.get(name, 0) < most:
            yield "warrant_wider", f"{most} {name} are permitted, {asked.get(name, 0)} are asked for"
