"""How much a call asks for, by whole words of its argument names and by typed values ("500", ISO dates, page_size)."""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any

import msgspec

from gatling_beam.lexicon import DEFAULT_SENSITIVITY, argument_sensitivity, tool_meaning, word_set, words

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


_LIMIT_WORDS = word_set("limit count rows topk topn")
# a speed limit is no number of rows
_OTHER_LIMITS = word_set("speed credit time price rate age weight budget spending temperature")
_COUNTED = word_set(
    "results result items item records record rows entries hits posts messages emails files users pages"
)
_NUMBER_WORDS = word_set("max maximum num number n top total last first")
_DAY_FACTORS = {"day": 1, "days": 1, "week": 7, "weeks": 7, "month": 30, "months": 30, "year": 365, "years": 365}
_SPAN_WORDS = word_set("range last past since back window period time within ahead for num number of")
_DEPTH_WORDS = word_set("depth recursion hops")
_SIZE_PAIRS = {("page", "size"), ("per", "page"), ("batch", "size"), ("top", "k"), ("top", "n"), ("max", "size")}
_RECIPIENT_WORDS = word_set("to recipient recipients cc bcc attendees invitees emails participants")
_MEMBER_WORDS = word_set("ids files paths urls items records users symbols emails accounts orders")
_FROM_WORDS = word_set("start from begin since after checkin pickup departure")
_UNTIL_WORDS = word_set("end until till before checkout dropoff return")

_INTEGER = re.compile(r"[+]?[0-9]{1,18}(?:\.0+)?\Z")
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ][0-9:.,]*(?:Z|[+-][0-9:]+)?)?\Z")


@lru_cache(maxsize=1 << 16)
def quantity_of(key: str) -> str:
    """The quantity an argument of this name states: volume, days, weeks, months, years, depth, or "" for none."""
    name = words(key)
    known = set(name)
    if known & _DEPTH_WORDS or name == ("max", "level") or name == ("max", "levels"):
        return "depth"
    for word in name:
        if word in _DAY_FACTORS and ((len(name) == 1 and word.endswith("s")) or known & _SPAN_WORDS):
            return word.rstrip("s") + "s"
    if name == ("top",) or (known & _LIMIT_WORDS and not known & _OTHER_LIMITS):
        return "volume"
    if known & _NUMBER_WORDS and known & _COUNTED:
        return "volume"
    if _SIZE_PAIRS.intersection(pairwise(name)):
        return "volume"
    return ""


_PAYLOAD = word_set(
    "body text message content description comment note notes title subject summary code data html caption"
)
_FORMAT = word_set(
    "format language lang locale unit units currency style theme encoding output sort order ascending descending"
)
_AUTHORITY = word_set(
    "id ids to recipient recipients user account owner email phone address path file url host amount price role "
    "permission name username target destination to_account from_account attendees invitees cc bcc channel command"
)


@lru_cache(maxsize=1 << 16)
def argument_role(key: str) -> str:
    """What an argument is for: quantity, authority (who, where, which, how much money), payload, format or filter."""
    known = frozenset(words(key))
    if quantity_of(key):
        return "quantity"
    for role, vocabulary in (("format", _FORMAT), ("payload", _PAYLOAD), ("authority", _AUTHORITY)):
        if known & vocabulary:
            return role
    return "filter"


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
                    found["days"] = max(found["days"], number * _DAY_FACTORS[what])
            elif kind is str and value:
                if _list_role(key) == "recipients":
                    found["recipients"] += 1
                elif (day := iso_date(value)) is not None:
                    side = _date_end(key)
                    start, end = (day if side == "from" else start), (day if side == "until" else end)
    if start and end and end >= start:
        found["days"] = max(found["days"], (end - start).days + 1)
