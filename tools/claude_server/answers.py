"""Texts of answers: by default JSON that satisfies the request's schema."""

import importlib
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

Answerer = Callable[[dict[str, Any]], str]

_STRINGS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "uri": "https://example.com/",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def by_schema(body: dict[str, Any]) -> str:
    """JSON that satisfies `output_config.format.schema`; without a schema a sentence. Equal for equal bodies."""
    format_ = (body.get("output_config") or {}).get("format")
    if not format_:
        return "An answer without a schema."
    schema = format_["schema"]
    draw = random.Random(json.dumps(body, sort_keys=True))
    return json.dumps(_value(schema, {**schema.get("definitions", {}), **schema.get("$defs", {})}, draw))


def answerer(path: str) -> Answerer:
    """The function `module:function`; the default for "".

    Raises:
      ValueError: the path has no colon, or leads to nothing that can be called.
    """
    if not path:
        return by_schema
    module, colon, name = path.partition(":")
    function = getattr(importlib.import_module(module), name, None) if colon else None
    if not callable(function):
        raise ValueError(f"answers {path!r}: module:function is wanted, with a function that takes the request's body")
    return function  # type: ignore[no-any-return]


def _value(schema: Mapping[str, Any], definitions: Mapping[str, Any], draw: random.Random) -> Any:
    if "$ref" in schema:
        return _value(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions, draw)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw.choice(schema["enum"])
    if "anyOf" in schema:
        return _value(draw.choice(schema["anyOf"]), definitions, draw)
    if "allOf" in schema:
        return _value({key: branch[key] for branch in schema["allOf"] for key in branch}, definitions, draw)
    type_ = schema["type"] if isinstance(schema["type"], str) else draw.choice(schema["type"])
    match type_:
        case "object":
            return {name: _value(member, definitions, draw) for name, member in schema.get("properties", {}).items()}
        case "array":
            count = draw.randint(max(1, schema.get("minItems", 1)), 3)
            return [_value(schema["items"], definitions, draw) for _ in range(count)] if "items" in schema else []
        case "integer":
            return draw.randint(1, 50)
        case "number":
            return round(draw.random(), 3)
        case "boolean":
            return draw.random() < 0.5
        case "null":
            return None
    return _STRINGS.get(schema.get("format", ""), f"text {draw.getrandbits(24):06x}")
