"""The two halves of an exchange, before and after its GroupByKey. Not public."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows

import gatling_beam.transforms._coders  # noqa: F401
from gatling_beam.exchange import Key, RowBuffer, TableBuffer
from gatling_beam.extents import gather, payloads, read_payload, read_reference, write_run
from gatling_beam.files import join
from gatling_beam.sample import Tally


class Exchanged(NamedTuple):
    """What the merges gave: `results` (of the transform's result_type) and the counts among them."""

    results: beam.PCollection[Any]
    tallies: beam.PCollection[Tally]


def merge_extents(extents: beam.PCollection, merge: beam.DoFn, buckets: int, result_type: type) -> Exchanged:
    """Gathers `(bucket name, extent)` and calls `merge` once for each of `buckets`."""
    names = (
        extents.pipeline
        | "Buckets" >> beam.Create([buckets], reshuffle=False)
        | "EveryBucket" >> beam.FlatMap(_empty_extents).with_output_types(tuple[str, bytes])
    )
    outputs = (
        (extents, names)
        | "WithEmptyBuckets" >> beam.Flatten()
        | "GatherBuckets" >> beam.GroupByKey()
        | "Merge"
        >> beam.ParDo(merge).with_output_types(result_type, tallies=Tally).with_outputs("tallies", main="results")
    )
    return Exchanged(outputs.results, outputs.tallies)


class CutRows(beam.DoFn):
    """Cuts the rows of a bundle; gives (bucket name, extent). `folder` is None where extents travel themselves."""

    def __init__(self, row_type: type, key: Key, buckets: int, folder: str | None) -> None:
        self._row_type = row_type
        self._key = key
        self._buckets = buckets
        self._folder = folder

    def start_bundle(self) -> None:
        self._buffer: RowBuffer[Any] = RowBuffer(self._row_type, self._key, self._buckets)

    def process(self, row: Any) -> Iterator[tuple[str, bytes]]:
        if self._buffer.add(row):
            yield from _send(self._buffer.cut(), self._folder)

    def finish_bundle(self) -> Iterator[Any]:
        for extent in _send(self._buffer.cut(), self._folder):
            yield GlobalWindows.windowed_value(extent)


class CutTables(beam.DoFn):
    """Cuts the tables that `read` gives for an element; gives (bucket name, extent)."""

    def __init__(self, read: Callable[[str], Iterable[pa.Table]], key_column: str, buckets: int, folder: str) -> None:
        self._read = read
        self._key_column = key_column
        self._buckets = buckets
        self._folder = folder

    def process(self, path: str) -> Iterator[tuple[str, bytes]]:
        buffer = TableBuffer(self._key_column, self._buckets)
        for table in self._read(path):
            if buffer.add(table):
                yield from _send(buffer.cut(), self._folder)
        yield from _send(buffer.cut(), self._folder)


class MergeBucket(beam.DoFn):
    def __init__(self, merge: Callable[[int, pa.Table], Iterable[Any]], schema: pa.Schema, by_files: bool) -> None:
        self._merge = merge
        self._schema = schema
        self._read = read_reference if by_files else read_payload

    def process(self, bucket: tuple[str, Iterable[bytes]]) -> Iterator[Any]:
        name, extents = bucket
        for result in self._merge(int(name), gather(extents, self._read, self._schema)):
            yield TaggedOutput("tallies", result) if isinstance(result, Tally) else result
        pa.default_memory_pool().release_unused()


def _send(extents: list[tuple[int, pa.RecordBatch]], folder: str | None) -> Iterator[tuple[str, bytes]]:
    """What the shuffle carries of extents: references into a new run in `folder`, or their payloads."""
    if folder is not None:
        # The name is random because a bundle may be tried twice at the same time; no row sees it.
        for bucket, reference in write_run(join(folder, f"{uuid.uuid4().hex}.arrow"), extents) if extents else ():
            yield _bucket_name(bucket), reference
        return
    for bucket, batch in extents:
        for payload in payloads(batch):
            yield _bucket_name(bucket), payload


def _bucket_name(bucket: int) -> str:
    """The shuffle key of a bucket."""
    return f"{bucket:05d}"


def _empty_extents(buckets: int) -> Iterator[tuple[str, bytes]]:
    for bucket in range(buckets):
        yield _bucket_name(bucket), b""
