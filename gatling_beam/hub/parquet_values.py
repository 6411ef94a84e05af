"""What Arrow values are as JSON: never less than the file has, and never the end of a run.

Dates, times and durations are ISO 8601 text to the last digit, decimals text, bytes `{"bytes": "<base64>"}` whether or
not they are text. A date or time without such a text (a year beyond 9999, an unknown time zone) is the integer that is
stored. NaN and infinities stay what they are: a row that has any is JSON for lenient readers alone, and is refused
where rows are understood.
"""

import base64
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

#: What pyarrow raises where a value has no Python value.
_NO_VALUE = (ValueError, OverflowError, LookupError, TypeError, pa.ArrowException)


def row_encoder(schema: pa.Schema) -> Callable[[pa.RecordBatch], Iterator[bytes]]:
    """The function from a batch of `schema` to its rows as JSON."""
    kinds = [field.type for field in schema]
    binary = any(_has(kind, _is_binary) for kind in kinds)
    floats = [i for i, kind in enumerate(kinds) if _has(kind, types.is_floating)]
    fine_times = {i: _replaced(kind, _time_as_text) for i, kind in enumerate(kinds) if _has(kind, _is_fine_time)}

    def encode(batch: pa.RecordBatch) -> Iterator[bytes]:
        for i, kind in fine_times.items():
            batch = batch.set_column(i, schema.field(i).name, batch.column(i).cast(kind))
        finite = all(_all_finite(batch.column(i)) for i in floats)
        for row in _python_rows(batch):
            value = _plain(row) if binary else row
            yield msgspec.json.encode(value, enc_hook=_other) if finite else _json(value)

    return encode


def _python_rows(batch: pa.RecordBatch) -> list[Any]:
    """The rows of `batch` as Python values; a row that Python has no values for is found by itself."""
    try:
        return batch.to_pylist()  # type: ignore[no-any-return]
    except _NO_VALUE as e:
        if batch.num_rows > 1:
            return [row for i in range(batch.num_rows) for row in _python_rows(batch.slice(i, 1))]
        try:
            names = batch.schema.names
            return [{name: _value(batch.column(i)) for i, name in enumerate(names)}]
        except _NO_VALUE:
            # Not a row that anyone can use, but one that must be counted: adapters refuse a row that is no object.
            return [f"a column of this row cannot be read: {e}"]


def _value(column: pa.Array) -> Any:
    """The only value of `column`, dates and times as integers if there is no other way."""
    try:
        return column.to_pylist()[0]
    except _NO_VALUE:
        return column.cast(_replaced(column.type, _time_as_integer)).to_pylist()[0]


def _is_binary(kind: pa.DataType) -> bool:
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _is_fine_time(kind: pa.DataType) -> bool:
    """Times of day in nanoseconds: Python's end at microseconds, and pyarrow cuts the rest off."""
    return bool(types.is_time64(kind) and kind.unit == "ns")


def _has(kind: pa.DataType, wanted: Callable[[pa.DataType], bool]) -> bool:
    """Whether `kind` or a type inside it is `wanted`."""
    if types.is_dictionary(kind):
        return _has(kind.value_type, wanted)
    return wanted(kind) or any(_has(kind.field(i).type, wanted) for i in range(kind.num_fields))


def _replaced(kind: pa.DataType, leaf: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    """`kind` with every type inside it that has no parts replaced by what `leaf` makes of it."""
    if types.is_dictionary(kind):
        return _replaced(kind.value_type, leaf)
    if types.is_struct(kind):
        return pa.struct([field.with_type(_replaced(field.type, leaf)) for field in kind])
    if types.is_map(kind):
        return pa.map_(_replaced(kind.key_type, leaf), _replaced(kind.item_type, leaf))
    if types.is_large_list(kind):
        return pa.large_list(_replaced(kind.value_type, leaf))
    if types.is_fixed_size_list(kind):
        return pa.list_(_replaced(kind.value_type, leaf), kind.list_size)
    return pa.list_(_replaced(kind.value_type, leaf)) if types.is_list(kind) else leaf(kind)


def _time_as_text(kind: pa.DataType) -> pa.DataType:
    return pa.string() if _is_fine_time(kind) else kind


def _time_as_integer(kind: pa.DataType) -> pa.DataType:
    if types.is_date32(kind) or types.is_time32(kind):
        return pa.int32()
    return pa.int64() if types.is_temporal(kind) else kind


def _all_finite(array: pa.Array) -> bool:
    kind = array.type
    if types.is_floating(kind):
        wide = array.cast(pa.float32()) if types.is_float16(kind) else array
        return pc.all(pc.is_finite(wide)).as_py() is not False
    if types.is_dictionary(kind):
        return _all_finite(array.dictionary)
    if types.is_map(kind):
        return _all_finite(array.keys) and _all_finite(array.items)
    if types.is_struct(kind):
        return all(_all_finite(part) for part in array.flatten())
    return not _has(kind, types.is_floating) or _all_finite(array.flatten())


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _json(value: Any) -> bytes:
    """`value` as JSON with NaN and infinities as Python writes them."""
    plain = msgspec.to_builtins(value, enc_hook=_other)
    if _finite(plain):
        return msgspec.json.encode(plain)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    return not isinstance(value, list | tuple) or all(map(_finite, value))


def _other(value: Any) -> Any:
    # pandas' Timestamp and Timedelta, which pyarrow gives for nanoseconds; numpy's half floats
    return value.isoformat() if hasattr(value, "isoformat") else float(value)
