"""Rows that are broken on purpose, as real files are: each from a good row, with the reason that it is refused for."""

import json
from collections.abc import Callable
from typing import Any

from mirror.rows import Row, text

Change = Callable[[Any], Any]


def in_calls(row: Row, column: str, change: Change, reason: str) -> Row:
    """`row` with `change` made to the calls that stand as JSON text in `column`."""
    return Row({**row.value, column: text(change(json.loads(row.value[column])))}, f"dead:{reason}")


def in_text(row: Row, old: str, new: str, reason: str) -> Row:
    """`row`, its JSON text with `old` replaced by `new` once; the text stands in the file as it is."""
    written = json.dumps(row.value, ensure_ascii=False)
    assert old in written, old
    return Row(written.replace(old, new, 1).encode(), f"dead:{reason}")


def in_column(row: Row, column: str, old: str, new: str, reason: str) -> Row:
    """`row` with `old` replaced by `new` once in a text column."""
    assert old in row.value[column], old
    return Row({**row.value, column: row.value[column].replace(old, new, 1)}, f"dead:{reason}")


def in_message(row: Row, column: str, member: str, old: str, new: str, reason: str) -> Row:
    """`row` with `old` replaced by `new` in the first message of the list `column` whose `member` holds it."""
    messages = [dict(message) for message in row.value[column]]
    message = next(message for message in messages[1:] if old in (message.get(member) or ""))
    message[member] = message[member].replace(old, new, 1)
    return Row({**row.value, column: messages}, f"dead:{reason}")


def cut(row: Row) -> Row:
    """`row`, the second half of its text lost."""
    written = json.dumps(row.value, ensure_ascii=False)
    return Row(written[: len(written) // 2].encode(), "dead:not_json")


def without(row: Row, column: str) -> Row:
    return Row({key: value for key, value in row.value.items() if key != column}, "dead:missing_column")


def renamed(name: str) -> Change:
    """A change that gives the first call another name."""
    return lambda calls: [{**calls[0], "name": name}, *calls[1:]]


def argument(value: Any) -> Change:
    """A change that gives the first argument of the first call another value."""

    def change(calls: Any) -> Any:
        name = next(iter(calls[0]["arguments"]))
        return [{**calls[0], "arguments": {**calls[0]["arguments"], name: value}}, *calls[1:]]

    return change


def nested(levels: int) -> Any:
    """A list in a list in a list ..., `levels` deep."""
    value: Any = "bottom"
    for _ in range(levels):
        value = [value]
    return value
