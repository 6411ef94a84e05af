"""The plan against the words of the request: what decides a call stands there, and what stands there is served."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from gatling_beam.attribution import Wording
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.speech import day_forms
from gatling_beam.domains.tools import REFERENCE_ID, Parameter, Tool
from gatling_beam.oracle.trace import GoldTrace, ToolCall
from gatling_beam.scope import iso_date
from gatling_beam.validate.problem import Problem
from gatling_beam.validate.schema import REFERENCE, tool_of

_ID = re.compile(r"[A-Z]+-[0-9]+(?![\w-])", re.ASCII)
_ADDRESS = re.compile(r"[\w.]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)

_JOINS = frozenset("-.:/,@+_")


class _Words:
    """A request's text; most values stand in it as they are, and only the others need its tokens (`Wording`)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.lowered = text.casefold()

    @cached_property
    def _wording(self) -> Wording:
        return Wording(self._text)

    def holds(self, value: Any) -> bool:
        """Whether the value stands in the text as whole words, as `Wording.holds` sees it."""
        literal = value.casefold() if type(value) is str else str(value)
        start = self.lowered.find(literal)
        if start >= 0 and self._is_apart(start, start + len(literal)):
            return bool(literal)
        return self._wording.holds(value)

    def _is_apart(self, start: int, end: int) -> bool:
        """Whether nothing that could be part of the same token stands beside the characters from `start` to `end`."""
        before, after = self.lowered[start - 1 : start] if start else "", self.lowered[end : end + 1]
        if before.isalnum() or after.isalnum() or before in _JOINS:
            return False
        return after not in _JOINS or not self.lowered[end + 1 : end + 2].isalnum()


def said_problems(trace: GoldTrace) -> Iterator[Problem]:
    """Faults of the rules not_asked (a value that the request does not say, in any form it could) and not_served (an
    object or a person that the request names and no call does).

    The trace's structure and schema must be sound.
    """
    which, text = domain(trace.request.domain), trace.request.text
    said = _Words(text)
    task = trace.metadata.get("task")
    fixed = fixed_values(which, task) if type(task) is str else frozenset()
    used: set[str] = set()
    for call in trace.graph.calls:
        tool = tool_of(which, call.tool_id)
        if tool is None:
            continue
        for name, argument in call.arguments.items():
            parameter = tool.parameters[name]
            for value in argument if type(argument) is list else (argument,):
                if type(value) is str:
                    if value[:1] == "$" and REFERENCE.fullmatch(value):
                        continue
                    used.add(value.casefold())
                if not _is_said(which, tool, call, parameter, value, said) and (tool.name, name, value) not in fixed:
                    yield Problem("not_asked", call.call_id, f"{name}={value!r} does not stand in the request")
    for named in _names(which, text):
        own = named.casefold()
        if own not in used and not any(own in value for value in used):
            yield Problem("not_served", "", f"the request names {named}, no call does")


@lru_cache(maxsize=1 << 12)
def fixed_values(which: Domain, task: str) -> frozenset[tuple[str, str, Any]]:
    """What the task itself fixes, as (tool, parameter, value): nothing in the request need name it."""
    steps = which.plans.get(task, ())
    return frozenset(
        (step.tool.name, name, value) for step in steps for name, value in step.arguments.items() if type(value) is str
    )


def _names(which: Domain, text: str) -> list[str]:
    """The ids of records and approvals, references and the addresses of people that a request names."""
    named: list[str] = []
    if "-" in text:
        forms = _id_forms(which)
        named = [own_id for own_id in _ID.findall(text) if _form(own_id) in forms]
    if "@" in text:
        named += _ADDRESS.findall(text)
    return named


@lru_cache(maxsize=256)
def _id_forms(which: Domain) -> frozenset[tuple[str, int]]:
    return frozenset(map(_form, ("APR-####", REFERENCE_ID, *(record.id for record in which.spec.records.values()))))


def _form(own_id: str) -> tuple[str, int]:
    """The letters of an id and the number of its digits."""
    letters, _, digits = own_id.partition("-")
    return letters, len(digits)


def _is_said(which: Domain, tool: Tool, call: ToolCall, parameter: Parameter, value: Any, said: _Words) -> bool:
    if parameter.type in ("enum", "field"):
        # A parameter that has one option only leaves nothing to ask for.
        return len(parameter.options) == 1 or said.holds(spoken_value(which, tool.record, parameter, value))
    if parameter.type in ("date", "future"):
        return _holds_day(value, said) or (
            parameter.name == "since" and _is_counted(value, call.arguments.get("until"), said)
        )
    return said.holds(value) or (
        parameter.type in ("text", "rows") and said.holds(spoken_value(which, tool.record, parameter, value))
    )


@lru_cache(maxsize=1 << 14)
def spoken_value(which: Domain, record: str, parameter: Parameter, value: str) -> str:
    """A word of a list or the name of a field as a request says it."""
    if parameter.type == "field":
        return which.spec.records[parameter.of or record].fields[value].says
    words = which.spec.lists.get(parameter.of)
    return words.get(value, value) if words else value


@lru_cache(maxsize=1 << 14)
def _day_forms(day: str) -> tuple[str, ...]:
    return tuple(form.casefold() for form in day_forms(date.fromisoformat(day)))


def _holds_day(day: str, said: _Words) -> bool:
    return any(form in said.lowered and said.holds(form) for form in _day_forms(day))


def _is_counted(since: str, until: Any, said: _Words) -> bool:
    """Whether the request counts the days: "in the 30 days up to and including 18 May 2026"."""
    first, last = iso_date(since), iso_date(until)
    if first is None or last is None:
        return False
    days = (last - first).days + 1
    ends = [f"days up to and including {day}" for day in _day_forms(until)]
    return any(
        said.holds(f"{number} {end}") for end in ends if end in said.lowered for number in (str(days), f"{days:,}")
    )
