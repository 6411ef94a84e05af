"""Reading what a row holds: exact, without guesses. What cannot be read is a `BadRow`, never an empty value."""

import ast
import json
import re
from typing import Any

import msgspec

from gatling_beam.errors import BadRow
from gatling_beam.json_value import MAX_BYTES, MAX_DEPTH
from gatling_beam.sources.base import Call

#: A JSON text inside a JSON text inside a JSON text is the most that data sets hold.
_MAX_DECODES = 3
_MAX_IDENTIFIER = 2**64
_FENCE = re.compile(r"\A```\w*\n|\n?```\Z")
# Chains of operators nest in Python's grammar without brackets; no literal needs a long one.
_OPERATOR_CHAIN = re.compile(r"(?:[-+~][ \t]*){40}")
_json = json.JSONDecoder(strict=False)


def parse_row(data: bytes) -> dict[str, Any]:
    """A row as its file holds it: one JSON object.

    Raises:
      BadRow: "not_json", "wrong_type" where it is no object, "too_deep".
    """
    try:
        row = msgspec.json.decode(data)
        if data.count(b'":') - data.count(b'\\":') != count_keys(row):
            json.loads(data, object_pairs_hook=_unique)
    except (msgspec.DecodeError, UnicodeDecodeError):
        try:
            # raw line ends in strings, NaN and lone surrogates come here
            row = json.loads(data, strict=False, object_pairs_hook=_unique)
        except ValueError:
            raise BadRow("not_json", "the row") from None
        except RecursionError:
            raise BadRow("too_deep", "the row") from None
    except RecursionError:
        raise BadRow("too_deep", "the row") from None
    return as_object(row, "the row")


def column(row: dict[str, Any], name: str) -> Any:
    """The column `name` of `row`; BadRow("missing_column") where there is none."""
    try:
        return row[name]
    except KeyError:
        raise BadRow("missing_column", name) from None


def at_path(row: dict[str, Any], path: str) -> Any:
    """The member of `row` at a dotted path; JSON text on the way is decoded. BadRow where the path ends early."""
    value: Any = row
    for step in path.split("."):
        value = column(as_object(decoded(value, path) if isinstance(value, str) else value, path), step)
    return value


def as_text(value: Any, what: str) -> str:
    """`value`, if it is a string; else BadRow("wrong_type")."""
    if not isinstance(value, str):
        raise BadRow("wrong_type", f"{what} is of type {type(value).__name__}, not a string")
    return value


def as_list(value: Any, what: str) -> list[Any]:
    """`value`, if it is a list; else BadRow("wrong_type")."""
    if not isinstance(value, list):
        raise BadRow("wrong_type", f"{what} is of type {type(value).__name__}, not a list")
    return value


def as_object(value: Any, what: str) -> dict[str, Any]:
    """`value`, if it is an object; else BadRow("wrong_type")."""
    if not isinstance(value, dict):
        raise BadRow("wrong_type", f"{what} is of type {type(value).__name__}, not an object")
    return value


def row_id(row: dict[str, Any], name: str = "id") -> str | None:
    """The row's own id as text, or None where it has none that can stand as an id."""
    value = row.get(name)
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MAX_IDENTIFIER:
        return str(value)
    return None


def decoded(value: Any, what: str) -> Any:
    """`value`, decoded for as long as it is a string (at most three times): JSON first, then a Python literal.

    Raises:
      BadRow: "not_json" where it is neither or still a string, "too_deep" where it is nested beyond reading.
    """
    for _ in range(_MAX_DECODES):
        if not isinstance(value, str):
            return value
        value = _decoded_once(value, what)
    if isinstance(value, str):
        raise BadRow("not_json", f"{what}: still a string after {_MAX_DECODES} decodings")
    return value


def _decoded_once(text: str, what: str) -> Any:
    text = text.strip()
    if text.startswith("```"):
        text = _FENCE.sub("", text).strip()
    try:
        value = msgspec.json.decode(text)
        # Keys of the text against keys of the value; where they differ for another reason, it is only read again.
        if text.count('":') - text.count('\\":') != count_keys(value):
            json.loads(text, object_pairs_hook=_unique)
        return value
    except (msgspec.DecodeError, UnicodeEncodeError):
        pass  # msgspec is strict: raw line ends inside strings, NaN and lone surrogates come here
    except RecursionError:
        raise BadRow("too_deep", what) from None
    try:
        return json.loads(text, strict=False, object_pairs_hook=_unique)
    except ValueError:
        pass
    except RecursionError:
        raise BadRow("too_deep", what) from None
    try:
        check_python_text(text)
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise BadRow("not_json", f"{what}: {text[:200]}") from None


