"""The cells of a run: what each trace asks for, in which register and form, drawn before any word is written.

Cells come from the template oracle, so that diversity is known and the warrant is there before the request. Trace i of
a run depends on (seed, i, attempt) and the list of domains alone.
"""

import re
from collections.abc import Sequence
from datetime import date
from hashlib import blake2b
from typing import Any

import msgspec

from gatling_beam.domains.dice import Dice
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.spec import REGISTERS
from gatling_beam.domains.speech import day_forms
from gatling_beam.grounding import REFERENCE, tool_by_id
from gatling_beam.oracle.template import draw_case
from gatling_beam.oracle.trace import GoldTrace, ToolCall
from gatling_beam.scope import iso_date
from gatling_beam.validate.said import fixed_values, spoken_value

#: Cases that stand in one call; as many traces in turn are of one domain.
PER_CALL = 10

CHANNELS = ("chat message", "e-mail without greeting line", "note dictated on the way", "ticket", "forwarded to-do")
DETAILS = ("nothing but the task", "one short reason", "a sentence of background before it", "a remark after it")
ORDERS = ("the aim first", "the object first", "the recipient or result first")

_NUMBER = re.compile(r"\d[\d,.]*\d|\d")


class Style(msgspec.Struct, frozen=True):
    """How a request is to be worded."""

    register: str
    channel: str
    detail: str
    order: str


class Cell(msgspec.Struct, frozen=True):
    """A trace to be made: the template's trace, whose text Claude does not see, and what that text means."""

    number: int
    attempt: int
    trace: GoldTrace
    meaning: str
    style: Style


def draw_cell(seed: int, domains: Sequence[str], number: int, attempt: int, author: str = "claude") -> Cell:
    """The cell of trace `number` (>= 0); another `attempt` has other values for the same task, policy and style.

    `author` goes to the trace's metadata as its `oracle`.
    """
    which = domain(domains[number // PER_CALL % len(domains)])
    fixed = _dice(seed, number, "cell")
    task = fixed.pick(tuple(which.plans))
    policy = fixed.pick(which.feasible[task])
    style = Style(fixed.pick(REGISTERS), fixed.pick(CHANNELS), fixed.pick(DETAILS), fixed.pick(ORDERS))
    trace_id = f"{which.name}_{number:08d}"
    trace, meaning = draw_case(which, task, policy, _dice(seed, number, f"values/{attempt}"), trace_id)
    metadata = {**trace.metadata, "register": style.register, "oracle": author}
    return Cell(number, attempt, msgspec.structs.replace(trace, metadata=metadata), meaning, style)


def cell_of(trace: GoldTrace, number: int) -> Cell:
    """The cell of a trace whose request is to be said in other words, in its own register."""
    metadata = {**trace.metadata, "oracle": "reword"}
    dice = Dice(int.from_bytes(blake2b(f"{trace.trace_id}/style".encode(), digest_size=8).digest(), "big"))
    style = Style(str(metadata["register"]), dice.pick(CHANNELS), dice.pick(DETAILS), dice.pick(ORDERS))
    return Cell(number, 0, msgspec.structs.replace(trace, metadata=metadata), trace.request.text, style)


def said_forms(which: Domain, call: ToolCall, task: str = "") -> dict[str, list[str]]:
    """How a request may say each value that a call takes from it, by parameter; several values are numbered.

    References are not said, nor what the task itself fixes.
    """
    tool = tool_by_id(which.name, call.tool_id)
    if tool is None:
        return {}
    fixed = fixed_values(which, task)
    forms: dict[str, list[str]] = {}
    for name, argument in call.arguments.items():
        several = isinstance(argument, list) and len(argument) > 1
        for k, value in enumerate(argument if isinstance(argument, list) else [argument], 1):
            if isinstance(value, str) and (REFERENCE.fullmatch(value) or (tool.name, name, value) in fixed):
                continue
            forms[f"{name} {k}" if several else name] = _forms(which, tool.record, tool.parameters[name], value)
    since, until = iso_date(call.arguments.get("since")), iso_date(call.arguments.get("until"))
    if since and until and "since" in forms:
        forms["since"] += _counted(since, until)
    return forms


def numbers_said(cell: Cell) -> frozenset[str]:
    """The numbers that a request of the cell may hold, without commas."""
    which = domain(cell.trace.request.domain)
    said = [
        form
        for call in cell.trace.graph.calls
        for forms in said_forms(which, call, cell.trace.metadata["task"]).values()
        for form in forms
    ]
    return frozenset(numbers_of(" ".join([*said, cell.meaning])))


def numbers_of(text: str) -> list[str]:
    """The numbers of a text, without commas."""
    return [number.replace(",", "") for number in _NUMBER.findall(text)]


def _forms(which: Domain, record: str, parameter: Any, value: Any) -> list[str]:
    if isinstance(value, int):
        return list(dict.fromkeys((str(value), f"{value:,}")))
    if parameter.type in ("date", "future"):
        return list(day_forms(date.fromisoformat(value)))
    return [spoken_value(which, record, parameter, value)]


def _counted(since: date, until: date) -> list[str]:
    days = (until - since).days + 1
    return [f"{number} days up to and including [until]" for number in dict.fromkeys((str(days), f"{days:,}"))]


def _dice(seed: int, number: int, purpose: str) -> Dice:
    return Dice(int.from_bytes(blake2b(f"{seed}/{number}/{purpose}".encode(), digest_size=8).digest(), "big"))
