"""Regrouping rows by hash without moving them one by one: rows become tables, and tables are cut by bucket."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gatling_beam.columns import StructColumns

T = TypeVar("T")

#: A row's key: the name of a column, or a function of the row.
Key = str | Callable[[Any], str]

MAX_BUCKETS = 100_000
#: The column that holds the keys where a function makes them.
KEY_COLUMN = "exchange_key"

_BATCH_ROWS = 5_000
_MAX_TABLES = 32
_MAX_BYTES = 32 << 20
_PLACES = 16 ** np.arange(7, -1, -1, dtype=np.int64)
_NIBBLES = np.full(256, 255, np.uint8)
_NIBBLES[[ord(digit) for digit in "0123456789abcdef"]] = range(16)


def check_buckets(buckets: int, name: str = "buckets") -> int:
    """`buckets`, if it is in 1..MAX_BUCKETS; else raises ValueError."""
    if not isinstance(buckets, int) or isinstance(buckets, bool) or not 1 <= buckets <= MAX_BUCKETS:
        raise ValueError(
            f"{name}={buckets!r} is not an integer in 1..{MAX_BUCKETS:,}; take ceil(expected rows / 50,000), "
            "never a number that depends on the workers"
        )
    return buckets


def bucket_of(key: str, buckets: int) -> int:
    """The bucket, 0..buckets-1, of a hexadecimal hash, by its first 32 bits: buckets are ranges of hashes.

    Raises:
      ValueError: if `key` does not begin with eight hexadecimal digits in lower case.
    """
    return int(buckets_of(pa.array([key]), buckets)[0])


def first_key(bucket: int, buckets: int) -> str:
    """The least key of a bucket, eight hexadecimal digits: `bucket_of(first_key(b, n), n) == b`."""
    return f"{-(-(bucket << 32) // buckets):08x}"


def buckets_of(keys: pa.Array | pa.ChunkedArray, buckets: int) -> npt.NDArray[np.int64]:
    """`bucket_of` for a whole column."""
    prefixes = pc.binary_slice(keys.cast(pa.binary()), 0, 8)
    joined = b"".join(prefixes.to_pylist())
    digits = _NIBBLES[np.frombuffer(joined, np.uint8)]
    if len(joined) != 8 * len(keys) or (digits > 15).any():
        raise ValueError(
            f"the key {_first_bad(keys)!r} does not begin with eight hexadecimal digits in lower case; rows are "
            "exchanged by a content hash (gatling_beam.hashing.digest)"
        )
    values: npt.NDArray[np.int64] = digits.reshape(-1, 8).astype(np.int64) @ _PLACES
    return values * buckets >> 32


def _first_bad(keys: pa.Array | pa.ChunkedArray) -> Any:
    good = pc.match_substring_regex(keys, "^[0-9a-f]{8}")
    return next(key for key, ok in zip(keys.to_pylist(), good.to_pylist(), strict=True) if not ok)


def cut(table: pa.Table, buckets: npt.NDArray[np.int64]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The rows of each bucket that occurs, as (bucket, one record batch), in the order of the buckets."""
    if table.num_rows == 0:
        return
    order = np.argsort(buckets, kind="stable")
    ordered = table.take(pa.array(order)).combine_chunks()
    found, starts = np.unique(buckets[order], return_index=True)
    for bucket, start, end in zip(found, starts, [*starts[1:], len(order)], strict=True):
        yield int(bucket), ordered.slice(start, end - start).combine_chunks().to_batches()[0]


class TableBuffer:
    """Tables on their way to an exchange: kept until there are enough rows to be cut by bucket."""

    def __init__(self, key_column: str, buckets: int) -> None:
        self._key_column = key_column
        self._buckets = buckets
        self._tables: list[pa.Table] = []
        self._bytes = 0

    def add(self, table: pa.Table) -> bool:
        """Keeps a table; True if the buffer holds some 32 MB or 32 tables and wants to be cut."""
        self._tables.append(table)
        self._bytes += table.nbytes
        return len(self._tables) >= _MAX_TABLES or self._bytes >= _MAX_BYTES

    def cut(self) -> list[tuple[int, pa.RecordBatch]]:
        """Everything that was kept, by bucket; the buffer is empty afterwards."""
        if not self._tables:
            return []
        table = pa.concat_tables(self._tables)
        self._tables, self._bytes = [], 0
        return list(cut(table, buckets_of(table[self._key_column], self._buckets)))


class RowBuffer(Generic[T]):
    """Rows on their way to an exchange: as columns in a `TableBuffer`, 5,000 at a time."""

    def __init__(self, row_type: type[T], key: Key, buckets: int) -> None:
        self._columns = StructColumns(row_type)
        self._key = key
        self._rows: list[T] = []
        self._tables = TableBuffer(key_column(key), buckets)

    def add(self, row: T) -> bool:
        """Keeps a row; True if the buffer is full and wants to be cut."""
        self._rows.append(row)
        return len(self._rows) >= _BATCH_ROWS and self._encode()

    def cut(self) -> list[tuple[int, pa.RecordBatch]]:
        """Everything that was kept, by bucket; the buffer is empty afterwards."""
        if self._rows:
            self._encode()
        return self._tables.cut()

    def _encode(self) -> bool:
        table = self._columns.encode(self._rows)
        if not isinstance(self._key, str):
            table = table.append_column(KEY_COLUMN, pa.array(map(self._key, self._rows), pa.string()))
        self._rows = []
        return self._tables.add(table)


def key_column(key: Key) -> str:
    """The column of an exchanged table that holds the key."""
    return key if isinstance(key, str) else KEY_COLUMN


def run_schema(row_type: type, key: Key) -> pa.Schema:
    """The columns of a run of `row_type`, with `KEY_COLUMN` where `key` is a function.

    Raises:
      ValueError: if `key` is not the name of a text column.
    """
    schema = StructColumns(row_type).schema
    if not isinstance(key, str):
        return schema.append(pa.field(KEY_COLUMN, pa.string()))
    if key not in schema.names or schema.field(key).type != pa.string():
        texts = [field.name for field in schema if field.type == pa.string()]
        raise ValueError(f"key={key!r} is not a text field of {row_type.__name__}; take one of {texts} or a function")
    return schema
