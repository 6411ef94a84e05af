"""Rows of Parquet files as JSON, through checked ranged reads of the footer and the column chunks alone."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from gatling_beam.hub.errors import MalformedSource
from gatling_beam.hub.model import FileRef
from gatling_beam.hub.store import Store

#: Smaller files are fetched in one request, and so checked as a whole.
_WHOLE_BYTES = 4 << 20
_BATCH_ROWS = 1_000


class CheckedFile(io.RawIOBase):
    """A file of a store as pyarrow wants it; every read is one checked range."""

    def __init__(self, store: Store, file: FileRef) -> None:
        super().__init__()
        self._store = store
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._file.size if size < 0 else min(self._at + size, self._file.size)
        data = self._store.read_range(self._file, min(self._at, stop), stop)
        self._at += len(data)
        return data


def open_parquet(store: Store, file: FileRef) -> pq.ParquetFile:
    """The Parquet file `file`.

    Raises:
      MalformedSource: if it is none.
    """
    whole = file.size <= _WHOLE_BYTES
    source: Any = store.open_whole(file) if whole else CheckedFile(store, file)
    try:
        return pq.ParquetFile(source, pre_buffer=not whole)
    except pa.ArrowInvalid as e:
        raise MalformedSource(f"{file.path} is not a Parquet file: {e}") from e


def row_group_bytes(parquet: pq.ParquetFile) -> list[int]:
    """The size of each row group in memory, in bytes."""
    return [parquet.metadata.row_group(i).total_byte_size for i in range(parquet.metadata.num_row_groups)]


def parquet_rows(store: Store, file: FileRef, start: int, stop: int | None) -> Iterator[tuple[int, bytes]]:
    """`(row number in the file, row as JSON)` of the row groups [start, stop); stop=None is "to the end".

    Dates and times are ISO 8601 text, decimals text, durations ISO 8601 text, bytes `{"bytes": "<base64>"}` whether
    or not they are text, NaN and infinities null.
    """
    parquet = open_parquet(store, file)
    metadata = parquet.metadata
    groups = range(start, metadata.num_row_groups if stop is None else stop)
    row = sum(metadata.row_group(i).num_rows for i in range(start))
    binary = any(_has_binary(field.type) for field in parquet.schema_arrow)
    try:
        for group in groups:
            for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, row_groups=[group], use_threads=False):
                for data in _batch_rows(batch, binary):
                    yield row, data
                    row += 1
    except (pa.ArrowInvalid, OSError) as e:
        raise MalformedSource(f"{file.path}, row {row}: {e}") from e


def _batch_rows(batch: pa.RecordBatch, binary: bool) -> Iterator[bytes]:
    try:
        rows = batch.to_pylist()
    except UnicodeDecodeError as e:
        if batch.num_rows == 1:
            # Not a row that anyone can use, but one that must be counted: adapters refuse a row that is no object.
            yield msgspec.json.encode(f"a text column of this row is not valid UTF-8: {e}")
            return
        for i in range(batch.num_rows):
            yield from _batch_rows(batch.slice(i, 1), binary)
        return
    for row in rows:
        yield msgspec.json.encode(_plain(row) if binary else row, enc_hook=_other)


def _has_binary(kind: pa.DataType) -> bool:
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return True
    if pa.types.is_dictionary(kind):
        return _has_binary(kind.value_type)
    return any(_has_binary(kind.field(i).type) for i in range(kind.num_fields))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _other(value: Any) -> Any:
    # pandas' Timestamp and Timedelta, which pyarrow gives for nanoseconds
    return value.isoformat()
