"""Where the parts of an exchange lie: runs of extents, payloads, and tables that only the next step reads.

A run is an Arrow IPC file with one record batch a bucket; a batch is an extent. What a shuffle carries of an extent is
either a reference (run file and batch number) or the extent itself, as an Arrow IPC stream.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

import msgspec
import pyarrow as pa
from pyarrow import ipc

from gatling_beam.files import atomic_writer, open_reader

#: An extent's payload is cut into pieces of at most this size (bytes), unless a single row is larger.
MAX_PAYLOAD = 4 << 20

_BATCH_ROWS = 5_000
_OPTIONS = ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1))


def write_table(path: str, table: pa.Table) -> None:
    """Writes a table as an Arrow IPC file that nobody sees but the next step."""
    with atomic_writer(path) as stream, ipc.new_file(stream, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table, max_chunksize=_BATCH_ROWS)


def read_tables(path: str) -> Iterator[pa.Table]:
    """A file of `write_table`, one record batch at a time."""
    with open_reader(path) as stream:
        reader = ipc.open_file(stream)
        for i in range(reader.num_record_batches):
            yield pa.Table.from_batches([reader.get_batch(i)])


def write_run(path: str, extents: Sequence[tuple[int, pa.RecordBatch]]) -> list[tuple[int, bytes]]:
    """Writes a run and returns (bucket, reference) for each extent. `path` is a local path or an fsspec URL."""
    with atomic_writer(path) as stream, ipc.new_file(stream, extents[0][1].schema, options=_OPTIONS) as writer:
        for _, batch in extents:
            writer.write_batch(batch)
    return [(bucket, msgspec.json.encode([path, i])) for i, (bucket, _) in enumerate(extents)]


def read_reference(reference: bytes) -> pa.Table:
    """The extent that a reference of `write_run` names."""
    path, index = msgspec.json.decode(reference, type=tuple[str, int])
    if "://" not in path:
        with pa.memory_map(os.fspath(path)) as source:
            return _batch(source, index)
    with open_reader(path) as stream:
        return _batch(stream, index)


def _batch(source: pa.NativeFile | BinaryIO, index: int) -> pa.Table:
    return pa.Table.from_batches([ipc.open_file(source).get_batch(index)])


def payloads(batch: pa.RecordBatch, max_bytes: int = MAX_PAYLOAD) -> Iterator[bytes]:
    """An extent as Arrow IPC streams of at most `max_bytes`; a row that is larger makes a payload of its own."""
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batch.schema, options=_OPTIONS) as writer:
        writer.write_batch(batch)
    data = sink.getvalue()
    if data.size <= max_bytes or batch.num_rows == 1:
        yield data.to_pybytes()
        return
    half = batch.num_rows // 2
    for part in (batch.slice(0, half), batch.slice(half)):
        yield from payloads(pa.Table.from_batches([part]).combine_chunks().to_batches()[0], max_bytes)


def read_payload(payload: bytes) -> pa.Table:
    """The rows of one payload."""
    with ipc.open_stream(payload) as reader:
        return reader.read_all()


def gather(extents: Iterable[bytes], read: Callable[[bytes], pa.Table], schema: pa.Schema) -> pa.Table:
    """One table of all extents of a bucket; empty extents (`b""`) say that the bucket exists and hold no rows."""
    tables = [read(extent) for extent in extents if extent]
    return pa.concat_tables(tables).combine_chunks() if tables else schema.empty_table()
