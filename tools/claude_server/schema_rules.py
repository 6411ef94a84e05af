"""The limits of schemas of structured output."""

from collections.abc import Mapping
from typing import Any

from .errors import ApiError

_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
_COMMON = {"type", "description", "title", "default", "enum", "const", "anyOf", "allOf", "$ref", "$defs", "definitions"}
_BY_TYPE = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems"},
    "string": {"format", "pattern"},
    "integer": set(),
    "number": set(),
    "boolean": set(),
    "null": set(),
}


def check_schema(schema: Mapping[str, Any], where: str = "output_config.format.schema") -> None:
    """Checks a schema against what structured output takes.

    Raises:
      ApiError: 400 for recursion, ranges, lengths, minItems other than 0 and 1, an object without
        additionalProperties false, and keywords or types that are not supported.
    """
    _Checker(where, {**schema.get("definitions", {}), **schema.get("$defs", {})}).check(schema, ())


class _Checker:
    def __init__(self, where: str, definitions: Mapping[str, Any]) -> None:
        self._where, self._definitions = where, definitions

    def _refuse(self, message: str) -> ApiError:
        return ApiError(400, f"{self._where}: {message}")

    def check(self, schema: object, open_: tuple[str, ...]) -> None:
        """Checks a schema; `open_` are the definitions that it stands in."""
        if not isinstance(schema, dict):
            raise self._refuse(f"{schema!r} is not a schema")
        if "$ref" in schema:
            name = str(schema["$ref"]).rsplit("/", 1)[-1]
            if name in open_:
                raise self._refuse(f"Circular reference detected in schema definitions: {' -> '.join((*open_, name))}")
            if name not in self._definitions:
                raise self._refuse(f"'$ref' {schema['$ref']!r} leads to no definition")
            self.check(self._definitions[name], (*open_, name))
            return
        types = schema.get("type", ())
        types = [types] if isinstance(types, str) else list(types)
        self._check_keywords(schema, types)
        if "object" in types:
            if schema.get("additionalProperties") is not False:
                raise self._refuse("For 'object' type, 'additionalProperties' must be explicitly set to false")
            for member in schema.get("properties", {}).values():
                self.check(member, open_)
        if "array" in types:
            if schema.get("minItems", 0) not in (0, 1):
                raise self._refuse("For 'array' type, 'minItems' values other than 0 or 1 are not supported")
            if "items" in schema:
                self.check(schema["items"], open_)
        for keyword in ("anyOf", "allOf"):
            for branch in schema.get(keyword, ()):
                self.check(branch, open_)

    def _check_keywords(self, schema: dict[str, Any], types: list[str]) -> None:
        if unknown := [type_ for type_ in types if type_ not in _BY_TYPE]:
            raise self._refuse(f"type {unknown[0]!r} is not supported")
        if not types and not {"anyOf", "allOf", "enum", "const"} & schema.keys():
            raise self._refuse("Schema must have a 'type', 'anyOf', 'allOf', 'enum' or 'const'")
        allowed = _COMMON.union(*(_BY_TYPE[type_] for type_ in types))
        if refused := sorted(schema.keys() - allowed):
            named = "', '".join(types) or "any"
            if len(refused) == 1:
                raise self._refuse(f"For '{named}' type, property '{refused[0]}' is not supported")
            raise self._refuse(f"For '{named}' type, properties {', '.join(refused)} are not supported")
        if "format" in schema and schema["format"] not in _FORMATS:
            raise self._refuse(f"For 'string' type, format {schema['format']!r} is not supported")
