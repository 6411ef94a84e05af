"""How much a call asks for, by whole words of its argument names and by typed values ("500", ISO dates, page_size)."""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec

from gatling_beam.lexicon import (
    DAY_FACTORS,
    DEFAULT_SENSITIVITY,
    argument_sensitivity,
    quantity_of,
    tool_meaning,
    word_set,
    words,
)

#: Quantities above this are cut: no world holds more records.
MAX_QUANTITY = 10**12


class Scope(msgspec.Struct, frozen=True, gc=False):
    """What one call asks for.

    `volume` is a number of rows, records or files (>= 1), `days` the length of the time range and `depth` the number of
    levels (0: not asked for), `recipients` the number of receivers, `sensitivity` 1..5.
    """

    volume: int
    days: int
    depth: int
    recipients: int
    sensitivity: int


_RECIPIENT_WORDS = word_set("to recipient recipients cc bcc attendees invitees emails participants")
_MEMBER_WORDS = word_set("ids files paths urls items records users symbols emails accounts orders")
_FROM_WORDS = word_set("start from begin since after checkin pickup departure")
_UNTIL_WORDS = word_set("end until till before checkout dropoff return")

_INTEGER = re.compile(r"[+]?[0-9]{1,18}(?:\.0+)?\Z")
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ][0-9:.,]*(?:Z|[+-][0-9:]+)?)?\Z")


@lru_cache(maxsize=1 << 16)
def _list_role(key: str) -> str:
    known = set(words(key))
    if known & _RECIPIENT_WORDS:
        return "recipients"
    return "members" if known & _MEMBER_WORDS else ""


@lru_cache(maxsize=1 << 16)
def _date_end(key: str) -> str:
    known = set(words(key))
    if known & _FROM_WORDS:
        return "from"
    return "until" if known & _UNTIL_WORDS else ""


def quantity(value: Any) -> int | None:
    """`value` as a whole number >= 0: an int, an integral float or a string of digits; a bool is no number."""
    kind = type(value)
    if kind is int:
        number = value
    elif kind is float and value.is_integer():
        number = int(value)
    elif kind is str and _INTEGER.match(value.strip()):
        number = int(float(value))
    else:
        return None
    return min(number, MAX_QUANTITY) if number >= 0 else None


def iso_date(value: Any) -> date | None:
    """The date of an ISO 8601 date or date-time in a string; None for anything else."""
    return _read_date(value) if type(value) is str and 10 <= len(value) <= 40 else None


@lru_cache(maxsize=1 << 14)
def _read_date(text: str) -> date | None:
    if not (match := _ISO_DATE.match(text.strip())):
        return None
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        return None


def scope_of(tool_name: str, arguments: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> Scope:
    """The scope of one call.

    Args:
      tool_name: gives the sensitivity together with the argument names.
      arguments: the call's own; what is nested in objects counts too.
      defaults: the schema's default of each parameter; used where the call leaves the parameter out.
    """
    sensitivity, states_scope = _meaning_of(tool_name, tuple(arguments))
    if not (states_scope or defaults or dict in map(type, arguments.values())):
        return Scope(1, 0, 0, 0, sensitivity)
    found = {"volume": 1, "days": 0, "depth": 0, "recipients": 0}
    _collect(arguments, found)
    if defaults:
        _collect({key: value for key, value in defaults.items() if key not in arguments}, found)
    return Scope(max(1, found["volume"]), found["days"], found["depth"], found["recipients"], sensitivity)


@lru_cache(maxsize=1 << 16)
def _meaning_of(tool_name: str, keys: tuple[str, ...]) -> tuple[int, bool]:
    """The sensitivity of a call by its names, and whether any of them can state how much it asks for."""
    levels = [tool_meaning(tool_name).sensitivity, *map(argument_sensitivity, keys)]
    said = [level for level in levels if level != DEFAULT_SENSITIVITY]
    states_scope = any(quantity_of(key) or _list_role(key) or _date_end(key) for key in keys)
    return max(said, default=DEFAULT_SENSITIVITY), states_scope


def _collect(arguments: Mapping[str, Any], found: dict[str, int]) -> None:
    start = end = None
    for key, value in arguments.items():
        kind = type(value)
        if kind is dict:
            _collect(value, found)
        elif kind is list:
            role = _list_role(key)
            if role:
                found["volume"] = max(found["volume"], len(value))
            if role == "recipients":
                found["recipients"] += len(value)
        else:
            what = quantity_of(key)
            if what and (number := quantity(value)) is not None:
                if what in ("volume", "depth"):
                    found[what] = max(found[what], number)
                else:
                    found["days"] = max(found["days"], number * DAY_FACTORS[what])
            elif kind is str and value:
                if _list_role(key) == "recipients":
                    found["recipients"] += 1
                elif (day := iso_date(value)) is not None:
                    side = _date_end(key)
                    start, end = (day if side == "from" else start), (day if side == "until" else end)
    if start and end and end >= start:
        found["days"] = max(found["days"], (end - start).days + 1)
