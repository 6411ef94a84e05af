"""YAML of domain files: plain values with the line of each of them, and nothing that YAML would change silently.

Aliases, tags, repeated keys and the words that YAML takes for booleans are refused. Dates and fractions stay text.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_BOOLEAN = re.compile(r"(?:yes|no|on|off|true|false)\Z", re.IGNORECASE)


class Problem(NamedTuple):
    """What is wrong, and the path of keys and positions at which; () is the file as a whole."""

    path: Path
    says: str

    def __str__(self) -> str:
        steps = (step if str(step).isprintable() else repr(step) for step in self.path)
        return f"{'.'.join(map(str, steps)) or 'the file'}: {self.says}"


class TreeError(ValueError):
    """The text is no tree of plain values; `line` counts from 1."""

    def __init__(self, line: int, problem: Problem) -> None:
        super().__init__(str(problem))
        self.line, self.problem = line, problem


class Tree(NamedTuple):
    """The values of a file, and the line of each path; that of a mapping's value is the line of its key."""

    values: Any
    lines: dict[tuple[str, ...], int]

    def line_of(self, path: Path) -> int:
        """The line of the innermost part of `path` that the file has; 1 if it has none."""
        steps = tuple(map(str, path))
        return next((self.lines[steps[:n]] for n in range(len(steps), -1, -1) if steps[:n] in self.lines), 1)


def read_tree(text: str) -> Tree:
    """The tree of a YAML text, which must be one mapping.

    Raises:
      TreeError: for what is no YAML or no mapping, an alias, a tag, a boolean, a key that is no word or stands twice.
    """
    reader = _Reader(text)
    try:
        values = reader.document()
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        raise TreeError(mark.line + 1 if mark else 1, Problem((), e.problem or "no YAML")) from None
    except yaml.reader.ReaderError as e:
        line = text.encode()[: e.position].count(b"\n") + 1
        raise TreeError(line, Problem((), f"character {e.character:#04x}: {e.reason}")) from None
    return Tree(values, reader.lines)


class _Reader:
    """Builds values from the events of the parser and keeps the lines."""

    def __init__(self, text: str) -> None:
        self.lines: dict[tuple[str, ...], int] = {}
        self._events: Iterator[Any] = yaml.parse(text, yaml.CSafeLoader)

    def document(self) -> Any:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise TreeError(1, Problem((), "it is empty"))
        root = next(self._events)
        if not isinstance(root, yaml.MappingStartEvent):
            raise TreeError(_line(root), Problem((), "it is no mapping; begin with `domain: <name>`"))
        values = self._value(root, ())
        next(self._events)
        if not isinstance(end := next(self._events), yaml.StreamEndEvent):
            raise TreeError(_line(end), Problem((), "a second document begins; a file holds one domain"))
        return values

    def _value(self, event: Any, path: Path) -> Any:
        self.lines.setdefault(tuple(map(str, path)), _line(event))
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise TreeError(_line(event), Problem(path, f"no aliases: write out what {event.anchor!r} stands for"))
        if event.tag:
            raise TreeError(_line(event), Problem(path, f"no tags: take away {event.tag!r}"))
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(item, (*path, k)) for k, item in enumerate(self._until(yaml.SequenceEndEvent))]
        return self._mapping(path)

    def _mapping(self, path: Path) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise TreeError(_line(event), Problem(path, "a key must be a word, not a list, a mapping or an alias"))
            inner = (*path, event.value)
            steps = tuple(map(str, inner))
            if steps in self.lines:
                first = self.lines[steps]
                raise TreeError(_line(event), Problem(path, f"key {event.value!r} stands twice, first in line {first}"))
            key = self._value(event, inner)
            mapping[key] = self._value(next(self._events), inner)
        return mapping

    def _until(self, end: type[Any]) -> Iterator[Any]:
        while not isinstance(event := next(self._events), end):
            yield event


def _scalar(event: Any, path: Path) -> Any:
    """Text, an integer or None; only what stands without quotes is not text."""
    word = event.value
    if event.style:
        return word
    if _BOOLEAN.match(word):
        raise TreeError(_line(event), Problem(path, f"YAML takes {word!r} for true or false; quote it: '{word}'"))
    if _INTEGER.match(word):
        return int(word)
    return None if word in ("", "~", "null", "Null", "NULL") else word


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
