"""Schema: every call names a tool of the domain and gives it what it takes."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.tools import Parameter, Tool
from gatling_beam.oracle.trace import GoldTrace, ToolCall
from gatling_beam.scope import iso_date
from gatling_beam.validate.problem import Problem

REFERENCE = re.compile(r"\$(\w+)\.(\w+)\$")
_APPROVAL = re.compile(r"APR-[0-9]{4}")


def schema_problems(trace: GoldTrace) -> Iterator[Problem]:
    """Faults of the rules unknown_domain, unknown_tool, missing_argument, unknown_argument, wrong_type, out_of_range,
    not_an_option, unknown_object, unknown_person, duplicate_recipient, bad_reference and reference_without_dependency.

    A reference whose result is of another type than the parameter is a wrong_type. The trace's structure must be sound.
    """
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
    parameters, arguments = tool.parameters, call.arguments
    for name, parameter in parameters.items():
        if parameter.required and name not in arguments:
            yield Problem("missing_argument", call.call_id, name)
    for name, value in arguments.items():
        if name not in parameters:
            yield Problem("unknown_argument", call.call_id, name)
            continue
        for rule, detail in _value(which, call, parameters[name], value, made):
            yield Problem(rule, call.call_id, f"{name}: {detail}")


def _value(
    which: Domain, call: ToolCall, parameter: Parameter, value: Any, made: dict[str, Tool]
) -> Iterable[tuple[str, str]]:
    if _is_reference(value):
        return _reference(which, call, parameter, value, made, is_item=False)
    if parameter.type == "rows" and type(value) is list and value:
        return _items(which, call, parameter, value, made)
    if parameter.type == "people":
        return _people(which, parameter, value)
    return _literal(which, parameter, value)


def _items(
    which: Domain, call: ToolCall, parameter: Parameter, items: list[Any], made: dict[str, Tool]
) -> Iterator[tuple[str, str]]:
    for item in items:
        if _is_reference(item):
            yield from _reference(which, call, parameter, item, made, is_item=True)
        else:
            yield "wrong_type", f"{item!r} is no result of a call"


def _literal(which: Domain, parameter: Parameter, value: Any) -> tuple[tuple[str, str], ...]:
    """The fault of a value that is given as it is; it has one at most."""
    kind = parameter.type
    if kind in ("integer", "money"):
        if type(value) is not int:
            return (("wrong_type", f"{value!r} is no whole number"),)
        if not (parameter.minimum or 0) <= value <= (parameter.maximum or value):
            return (("out_of_range", f"{value} is not in {parameter.minimum}..{parameter.maximum}"),)
    elif type(value) is not str:
        return (("wrong_type", f"{value!r} is no text"),)
    elif kind in ("enum", "field"):
        if value not in parameter.options:
            return (("not_an_option", f"{value!r} is not one of {', '.join(parameter.options)}"),)
    elif kind in ("date", "future"):
        if len(value) != len("2026-05-18") or iso_date(value) is None:
            return (("wrong_type", f"{value!r} is no date"),)
    elif kind == "text" and parameter.maximum and len(value) > parameter.maximum:
        return (("out_of_range", f"{len(value)} characters, at most {parameter.maximum}"),)
    elif kind == "id" and not _is_object(which, parameter.of, value):
        return (("unknown_object", f"there is no {parameter.of} {value!r}"),)
    return ()


def _is_reference(value: Any) -> bool:
    return type(value) is str and value[:1] == "$" and REFERENCE.fullmatch(value) is not None


def _reference(
    which: Domain, call: ToolCall, parameter: Parameter, value: str, made: dict[str, Tool], *, is_item: bool
) -> Iterator[tuple[str, str]]:
    source, field = REFERENCE.fullmatch(value).groups()  # type: ignore[union-attr]
    if source not in made or field not in made[source].returns:
        yield "bad_reference", repr(value)
        return
    if source not in call.dependencies:
        yield "reference_without_dependency", f"{value!r}, but the call does not depend on {source!r}"
    if not _fits(which, made[source].tool_id, field, parameter, is_item):
        yield "wrong_type", f"{value!r} is {made[source].returns[field]}, the parameter is {parameter.type}"


@lru_cache(maxsize=1 << 14)
def _fits(which: Domain, source_id: str, field: str, parameter: Parameter, is_item: bool) -> bool:
    """Whether a returned field can be passed to a parameter. A text can hold any scalar; an id, word, number or date
    must be one of the same kind."""
    source = tool_of(which, source_id)
    assert source is not None, source_id
    returned, kind = source.returns[field], parameter.type
    if kind == "rows" or is_item:
        return returned.startswith("list ")
    if returned.startswith("list "):
        return False
    if kind == "text":
        return True
    if kind == "id":
        record = which.spec.records.get(source.record)
        of = record.about if record and field == "about" else source.record
        return returned == "id" and of == parameter.of
    if kind in ("integer", "money") and returned in ("integer", "number"):
        return True
    draw = _draw(which, source, field)
    return draw == {"enum": f"list {parameter.of}", "date": "past", "money": "money", "integer": "number"}.get(kind)


def _draw(which: Domain, source: Tool, field: str) -> str:
    """How the values of a field that a record shows are drawn: list <list>, or the first word of it."""
    record = which.spec.records.get(source.record)
    if record is None or field not in record.fields or source.archetype != "get":
        return ""
    draw = record.fields[field].draw
    return draw if draw.startswith("list ") else draw.partition(" ")[0]


def _people(which: Domain, parameter: Parameter, value: Any) -> Iterator[tuple[str, str]]:
    if type(value) is not list or not all(type(item) is str for item in value):
        yield "wrong_type", f"{value!r} is no list of people"
        return
    if not (parameter.minimum or 1) <= len(value) <= (parameter.maximum or len(value)):
        yield "out_of_range", f"{len(value)} people, {parameter.minimum}..{parameter.maximum} are allowed"
    if strangers := [item for item in value if item not in which.world.group_of]:
        yield "unknown_person", ", ".join(map(repr, strangers[:3]))
    if len(set(value)) < len(value):
        yield "duplicate_recipient", "a person is named twice"


def _is_object(which: Domain, kind: str, value: str) -> bool:
    if kind == "approval":
        return _APPROVAL.fullmatch(value) is not None
    return kind in which.spec.records and which.world.number_of(kind, value) is not None
