"""Rows of Parquet files as JSON, through checked ranged reads of the footer and the column chunks alone."""

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gatling_beam.hub.errors import MalformedSource
from gatling_beam.hub.model import FileRef
from gatling_beam.hub.parquet_values import row_encoder
from gatling_beam.hub.store import Store

#: Smaller files are fetched in one request, and so checked as a whole.
_WHOLE_BYTES = 4 << 20
_BATCH_ROWS = 1_000
#: What pyarrow raises for bytes that are no Parquet file.
_DAMAGED = (pa.ArrowException, OSError)


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
    except _DAMAGED as e:
        raise MalformedSource(f"{file.path} is not a Parquet file: {_one_line(e)}") from e


def row_group_bytes(parquet: pq.ParquetFile) -> list[int]:
    """The size of each row group in memory, in bytes."""
    return [parquet.metadata.row_group(i).total_byte_size for i in range(parquet.metadata.num_row_groups)]


def parquet_rows(store: Store, file: FileRef, start: int, stop: int | None) -> Iterator[tuple[int, bytes]]:
    """`(row number in the file, row as JSON)` of the row groups [start, stop); stop=None is "to the end".

    Values are written as `gatling_beam.hub.parquet_values` says.

    Raises:
      MalformedSource: if the file is damaged, or a row group does not hold as many rows as the footer says.
    """
    parquet = open_parquet(store, file)
    metadata = parquet.metadata
    row = sum(metadata.row_group(i).num_rows for i in range(start))
    try:
        encode = row_encoder(parquet.schema_arrow)
        for group in range(start, metadata.num_row_groups if stop is None else stop):
            upto = row + metadata.row_group(group).num_rows
            for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, row_groups=[group], use_threads=False):
                for data in encode(batch):
                    yield row, data
                    row += 1
            if row != upto:
                raise MalformedSource(f"{file.path}: row group {group} ends at row {row:,}, not at {upto:,}")
    except _DAMAGED as e:
        raise MalformedSource(f"{file.path}, row {row}: {_one_line(e)}") from e


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
