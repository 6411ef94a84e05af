"""Rows of one JSON array, window by window, so that memory does not grow with the file."""

import json
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from gatling_beam.hub.errors import MalformedSource

#: How much is read at once, and how long one row may be.
WINDOW_BYTES = 8 << 20
MAX_ROW_BYTES = 256 << 20

_TRIES = 32
_BLANK = b" \t\r\n"
_lenient = json.JSONDecoder(strict=False)


def array_rows(stream: BinaryIO, path: str) -> Iterator[bytes]:
    """The rows of the JSON array in `stream`, in order, as JSON.

    A row is the text that stands in the file, where that is strict JSON; else (NaN, control characters, lone
    surrogates, integers of more than 64 bits) what Python's lenient reader makes of it.

    Raises:
      MalformedSource: if it is no JSON array, or a row has more than `MAX_ROW_BYTES`.
    """
    window = stream.read(WINDOW_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip(_BLANK)
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
            if rest.strip(_BLANK) or stream.read(1).strip(_BLANK):
                raise MalformedSource(f"{path}: there is more after the end of the array")
            return
        if not more or len(rest) > MAX_ROW_BYTES:
            raise MalformedSource(f"{path}: the array breaks off or is no JSON near {rest[:60]!r}")
        window = rest


def _take(window: bytes, first: bool, last: bool) -> tuple[list[bytes], bytes, bool]:
    """The whole rows at the start of `window`, what is left of it, and whether the array has ended.

    `window` starts before a row, or before the comma in front of it unless it is the `first`.
    """
    end = len(window)
    start = window.lstrip(_BLANK)
    text = b"[" + (start[1:] if not first and start.startswith(b",") else start)
    for _ in range(_TRIES):
        # What parses as an array when it is cut here is cut between two rows: JSON has no other such place.
        try:
            rows = msgspec.json.decode(text if last else text[:end] + b"]", type=list[msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        else:
            if last and (first or rows or not start.startswith(b",")):
                return [bytes(row) for row in rows], b"", True
            if rows and not last:
                return [bytes(row) for row in rows], text[end:], False
        if last:
            break
        end = text.rfind(b",", 1, end)
        end = text.rfind(b"}", 1, end) + 1 if end > 0 else 0
        if end <= 0:
            break
    return _take_leniently(window, first)


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
        except (ValueError, RecursionError):
            break
        if _skip(text, stop) >= len(text):
            break  # a number may go on in the next window
        rows.append(_row(text[at:stop], value))
        done = stop
    return rows, text[done:].encode("utf-8", "surrogateescape"), False


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\r", "\n"):
        at += 1
    return at


def _row(text: str, value: object) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    try:
        msgspec.json.decode(data)
        return data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return json.dumps(value).encode()
