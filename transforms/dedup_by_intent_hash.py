"""`DedupByIntentHash`: one row of each plan, and a count of who duplicated whom."""

from collections.abc import Mapping
from typing import NamedTuple

import apache_beam as beam

from gatling_beam.dedup import DedupKey, dedup_key
from gatling_beam.dedup_files import (
    BAND_SCHEMA,
    DROP_SCHEMA,
    Bands,
    DropFile,
    SurvivorFile,
    Survivors,
    WithoutDrops,
)
from gatling_beam.exchange import check_buckets, key_column
from gatling_beam.extents import read_tables
from gatling_beam.near import check_threshold
from gatling_beam.sample import Sample, Tally
from gatling_beam.transforms._dedup_in_shuffle import combine_duplicates
from gatling_beam.transforms._exchange_files import ExchangeFiles
from gatling_beam.transforms.exchange_by_hash import ExchangeByHash, require_bounded, spill_folder

#: Bands are spread over more buckets than rows: there are some twenty a row.
_BAND_FACTOR = 4


class DedupResult(NamedTuple):
    """`rows` (PCollection[Sample]), the survivors, and `tallies` (PCollection[Tally]) of the stage "dedup"."""

    rows: beam.PCollection[Sample]
    tallies: beam.PCollection[Tally]


@beam.typehints.with_input_types(Sample)
class DedupByIntentHash(beam.PTransform):
    """PCollection[Sample] -> one row of each intent hash, and the counts.

    The survivor is the least by (priority of its source, source name, original_id as text, sample_id): the same on
    every runner, whatever the order of the rows. Where a duplicate says the same in another language, its request joins
    the survivor's `request_variants`. Takes bounded input in the global window.

    Memory: without `spill_to` the rows pass the runner's own shuffle, which an in-process runner keeps in memory: some
    4 GB for 1,000,000 rows. With `spill_to` they go through files, and a worker holds one bucket of rows.

    Args:
      key: "intent", or "shape" for plans that call the same tools with the same argument names, whatever the values.
      near: also drop near-duplicates, at this Jaccard similarity (0.5..1) of calls and request; see
        `gatling_beam.near`. `sample_id` must be unique among the survivors.
      priorities: source name -> priority, the least survives; unknown sources have 500.
      spill_to: a folder (path or fsspec URL) that every worker sees. Files are left in a new folder below it: remove
        them when the pipeline is done.
      buckets: with `spill_to`, 1..100,000; take ceil(expected rows / 50,000).

    Returns:
      `DedupResult(rows, tallies)`: in, out and duplicate by source; the reason of a duplicate is the source of the row
      that survived, or "near:" and the source of the least row that it is too close to. Not summed (see `SumTallies`).

    Example:
      >>> unique = plans.rows | DedupByIntentHash(priorities={"xlam": 1})
      >>> unique.rows | WriteSamples("out", shards=8)
    """

    def __init__(
        self,
        *,
        key: DedupKey = "intent",
        near: float | None = None,
        priorities: Mapping[str, int] | None = None,
        spill_to: str | None = None,
        buckets: int = 64,
    ) -> None:
        super().__init__()
        self._key = dedup_key(key)
        self._near = None if near is None else check_threshold(near)
        self._priorities = dict(priorities or {})
        self._spill_to = spill_to
        self._buckets = check_buckets(buckets)

    def expand(self, rows: beam.PCollection[Sample]) -> "DedupResult":
        require_bounded(rows, "DedupByIntentHash")
        if self._spill_to is None:
            return DedupResult(*combine_duplicates(rows, self._key, self._near, self._priorities))
        if self._near is None:
            merge = Survivors(key_column(self._key), self._priorities)
            done = rows | "Exchange" >> ExchangeByHash(
                merge, buckets=self._buckets, key=self._key, exchange="files", spill_to=self._spill_to
            )
            return DedupResult(done.results, done.tallies)
        return self._near_by_files(rows, self._near, spill_folder(self._spill_to, rows.pipeline))

    def _near_by_files(self, rows: beam.PCollection[Sample], near: float, folder: str) -> DedupResult:
        """Only paths pass the shuffle, and no row is read before all that is said about it is known."""
        survivors = rows | "ExactToFiles" >> ExchangeByHash(
            SurvivorFile(folder, self._buckets, key_column(self._key), self._priorities),
            buckets=self._buckets,
            key=self._key,
            exchange="files",
            spill_to=folder,
            result_type=str,
        )
        drops = survivors.results | "CompareBands" >> ExchangeFiles(
            Bands(near, self._priorities),
            DropFile(folder, near),
            buckets=self._buckets * _BAND_FACTOR,
            schema=BAND_SCHEMA,
            key_column="band",
            spill_to=folder,
            result_type=str,
        )
        kept = drops.results | "DropNear" >> ExchangeFiles(
            read_tables,
            WithoutDrops(folder, self._buckets),
            buckets=self._buckets,
            schema=DROP_SCHEMA,
            key_column="home",
            spill_to=folder,
            result_type=Sample,
        )
        counts = (survivors.tallies, kept.tallies) | "AllTallies" >> beam.Flatten()
        return DedupResult(kept.results, counts)
