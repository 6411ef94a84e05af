"""Data sets whose rows are ever longer prefixes of one conversation."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec


def continues(row: dict[str, Any], next_row: dict[str, Any]) -> bool:
    """Whether `next_row` repeats `row` and goes on: the same tools, and a longer list of `conversations` that starts
    with the messages of `row`.

    Of the last message of `row` only the tool calls must be the same: it alone carries the reasoning text.
    """
    messages, longer = row.get("conversations"), next_row.get("conversations")
    if not isinstance(messages, list) or not isinstance(longer, list) or not 0 < len(messages) < len(longer):
        return False
    last = len(messages) - 1
    return (
        messages[:last] == longer[:last]
        and _calls(messages[last]) == _calls(longer[last])
        and row.get("tools") == next_row.get("tools")
    )


def _calls(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    return message.get("role"), message.get("tool_calls") or []


def mark_superseded(rows: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes, bool]]:
    """`rows` of one file, in order, each with whether the next one continues it."""
    held: tuple[int, bytes, Any] | None = None
    for place, data in rows:
        value = _decoded(data)
        if held is not None:
            yield held[0], held[1], _is_object(held[2]) and _is_object(value) and continues(held[2], value)
        held = (place, data, value)
    if held is not None:
        yield held[0], held[1], False


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _decoded(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # a bad row continues nothing; it is refused where it is understood
