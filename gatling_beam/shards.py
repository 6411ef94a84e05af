"""Shards: files of rows as Parquet, JSON lines or Avro, with the same bytes for the same rows, and their readers."""

import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal, TypeVar, get_args

import fastavro
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from gatling_beam.avro_rows import avro_schema
from gatling_beam.columns import StructColumns
from gatling_beam.files import HashingWriter, atomic_writer, join, open_reader
from gatling_beam.json_rows import JsonRows

T = TypeVar("T")

Format = Literal["parquet", "jsonl", "avro"]
FORMATS: tuple[Format, ...] = get_args(Format)

#: What the readers of damaged files raise: there is no common class.
UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    OSError,
    EOFError,
    MemoryError,
    RecursionError,
    struct.error,
    zlib.error,
    pa.ArrowException,
    fastavro.schema.SchemaParseException,
    fastavro.schema.UnknownType,
)

ROW_GROUP_SIZE = 20_000
_BATCH = 2_000
_CHUNK = 1 << 20
# Every setting that shapes the bytes is written out, so that another default does not change them.
_PARQUET_SETTINGS: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 1,
    "version": "2.6",
    "data_page_version": "1.0",
    "data_page_size": _CHUNK,
    "write_batch_size": 1_024,
    "dictionary_pagesize_limit": _CHUNK,
    "use_dictionary": True,
    "write_statistics": True,
    "use_compliant_nested_type": True,
    "store_schema": True,
}
# fastavro would draw these at random for every file.
_AVRO_SYNC_MARKER = bytes.fromhex("b8c1f3a59e07d24688fde1972a5bc03f")
_AVRO_BLOCK_BYTES = 256_000


class ShardFile(msgspec.Struct, frozen=True):
    """A written file: its name relative to the output directory, rows, size in bytes and SHA-256 (hexadecimal)."""

    name: str
    rows: int
    bytes: int
    sha256: str


def check_format(format: str) -> Format:
    """`format`, if it is one of `FORMATS`; else raises ValueError."""
    for known in FORMATS:
        if format == known:
            return known
    raise ValueError(f"format={format!r} is not one of {', '.join(FORMATS)}")


def shard_name(index: int, count: int, format: Format) -> str:
    """`part-00017-of-00064.parquet` for index 17 (0-based) of 64.

    Raises:
      ValueError: if index is not in 0..count-1 or the format is unknown.
    """
    if not 0 <= index < count:
        raise ValueError(f"index={index} is not in 0..{count - 1}, the shards of count={count}")
    return f"part-{index:05d}-of-{count:05d}.{check_format(format)}"


def format_of(path: str) -> Format:
    """The format that a file name's ending says.

    Raises:
      ValueError: for any other ending.
    """
    ending = path.rpartition(".")[2]
    if ending not in FORMATS:
        raise ValueError(f"{path!r} ends in none of {', '.join('.' + known for known in FORMATS)}; give format=")
    return check_format(ending)


def write_shard(directory: str, name: str, table: pa.Table, format: Format, row_type: type[T]) -> ShardFile:
    """Writes `table`, rows of the Struct `row_type` in columnar form, to `directory/name` and says what was written.

    Equal tables give equal bytes for one version of pyarrow and fastavro, however they are chunked. `name` may hold
    folders (`dead_letters/part-...`). The file appears whole or not at all (`files.atomic_writer`).

    Raises:
      ValueError: if the table's schema is not that of `row_type`, or the format is unknown.
    """
    check_format(format)
    schema = StructColumns(row_type).schema
    if not table.schema.equals(schema):
        raise ValueError(f"the table does not have the columns of {row_type.__name__}: {_differences(table, schema)}")
    table = table.replace_schema_metadata(None)
    with atomic_writer(join(directory, name)) as stream:
        if format == "parquet":
            _write_parquet(stream, table)
        elif format == "jsonl":
            _write_jsonl(stream, table, row_type)
        else:
            _write_avro(stream, table, row_type)
        return ShardFile(name=name, rows=table.num_rows, bytes=stream.bytes, sha256=stream.sha256)


