"""msgspec Structs as Arrow columns and back: the one definition of what a columnar file holds.

Typed fields become typed columns, Structs become structs, tuples become lists. Free-form objects (`dict`) become
canonical JSON text: as Arrow structs they would be merged over all rows and filled with nulls.
"""

import types
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from itertools import accumulate, chain, pairwise
from operator import attrgetter
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa

from gatling_beam.json_value import json_text

T = TypeVar("T")

_SCALARS = {str: pa.string(), bytes: pa.binary(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}

Encode = Callable[[list[Any]], pa.Array]
Decode = Callable[[pa.Array], Sequence[Any]]


class _Column(msgspec.Struct, frozen=True):
    type: pa.DataType
    encode: Encode
    decode: Decode


class StructColumns(Generic[T]):
    """Tables of the msgspec Struct `cls`: `encode(rows)` makes one, `decode(table)` gives equal rows back.

    Raises:
      TypeError: at construction, where a field's type has no column form.
    """

    def __init__(self, cls: type[T]) -> None:
        self.cls = cls
        self._fields = _struct_fields(cls)
        #: The Arrow schema, one column a field, in the order of the fields.
        self.schema = pa.schema([pa.field(name, column.type) for name, column in self._fields])

    def encode(self, rows: Sequence[T]) -> pa.Table:
        """A table with one row each."""
        arrays = [column.encode(list(map(attrgetter(name), rows))) for name, column in self._fields]
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def decode(self, table: pa.Table) -> Iterable[T]:
        """The rows of a table that has at least the columns of this schema.

        Raises:
          KeyError: if a column is missing.
        """
        for batch in table.select(self.schema.names).to_batches():
            columns = [column.decode(array) for (_, column), array in zip(self._fields, batch.columns, strict=True)]
            for values in zip(*columns, strict=True):
                yield self.cls(**dict(zip(self.schema.names, values, strict=True)))


def _struct_fields(cls: Any) -> list[tuple[str, _Column]]:
    hints = get_type_hints(cls)
    return [(name, _column(hints[name])) for name in cls.__struct_fields__]


def _column(hint: Any) -> _Column:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        members = [member for member in args if member is not type(None)]
        if len(members) == 1:
            return _column(members[0])
    elif origin is tuple:
        # tuple[X, ...] and fixed tuples of one type are both lists of X
        return _list_column(_column(args[0]), fixed=len(args) > 1 and args[1] is not Ellipsis)
    elif origin is dict or hint is dict:
        return _Column(pa.string(), _encode_json, _decode_json)
    elif hint in _SCALARS:
        return _scalar_column(_SCALARS[hint])
    elif isinstance(hint, type) and issubclass(hint, IntEnum):
        return _enum_column(hint)
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _struct_column(hint)
    raise TypeError(f"{hint!r} has no column form; use str, bytes, int, float, bool, dict, IntEnum, Struct or tuple")


def _scalar_column(arrow: pa.DataType) -> _Column:
    return _Column(arrow, lambda values: pa.array(values, arrow), lambda array: array.to_pylist())


def _enum_column(enum: type[IntEnum]) -> _Column:
    members: dict[int | None, IntEnum | None] = {member.value: member for member in enum}
    members[None] = None
    return _Column(
        pa.int64(),
        lambda values: pa.array(values, pa.int64()),
        lambda array: [members[value] for value in array.to_pylist()],
    )


def _encode_json(values: list[Any]) -> pa.Array:
    return pa.array([None if value is None else json_text(value) if value else "{}" for value in values], pa.string())


def _decode_json(array: pa.Array) -> list[Any]:
    decode = msgspec.json.Decoder().decode
    return [None if text is None else decode(text) if text != "{}" else {} for text in array.to_pylist()]


def _list_column(item: _Column, *, fixed: bool) -> _Column:
    arrow = pa.list_(item.type)

    def encode(values: list[Any]) -> pa.Array:
        if not any(values):
            offsets = pa.array([0] * (len(values) + 1), pa.int32())
        else:
            offsets = pa.array(accumulate(map(len, values), initial=0), pa.int32())
        return pa.ListArray.from_arrays(offsets, item.encode(list(chain.from_iterable(values))), type=arrow)

    def decode(array: pa.Array) -> list[Any]:
        flat = item.decode(array.flatten())
        bounds = list(accumulate(array.value_lengths().fill_null(0).to_pylist(), initial=0))
        return [tuple(flat[start:end]) if end > start else () for start, end in pairwise(bounds)]

    return _Column(arrow, encode, decode)


def _struct_column(cls: Any) -> _Column:
    fields = _struct_fields(cls)
    arrow = pa.struct([pa.field(name, column.type) for name, column in fields])

    def encode(values: list[Any]) -> pa.Array:
        missing = None
        if None in values:
            if not any(value is not None for value in values):
                return pa.nulls(len(values), arrow)
            missing = pa.array([value is None for value in values])
            stand_in = next(value for value in values if value is not None)
            values = [stand_in if value is None else value for value in values]
        arrays = [column.encode(list(map(attrgetter(name), values))) for name, column in fields]
        return pa.StructArray.from_arrays(arrays, fields=list(arrow), mask=missing)

    def decode(array: pa.Array) -> list[Any]:
        # flatten() carries the struct's own nulls into the children; lists under a null become empty
        columns = [column.decode(child) for (_, column), child in zip(fields, array.flatten(), strict=True)]
        if array.null_count == 0:
            return [cls(*values) for values in zip(*columns, strict=True)]
        valid = array.is_valid().to_pylist()
        return [cls(*values) if ok else None for ok, values in zip(valid, zip(*columns, strict=True), strict=True)]

    return _Column(arrow, encode, decode)
