"""Rows of one JSON array, window by window, so that memory does not grow with the file."""

import json
import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from gatling_beam.hub.errors import MalformedSource

#: How much is read at once, and how long one row may be.
WINDOW_BYTES = 8 << 20
MAX_ROW_BYTES = 256 << 20

_TRIES = 16
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
#: Strings as wholes, and the signs outside of them that tell where a row ends.
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},"]', re.DOTALL)
_lenient = json.JSONDecoder(strict=False)


def array_rows(stream: BinaryIO, path: str) -> Iterator[bytes]:
    """The rows of the JSON array in `stream`, in order, as JSON.

    A row is the text that stands in the file, where that is strict JSON; else (NaN, control characters, lone
    surrogates) what Python's lenient reader makes of it; else (no JSON, or nested too deep for any reader) again the
    text, up to the comma after it, so that it is counted as a bad row where rows are understood.

    Raises:
      MalformedSource: if it is no JSON array, or a row is empty, has brackets or quotes that do not match, or has more
        than `MAX_ROW_BYTES`.
    """
    window = stream.read(len(_BOM)).removeprefix(_BOM).lstrip(_BLANK)
    while not window and (more := stream.read(WINDOW_BYTES)):
        window = more.lstrip(_BLANK)
    if not window.startswith(b"["):
        raise MalformedSource(f"{path} is not a JSON array, as its catalogue entry says")
    window = window[1:]
    first = True
    while True:
        more = stream.read(max(WINDOW_BYTES, len(window)))
        window += more
        rows, rest, closed = _take(window, first, last=not more)
        yield from rows
        first = first and not rows
        if closed:
            if (rest + stream.read(WINDOW_BYTES)).strip(_BLANK):
                raise MalformedSource(f"{path}: there is more after the end of the array")
            return
        if not more or len(rest) > MAX_ROW_BYTES:
            raise MalformedSource(f"{path}: the array breaks off or is no JSON near {rest[:60]!r}")
        window = rest


def _take(window: bytes, first: bool, last: bool) -> tuple[list[bytes], bytes, bool]:
    """The whole rows at the start of `window`, what is left of it, and whether the array has ended.

    `window` starts before a row, or before the comma in front of it unless it is the `first`.
    """
    start = window.lstrip(_BLANK)
    if first or start.startswith((b",", b"]")):
        rows, rest = _take_strictly(b"[" + (start if first else start.removeprefix(b",")), last)
        if rows or (last and rest is not None and not start.startswith(b",")):
            return rows, rest or b"", last
    return _take_leniently(window, first)


def _take_strictly(text: bytes, last: bool) -> tuple[list[bytes], bytes | None]:
    """As many rows of the array that starts `text` as one call of the strict reader gives, and the text after them.

    No rows and None where it gives none.
    """
    end = len(text)
    for _ in range(_TRIES):
        if not last:
            end = text.rfind(b"}", 0, max(text.rfind(b",", 0, end), 0)) + 1
        if end <= 0:
            break
        try:
            rows = msgspec.json.decode(text if last else text[:end] + b"]", type=list[msgspec.Raw])
            # What is an array when it is cut here is cut between two rows: JSON has no other such place.
            return [bytes(row) for row in rows], text[end:]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if last:
                break
    return [], None


def _take_leniently(window: bytes, first: bool) -> tuple[list[bytes], bytes, bool]:
    text = window.decode("utf-8", "surrogateescape")
    rows: list[bytes] = []
    done = 0  # up to here `text` is used
    while True:
        at = _skip(text, done)
        if text[at : at + 1] == "]":
            return rows, text[at + 1 :].encode("utf-8", "surrogateescape"), True
        if rows or not first:
            if text[at : at + 1] != ",":
                break
            at = _skip(text, at + 1)
        try:
            value, stop = _lenient.raw_decode(text, at)
            after = _skip(text, stop)
            row = _row(text[at:stop], value) if text[after : after + 1] in (",", "]") else None
        except (ValueError, RecursionError):
            row = None
        if row is None:
            # Bad, or not whole: a number may go on in the next window.
            stop = _end_of_bad_row(text, at)
            row = text[at:stop].rstrip().encode("utf-8", "surrogateescape")
            if not row:
                break
        rows.append(row)
        done = stop
    return rows, text[done:].encode("utf-8", "surrogateescape"), False


def _end_of_bad_row(text: str, at: int) -> int:
    """The place of the comma or bracket that ends the row at `at`; `at` where brackets or quotes do not match."""
    open_: list[str] = []
    for token in _TOKENS.finditer(text, at):
        sign = token[0]
        if sign in ("[", "{"):
            open_.append("]" if sign == "[" else "}")
        elif sign in ("]", "}") and open_:
            if open_.pop() != sign:
                return at
        elif not open_ and sign in (",", "]"):
            return token.start()
        elif sign in ("}", '"'):
            return at  # a quote without its end, or a bracket without its start
    return at


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\r", "\n"):
        at += 1
    return at


def _row(text: str, value: object) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    try:
        msgspec.json.decode(data)
        return data
    except (msgspec.DecodeError, UnicodeDecodeError):
        return json.dumps(value).encode()
