"""Calls written as Python text, `f(a=1)` or `[Some API (v2)(x="y"), g()]`: scanned and parsed, never evaluated."""

import ast
import re
from collections.abc import Iterable
from typing import Any

from gatling_beam.errors import BadRow
from gatling_beam.sources.parsing import check_python_text

#: A text with more calls is not read to its end: no plan holds a tenth of them.
MAX_CALLS = 1_000
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_QUOTED = r""""[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'"""
# A lone quote is one that nothing closes.
_TOKEN = re.compile(rf"""{_QUOTED}|[()\[\]{{}},"']""", re.S)
_GAP = re.compile(r"[\s,;]*")
_OPENS = re.compile(r"\s*\(")
_SEPARATOR = re.compile(r"[^\S\n]*(?:[,;\]\n]|\Z)")
_KEYWORD = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)\s*")
_WORDS = {"true": True, "false": False, "null": None}


def closing(text: str, start: int) -> int:
    """The index after the bracket that closes the one at `start`, quotes respected; -1 if it is not closed."""
    expected: list[str] = []
    for match in _TOKEN.finditer(text, start):
        token = match.group()
        if token in _CLOSING:
            expected.append(_CLOSING[token])
        elif token in (")", "]", "}"):
            if expected.pop() != token:
                return -1
            if not expected:
                return match.end()
        elif token in ('"', "'"):
            return -1
    return -1


def split_arguments(text: str) -> list[str]:
    """`text` cut at its commas outside brackets and quotes; a part is stripped, an empty last part left out."""
    parts, depth, begin = [], 0, 0
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in _CLOSING:
            depth += 1
        elif token in (")", "]", "}"):
            depth -= 1
        elif token == "," and depth == 0:
            parts.append(text[begin : match.start()].strip())
            begin = match.end()
    last = text[begin:].strip()
    return [*parts, last] if last else parts


def python_calls(text: str, names: Iterable[str] = ()) -> list[tuple[str, dict[str, Any]]]:
    """The calls of `text` in order, as (name, arguments), separated by commas, semicolons or line ends.

    A name may hold blanks, dots, slashes and brackets: a bracketed group is the argument list only where a separator
    or the end follows it. A name of `names` (the declared tools) wins, the longest first. Positional arguments are
    called `_0`, `_1`, ...; a value without quotes is text.

    Raises:
      BadRow: "bad_call" where the text is not a list of calls, "bad_arguments" where an argument list is no Python.
    """
    text = text.strip()
    if text.startswith("[") and closing(text, 0) == len(text):
        text = text[1:-1]
    longest_first = sorted(names, key=len, reverse=True)
    calls: list[tuple[str, dict[str, Any]]] = []
    at = _end_of_gap(text, 0)
    while at < len(text):
        if len(calls) == MAX_CALLS:
            raise BadRow("too_many_nodes", f"more than {MAX_CALLS} calls in a message")
        name, opens, end = _next_call(text, at, longest_first)
        calls.append((name, python_arguments(text[opens + 1 : end - 1])))
        at = _end_of_gap(text, end)
    return calls


def _end_of_gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


def _next_call(text: str, at: int, names: list[str]) -> tuple[str, int, int]:
    """The name of the call at `at`, the index of its opening bracket and the index after the closing one."""
    for name in names:
        opening = _OPENS.match(text, at + len(name)) if name and text.startswith(name, at) else None
        if opening:
            end = closing(text, opening.end() - 1)
            if end >= 0 and _SEPARATOR.match(text, end):
                return name, opening.end() - 1, end
    opens = text.find("(", at)
    while opens > at:
        end = closing(text, opens)
        if end < 0:
            break
        if _SEPARATOR.match(text, end):
            return text[at:opens].strip(), opens, end
        opens = text.find("(", end)
    raise BadRow("bad_call", f"no call at: {text[at : at + 200]}")


def python_arguments(inner: str) -> dict[str, Any]:
    """The arguments of a Python argument list (the text between the brackets), `**{...}` expanded.

    Raises:
      BadRow: "bad_arguments" where it is not valid Python.
    """
    try:
        reader = _Reader(f"_({inner}\n)")
    except (ValueError, SyntaxError, MemoryError, RecursionError) as e:
        raise BadRow("bad_arguments", f"{type(e).__name__}: {inner[:200]}") from None
    call = reader.body
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise BadRow("bad_arguments", inner[:200])
    arguments = {f"_{k}": reader.value(a) for k, a in enumerate(call.args) if not isinstance(a, ast.Starred)}
    for keyword in call.keywords:
        if keyword.arg is not None:
            arguments[keyword.arg] = reader.value(keyword.value)
        elif isinstance(keyword.value, ast.Dict):  # any other `**name` is a placeholder without a value
            expanded = reader.value(keyword.value)
            if not isinstance(expanded, dict):
                raise BadRow("bad_arguments", inner[:200])
            arguments.update(expanded)
    return arguments


def loose_arguments(inner: str) -> dict[str, Any]:
    """Like `python_arguments` for text that is nearly Python: a positional argument may follow a keyword.

    A positional argument is called by its place among all arguments.
    """
    arguments: dict[str, Any] = {}
    for k, part in enumerate(split_arguments(inner)):
        keyword = _KEYWORD.match(part)
        if keyword:
            arguments[keyword.group(1)] = _loose_value(part[keyword.end() :])
        elif part.startswith("**"):
            expanded = _loose_value(part[2:])
            if isinstance(expanded, dict):
                arguments.update(expanded)
        elif not part.startswith("*"):
            arguments[f"_{k}"] = _loose_value(part)
    return arguments


def _loose_value(text: str) -> Any:
    try:
        reader = _Reader(text)
        return reader.value(reader.body)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


class _Reader:
    """Reads values from one Python expression; what is not a literal stays the source text as it was written."""

    def __init__(self, source: str) -> None:
        source = source.replace("\r\n", "\n").replace("\r", "\n")
        check_python_text(source)
        self.body = ast.parse(source, mode="eval").body
        self._lines = source.encode().split(b"\n")

    def value(self, node: ast.expr) -> Any:
        """The value of `node` as a JSON value; a bare word, an operation or a call is text."""
        match node:
            case ast.Constant(value=str() | int() | float() | None):
                return node.value
            case ast.Name(id="true" | "false" | "null"):
                return _WORDS[node.id]
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.List() | ast.Tuple() | ast.Set():
                return [self.value(item) for item in node.elts]
            case ast.Dict() if all(isinstance(key, ast.Constant | ast.Name) for key in node.keys):
                pairs = zip(node.keys, node.values, strict=True)
                return {self.value(key): self.value(member) for key, member in pairs if key is not None}
        return self._segment(node)

    def _segment(self, node: ast.expr) -> str:
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        lines = self._lines[first : last + 1]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"\n".join(lines).decode()
