"""Schema: every call names a tool of the domain and gives it what it takes."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.tools import Parameter, Tool
from gatling_beam.oracle.trace import GoldTrace, ToolCall
from gatling_beam.scope import iso_date
from gatling_beam.validate.problem import Problem

REFERENCE = re.compile(r"\$(\w+)\.(\w+)\$")


def schema_problems(trace: GoldTrace) -> Iterator[Problem]:
    """Faults of the rules unknown_domain, unknown_tool, missing_argument, unknown_argument, wrong_type, out_of_range,
    not_an_option, unknown_object, unknown_person, bad_reference and reference_without_dependency."""
    if trace.request.domain not in domain_names():
        yield Problem("unknown_domain", "", repr(trace.request.domain))
        return
    which = domain(trace.request.domain)
    made: dict[str, Tool] = {}
    for call in trace.graph.calls:
        tool = tool_of(which, call.tool_id)
        if tool is None:
            yield Problem("unknown_tool", call.call_id, repr(call.tool_id))
            continue
        made[call.call_id] = tool
    for call in trace.graph.calls:
        if call.call_id in made:
            yield from _call(which, call, made)


@lru_cache(maxsize=1 << 14)
def tool_of(which: Domain, tool_id: str) -> Tool | None:
    """The tool of an id `<domain>.<tool>`; None if the domain has none."""
    owner, _, name = tool_id.partition(".")
    return which.tools.get(name) if owner == which.name else None


def _call(which: Domain, call: ToolCall, made: dict[str, Tool]) -> Iterator[Problem]:
    tool = made[call.call_id]
    for parameter in tool.parameters.values():
        if parameter.required and parameter.name not in call.arguments:
            yield Problem("missing_argument", call.call_id, parameter.name)
    for name, value in call.arguments.items():
        if name not in tool.parameters:
            yield Problem("unknown_argument", call.call_id, name)
            continue
        for rule, detail in _value(which, call, tool.parameters[name], value, made):
            yield Problem(rule, call.call_id, f"{name}: {detail}")


def _value(
    which: Domain, call: ToolCall, parameter: Parameter, value: Any, made: dict[str, Tool]
) -> Iterator[tuple[str, str]]:
    references = [item for item in (value if isinstance(value, list) else [value]) if _is_reference(item)]
    for item in references:
        source, field = REFERENCE.fullmatch(item).groups()  # type: ignore[union-attr]
        if source not in made or field not in made[source].returns:
            yield "bad_reference", repr(item)
        elif source not in call.dependencies:
            yield "reference_without_dependency", f"{item!r}, but the call does not depend on {source!r}"
    if references:
        return
    kind = parameter.type
    if kind in ("integer", "money"):
        if type(value) is not int:
            yield "wrong_type", f"{value!r} is no whole number"
        elif not (parameter.minimum or 0) <= value <= (parameter.maximum or value):
            yield "out_of_range", f"{value} is not in {parameter.minimum}..{parameter.maximum}"
    elif kind in ("enum", "field"):
        if value not in parameter.options:
            yield "not_an_option", f"{value!r} is not one of {', '.join(parameter.options)}"
    elif kind in ("date", "future"):
        if iso_date(value) is None:
            yield "wrong_type", f"{value!r} is no date"
    elif kind == "people":
        yield from _people(which, parameter, value)
    elif type(value) is not str:
        yield "wrong_type", f"{value!r} is no text"
    elif kind == "text" and parameter.maximum and len(value) > parameter.maximum:
        yield "out_of_range", f"{len(value)} characters, at most {parameter.maximum}"
    elif kind == "id" and not _is_object(which, parameter.of, value):
        yield "unknown_object", f"there is no {parameter.of} {value!r}"


def _is_reference(value: Any) -> bool:
    return type(value) is str and REFERENCE.fullmatch(value) is not None


def _people(which: Domain, parameter: Parameter, value: Any) -> Iterator[tuple[str, str]]:
    if type(value) is not list or not all(type(item) is str for item in value):
        yield "wrong_type", f"{value!r} is no list of people"
        return
    if not (parameter.minimum or 1) <= len(value) <= (parameter.maximum or len(value)):
        yield "out_of_range", f"{len(value)} people, {parameter.minimum}..{parameter.maximum} are allowed"
    if strangers := [item for item in value if item not in which.world.group_of]:
        yield "unknown_person", ", ".join(map(repr, strangers[:3]))


def _is_object(which: Domain, kind: str, value: str) -> bool:
    if kind == "approval":
        return re.fullmatch(r"APR-[0-9]{4}", value) is not None
    return which.world.number_of(kind, value) is not None