def count_keys(value: Any) -> int:
    """The number of keys in all objects of a decoded JSON value."""
    n = 0
    if type(value) is dict:
        n = len(value)
        value = value.values()
    elif type(value) is not list:
        return 0
    for member in value:
        if type(member) is dict or type(member) is list:
            n += count_keys(member)
    return n


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of `pairs`; BadRow("duplicate_key") where a key comes twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        raise BadRow("duplicate_key", repr(next(key for key in keys if keys.count(key) > 1)[:100]))
    return members


def check_python_text(text: str) -> None:
    """Refuses text that Python's parser should not see: over 1 MB, or nested so deep that its stack is at risk.

    Raises:
      ValueError: if `text` is refused.
    """
    if len(text) > MAX_BYTES:
        raise ValueError(f"{len(text):,} characters")
    if _OPERATOR_CHAIN.search(text):
        raise ValueError("a chain of operators")
    depth = 0
    for bracket in re.findall(r"[(\[{}\])]", text):
        depth += 1 if bracket in "([{" else -1
        if depth > MAX_DEPTH:
            raise ValueError(f"more than {MAX_DEPTH} levels")


def decoded_list(value: Any, what: str) -> list[Any]:
    """`value` decoded to a list: null and "" are the empty list, a single object is a list of one."""
    if value is None or value == "":
        return []
    value = decoded(value, what)
    if value is None:
        return []
    return [value] if isinstance(value, dict) else as_list(value, what)


def first_json(text: str, start: int, what: str) -> tuple[Any, int]:
    """The JSON value that begins at `start`, and the index after it; BadRow("not_json") where none does."""
    try:
        value, end = _json.raw_decode(text, start)
    except ValueError:
        raise BadRow("not_json", f"{what}: {text[start : start + 200]}") from None
    except RecursionError:
        raise BadRow("too_deep", what) from None
    return value, end


def arguments_of(value: Any) -> dict[str, Any]:
    """The arguments of a call as an object; null and empty text mean none.

    Raises:
      BadRow: "bad_arguments" where they cannot be decoded or are not an object, "too_deep".
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    try:
        value = decoded(value, "arguments")
    except BadRow as e:
        raise BadRow("bad_arguments" if e.reason == "not_json" else e.reason, e.detail) from None
    if not isinstance(value, dict):
        raise BadRow("bad_arguments", f"arguments of type {type(value).__name__}")
    return value


def call_of(value: Any, turn: int = 0) -> Call:
    """A call from any of the shapes `{name, arguments}`, `{id, type, function: {...}}` and `{function_call: {...}}`.

    Raises:
      BadRow: "bad_call" where it is no object or has no name, "bad_arguments".
    """
    if not isinstance(value, dict):
        raise BadRow("bad_call", f"a call of type {type(value).__name__}")
    inner = value
    for wrapper in ("function", "function_call"):
        if isinstance(value.get(wrapper), dict):
            inner = value[wrapper]
    name = inner.get("name")
    if not isinstance(name, str) or not name.strip():
        raise BadRow("bad_call", f"a call without a name; its keys are {sorted(map(str, inner))[:8]}")
    call_id = value.get("id")
    return Call(
        name=name,
        arguments=arguments_of(inner["arguments"] if "arguments" in inner else inner.get("parameters")),
        turn=turn,
        call_id=call_id if isinstance(call_id, str) else "",
    )


def with_usual_keys(call: Any, options: dict[str, Any]) -> Any:
    """`call` with its name and arguments under the keys that `call_of` reads; the options `name` and `arguments` say
    under which they stand.
    """
    usual = {options[key]: key for key in ("name", "arguments") if key in options}
    return {usual.get(key, key): member for key, member in call.items()} if isinstance(call, dict) else call


def without_thoughts(text: str) -> str:
    """`text` without its `<think>...</think>` parts; one that is not closed reaches to the end."""
    if "<think>" not in text:
        return text
    before, *rest = text.split("<think>")
    return before + "".join(part.partition("</think>")[2] for part in rest)


def without_nulls(value: Any, depth: int = 0) -> Any:
    """`value` without the members and items that are null, at any depth; False, 0 and "" stay."""
    if depth > MAX_DEPTH:
        raise BadRow("too_deep", f"more than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {key: without_nulls(member, depth + 1) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(item, depth + 1) for item in value if item is not None]
    return value
