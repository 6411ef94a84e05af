"""The one gate for argument values, and the canonical form in which two equal values have equal bytes."""

import math
from typing import Any
from unicodedata import is_normalized, normalize

import msgspec

from gatling_beam.errors import BadRow

MAX_DEPTH = 64
MAX_BYTES = 1_000_000
_MIN_INT, _MAX_INT = -(2**63), 2**64 - 1

_encoder = msgspec.json.Encoder(order="sorted")


def json_value(value: Any) -> Any:
    """`value` as a JSON value that every coder and file format of the project can carry, tuples as lists.

    Allowed: dict with str keys, list, tuple, str, bool, None, int in [-2**63, 2**64), finite float; strings are valid
    Unicode without NUL; depth <= 64; about 1 MB in all.

    Raises:
      BadRow: with reason int_out_of_range, non_finite, lone_surrogate, nul_character, non_string_key,
        not_a_json_value, too_deep or too_large.
    """
    tuples: list[Any] = []
    _measure(value, 0, 0, tuples)
    return _with_lists(value) if tuples else value


def _measure(value: Any, depth: int, size: int, tuples: list[Any]) -> int:
    """`size` plus that of `value` in bytes; raises BadRow where it cannot be stored, and notes tuples."""
    kind = type(value)
    if kind is str:
        size += _check_text(value)
    elif kind is bool or value is None:
        size += 4
    elif kind is int:
        if not _MIN_INT <= value <= _MAX_INT:
            raise BadRow("int_out_of_range", f"an integer of {value.bit_length()} bits")
        size += 8
    elif kind is float:
        if not math.isfinite(value):
            raise BadRow("non_finite", repr(value))
        size += 8
    elif kind is dict:
        if depth >= MAX_DEPTH:
            raise BadRow("too_deep", f"more than {MAX_DEPTH} levels")
        for key, member in value.items():
            if type(key) is not str:
                raise BadRow("non_string_key", f"a key of type {type(key).__name__}")
            size += _check_text(key)
            if type(member) is str:
                size += _check_text(member)
            else:
                size = _measure(member, depth + 1, size, tuples)
    elif kind is list or kind is tuple:
        if depth >= MAX_DEPTH:
            raise BadRow("too_deep", f"more than {MAX_DEPTH} levels")
        if kind is tuple:
            tuples.append(value)
        for item in value:
            size = _measure(item, depth + 1, size, tuples)
    else:
        raise BadRow("not_a_json_value", f"a value of type {kind.__name__}")
    if size > MAX_BYTES:
        raise BadRow("too_large", f"more than {MAX_BYTES:,} bytes")
    return size


def _with_lists(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {key: _with_lists(member) for key, member in value.items()}
    return [_with_lists(item) for item in value] if kind is list or kind is tuple else value


def _check_text(text: str) -> int:
    """The size of `text` in bytes; raises BadRow where it cannot be stored."""
    if "\x00" in text:
        raise BadRow("nul_character", f"at character {text.index(chr(0))}")
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError as e:
        raise BadRow("lone_surrogate", f"at character {e.start}") from None


def check_text(text: str, what: str, max_bytes: int = MAX_BYTES) -> str:
    """`text`, if it is valid Unicode without NUL and at most `max_bytes` long; else raises BadRow."""
    if type(text) is not str:
        raise BadRow("wrong_type", f"{what} is of type {type(text).__name__}, not a string")
    if _check_text(text) > max_bytes:
        raise BadRow("too_large", f"{what} has more than {max_bytes:,} bytes")
    return text


def canonical_value(value: Any) -> Any:
    """The representative of all JSON values that mean the same: integral floats are ints, -0.0 is 0, strings are NFC.

    A bool stays a bool: true is not 1.
    """
    kind = type(value)
    if kind is str:
        return value if value.isascii() or is_normalized("NFC", value) else normalize("NFC", value)
    if kind is float:
        return int(value) if value.is_integer() and _MIN_INT <= value <= _MAX_INT else value
    if kind is dict:
        members = {key if key.isascii() else canonical_value(key): canonical_value(v) for key, v in value.items()}
        if len(members) < len(value):  # two keys that differ in their form alone stay two
            return {key: canonical_value(member) for key, member in value.items()}
        return members
    if kind is list:
        return [canonical_value(item) for item in value]
    return value


def json_bytes(value: Any) -> bytes:
    """`value` as JSON with sorted keys and no blanks: equal JSON values give equal bytes."""
    return _encoder.encode(value)


def json_text(value: Any) -> str:
    """`json_bytes` as text."""
    return _encoder.encode(value).decode()
