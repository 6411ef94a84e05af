"""The tools a row offers: unwrapped, and their parameters in one form whatever dialect describes them."""

import re
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from gatling_beam.errors import BadRow
from gatling_beam.sources.parsing import as_list, decoded

#: What the type words of all dialects mean, as JSON Schema types; keys are lower case.
KNOWN_TYPE_WORDS = {
    **dict.fromkeys(("string", "str", "text", "char", "character", "enum", "uuid", "email", "url", "uri"), "string"),
    **dict.fromkeys(("date", "time", "datetime", "date-time", "date (yyyy-mm-dd string)", "bytes", "file"), "string"),
    **dict.fromkeys(("integer", "int", "long", "short", "byte", "int32", "int64", "bigint"), "integer"),
    **dict.fromkeys(("number", "float", "double", "decimal", "numeric", "complex"), "number"),
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("array", "list", "tuple", "set", "sequence", "iterable", "arraylist", "vector"), "array"),
    **dict.fromkeys(("object", "dict", "dictionary", "map", "mapping", "hashmap", "json", "struct"), "object"),
    **dict.fromkeys(("null", "none", "nonetype"), "null"),
    **dict.fromkeys(("any", "union", "literal", "callable", ""), "any"),
}


_OPTIONAL = re.compile(r"\A(?:\s*optional\[)+", re.I)


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of a tool.

    `type` is a JSON Schema type (string, integer, number, boolean, array, object, null, any) or, where nobody knows
    the word, the word as written. `default` is UNSET where there is none.
    """

    type: str
    required: bool
    default: Any | UnsetType = UNSET
    enum: tuple[Any, ...] = ()


def unwrap_tools(value: Any) -> list[dict[str, Any]]:
    """The tools of a decoded list, without the `{"type": "function", "function": ...}` wrapper; null is no tools.

    A tool that is given by its name alone becomes `{"name": ...}`. BadRow("wrong_type") for other items.
    """
    if value is None:
        return []
    tools = []
    for item in [value] if isinstance(value, dict) else as_list(value, "tools"):
        if isinstance(item, str):
            item = {"name": item}
        if not isinstance(item, dict):
            raise BadRow("wrong_type", f"a tool of type {type(item).__name__}")
        inner = item.get("function")
        tools.append(inner if isinstance(inner, dict) else item)
    return tools


def tools_of(value: Any) -> list[dict[str, Any]] | None:
    """The tools of a column that holds a list or its JSON text; None where the row declares none."""
    if value is None or value == "":
        return None
    return unwrap_tools(decoded(value, "tools"))


def parameters(tool: dict[str, Any]) -> dict[str, Parameter]:
    """The parameters of `tool` by name, from every dialect of the catalogue; what is malformed is left out.

    JSON Schema objects; flat maps of name to description (a type ending in `, optional` is not required, any other is
    unless the description says `required: false`); lists of `{name, type}`; `required_parameters` beside
    `optional_parameters`; input types alone (positional `_0`, `_1`, ...).
    """
    if "required_parameters" in tool or "optional_parameters" in tool:
        return {
            **_from_list(tool.get("required_parameters"), required=True),
            **_from_list(tool.get("optional_parameters"), required=False),
        }
    for member in ("parameters", "query_parameters", "arguments"):
        described = tool.get(member)
        if isinstance(described, list):
            return _from_list(described, required=True)
        if isinstance(described, dict):
            return _from_schema(described) if _is_schema(described) else _from_map(described)
    inputs = tool.get("input-type")
    if isinstance(inputs, list):
        return {f"_{k}": Parameter("string", required=True) for k in range(len(inputs))}
    return {}


def _is_schema(described: dict[str, Any]) -> bool:
    properties = described.get("properties")
    if isinstance(described.get("type"), str):
        return True
    # A flat map may have a parameter that is called "properties".
    return isinstance(properties, dict) and all(isinstance(member, dict) for member in properties.values())


def _from_schema(schema: dict[str, Any]) -> dict[str, Parameter]:
    properties, required = schema.get("properties"), schema.get("required")
    names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    if not isinstance(properties, dict):
        return {}
    return {
        name: _parameter(described, required=name in names or described.get("required") is True)
        for name, described in properties.items()
        if isinstance(name, str) and isinstance(described, dict)
    }


def _from_map(described: dict[str, Any]) -> dict[str, Parameter]:
    found = {}
    for name, member in described.items():
        if isinstance(member, str):
            member = {"type": member}
        if isinstance(name, str) and isinstance(member, dict):
            word = member.get("type")
            optional = isinstance(word, str) and word.rstrip().lower().endswith("optional")
            found[name] = _parameter(member, required=not optional and member.get("required") is not False)
    return found


def _from_list(described: Any, required: bool) -> dict[str, Parameter]:
    return {
        item["name"]: _parameter(item, required=required and item.get("required") is not False)
        for item in (described if isinstance(described, list) else [])
        if isinstance(item, dict) and isinstance(item.get("name"), str)
    }


def _parameter(described: dict[str, Any], required: bool) -> Parameter:
    enum = described.get("enum")
    return Parameter(
        type=_json_type(described.get("type", "")),
        required=required,
        default=described.get("default", UNSET),
        enum=tuple(enum) if isinstance(enum, list) else (),
    )


def _json_type(word: Any) -> str:
    """The JSON Schema type of a type word such as `STRING`, `List[float]`, `str, optional` or `["string", "null"]`."""
    if isinstance(word, list):
        known = [item for item in word if isinstance(item, str) and item.lower() != "null"]
        word = known[0] if known else ""
    if not isinstance(word, str):
        return "any"
    inner = _OPTIONAL.sub("", word)
    return KNOWN_TYPE_WORDS.get(re.split(r"[,\[\]]", inner, maxsplit=1)[0].strip().lower(), word)