def read_shard(path: str, format: Format, row_type: type[T]) -> Iterator[T]:
    """The rows of one file, in order, in memory for one row group, line or block at a time.

    Raises:
      FileNotFoundError: if the file is not there.
      KeyError, msgspec.DecodeError, ValueError, pyarrow.ArrowInvalid: if it does not hold such rows.
    """
    check_format(format)
    with open_reader(path) as stream:
        if format == "parquet":
            columns = StructColumns(row_type)
            file = pq.ParquetFile(stream)
            _require_columns(file.schema_arrow, columns.schema, path)
            for batch in file.iter_batches(_BATCH, columns=columns.schema.names):
                yield from columns.decode(pa.Table.from_batches([batch]))
        elif format == "jsonl":
            decode = JsonRows(row_type).decode
            for number, line in enumerate(stream, 1):
                try:
                    row = decode(line)
                except ValueError as e:
                    raise msgspec.ValidationError(f"{path}, line {number}: {e}") from e
                yield row
        else:
            columns = StructColumns(row_type)
            records = fastavro.reader(stream)
            _refuse_unknown([field["name"] for field in records.writer_schema["fields"]], columns.schema, path)
            while batch := list(islice(records, _BATCH)):
                yield from columns.decode(pa.Table.from_pylist(batch, schema=columns.schema))


def read_table(path: str, columns: list[str] | None = None) -> pa.Table:
    """A Parquet shard, or some of its columns (`"source.name"` reads one member of a struct), in memory."""
    with open_reader(path) as stream:
        return pq.ParquetFile(stream).read(columns=columns)


def count_rows(path: str, format: Format) -> int:
    """The number of rows a file itself holds: from the Parquet footer, the lines or the Avro block headers."""
    check_format(format)
    with open_reader(path) as stream:
        if format == "parquet":
            return int(pq.ParquetFile(stream).metadata.num_rows)
        if format == "avro":
            return sum(block.num_records for block in fastavro.block_reader(stream))
        lines, last = 0, b"\n"
        while chunk := stream.read(_CHUNK):
            lines += chunk.count(b"\n")
            last = chunk[-1:]
        return lines + (last != b"\n")


def _write_parquet(stream: HashingWriter, table: pa.Table) -> None:
    with pq.ParquetWriter(stream, table.schema, **_PARQUET_SETTINGS) as writer:
        for start in range(0, table.num_rows, ROW_GROUP_SIZE):
            # One chunk a row group: where chunks end would show in the pages.
            group = table.slice(start, ROW_GROUP_SIZE).combine_chunks()
            writer.write_table(group, row_group_size=ROW_GROUP_SIZE)


def _write_jsonl(stream: HashingWriter, table: pa.Table, row_type: type[T]) -> None:
    encode = JsonRows(row_type).encode
    rows = iter(StructColumns(row_type).decode(table))
    while batch := list(islice(rows, _BATCH)):
        stream.write(b"".join(encode(row) + b"\n" for row in batch))


def _write_avro(stream: HashingWriter, table: pa.Table, row_type: type[T]) -> None:
    batches = (table.slice(start, _BATCH) for start in range(0, table.num_rows, _BATCH))
    records = (record for batch in batches for record in batch.to_pylist())
    fastavro.writer(
        stream,
        fastavro.parse_schema(avro_schema(row_type)),
        records,
        codec="deflate",
        sync_interval=_AVRO_BLOCK_BYTES,
        sync_marker=_AVRO_SYNC_MARKER,
    )


def _require_columns(found: pa.Schema, wanted: pa.Schema, path: str) -> None:
    missing = [name for name in wanted.names if name not in found.names]
    if missing:
        raise KeyError(f"{path} has no column {', '.join(missing)}")
    _refuse_unknown(found.names, wanted, path)


def _refuse_unknown(found: list[str], wanted: pa.Schema, path: str) -> None:
    """So that nothing of a row is lost unseen."""
    if unknown := [name for name in found if name not in wanted.names]:
        raise ValueError(f"{path} has the unknown column {', '.join(unknown)}; drop it, or put it into `metadata`")


def _differences(table: pa.Table, schema: pa.Schema) -> str:
    found = {field.name: field.type for field in table.schema}
    wanted = {field.name: field.type for field in schema}
    missing, extra = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    other = sorted(name for name in wanted.keys() & found.keys() if wanted[name] != found[name])
    if missing or extra or other:
        return f"missing {missing}, too many {extra}, of another type {other}"
    return "in another order"
