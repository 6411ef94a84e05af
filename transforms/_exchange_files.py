"""The exchange for rows that are in files already. Not public."""

from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam
import pyarrow as pa

from gatling_beam.transforms._extents import CutTables, Exchanged, MergeBucket, merge_extents


@beam.typehints.with_input_types(str)
class ExchangeFiles(beam.PTransform):
    """The exchange of `ExchangeByHash` for rows that are in files already: its elements are their paths.

    `read(path)` gives the tables of a file, of `schema`; their text column `key_column` holds the hashes. Extents go
    through files in `spill_to`.
    """

    def __init__(
        self,
        read: Callable[[str], Iterable[pa.Table]],
        merge: Callable[[int, pa.Table], Iterable[Any]],
        *,
        buckets: int,
        schema: pa.Schema,
        key_column: str,
        spill_to: str,
        result_type: type,
    ) -> None:
        super().__init__()
        self._cut = CutTables(read, key_column, buckets, spill_to)
        self._merge = MergeBucket(merge, schema, by_files=True)
        self._buckets = buckets
        self._result_type = result_type

    def expand(self, paths: beam.PCollection[str]) -> "Exchanged":
        extents = paths | "CutByBucket" >> beam.ParDo(self._cut).with_output_types(tuple[str, bytes])
        return merge_extents(extents, self._merge, self._buckets, self._result_type)
