"""The Avro schema of a msgspec Struct: the columnar form (`gatling_beam.columns`), a record a row."""

import types
from enum import IntEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

_NAMESPACE = "gatling_beam"
_PRIMITIVES = {str: "string", bytes: "bytes", int: "long", float: "double", bool: "boolean"}


def avro_schema(cls: type) -> dict[str, Any]:
    """The record schema of the Struct `cls`: free-form objects are JSON text, enums ints, optional fields unions.

    Raises:
      TypeError: where a field's type has no Avro form.
    """
    schema: dict[str, Any] = _record(cls, set())
    return schema


def _record(cls: Any, named: set[str]) -> Any:
    # Avro defines a named type once; afterwards its name stands for it.
    if cls.__name__ in named:
        return f"{_NAMESPACE}.{cls.__name__}"
    named.add(cls.__name__)
    hints = get_type_hints(cls)
    fields = [{"name": name, "type": _type(hints[name], named)} for name in cls.__struct_fields__]
    return {"type": "record", "name": cls.__name__, "namespace": _NAMESPACE, "fields": fields}


def _type(hint: Any, named: set[str]) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        members = [member for member in args if member is not type(None)]
        if len(members) == 1:
            return ["null", _type(members[0], named)]
    elif origin is tuple:
        return {"type": "array", "items": _type(args[0], named)}
    elif origin is dict or hint is dict:
        return "string"
    elif hint in _PRIMITIVES:
        return _PRIMITIVES[hint]
    elif isinstance(hint, type) and issubclass(hint, IntEnum):
        return "long"
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _record(hint, named)
    raise TypeError(f"{hint!r} has no Avro form; use str, bytes, int, float, bool, dict, IntEnum, Struct or tuple")
