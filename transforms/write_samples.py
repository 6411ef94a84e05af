"""`WriteSamples`: rows become a fixed number of sorted files with the same bytes on every run."""

from collections.abc import Mapping
from typing import NamedTuple

import apache_beam as beam

from gatling_beam.dedup import DedupKey, dedup_key
from gatling_beam.exchange import check_buckets, key_column
from gatling_beam.sample import Sample, Tally
from gatling_beam.shards import Format, ShardFile, check_format
from gatling_beam.transforms._coders import register
from gatling_beam.transforms.exchange_by_hash import Exchange, ExchangeByHash, check_exchange
from gatling_beam.write import SampleShard

register(ShardFile)


class WriteResult(NamedTuple):
    """What was written: `files` (PCollection[ShardFile], one a shard) and `tallies` (PCollection[Tally])."""

    files: beam.PCollection[ShardFile]
    tallies: beam.PCollection[Tally]


@beam.typehints.with_input_types(Sample)
class WriteSamples(beam.PTransform):
    """PCollection[Sample] -> files `part-KKKKK-of-NNNNN.<format>` in a directory, exactly `shards` of them.

    A row's shard and place follow from its hash and its sample_id alone: the same rows give the same names and, for
    one version of pyarrow, the same bytes, on every runner, in any order and after any retry. A file appears whole or
    not at all; a run over an existing directory replaces files of equal names and leaves others.

    Args:
      directory: a path or an fsspec URL; made if missing.
      format: parquet, jsonl or avro.
      shards: 1..100,000; take ceil(expected rows / 50,000): a worker holds one shard in memory,
        some 3 kB a row and twice that for a moment.
      unique_by: "intent" or "shape" to write one row of each intent hash or shape hash (see `DedupByIntentHash`).
      priorities: source name -> priority, the least survives; unknown sources have 500.
      policies: policy_id -> policy document as JSON text, put into `governance_context.policy` as a row is written.
      spill_to, exchange: see `ExchangeByHash`.

    Returns:
      `WriteResult(files, tallies)`. With `unique_by` the tallies are those of the stage "dedup" (in, out, duplicate
      with the surviving source), else in and out of the stage "write"; they are not summed (see `SumTallies`).

    Example:
      >>> rows | WriteSamples("out/tier1", shards=8, unique_by="intent")
    """

    def __init__(
        self,
        directory: str,
        *,
        format: Format = "parquet",
        shards: int,
        unique_by: DedupKey | None = None,
        priorities: Mapping[str, int] | None = None,
        policies: Mapping[str, str] | None = None,
        spill_to: str | None = None,
        exchange: Exchange = "auto",
    ) -> None:
        super().__init__()
        self._key = "sample_id" if unique_by is None else dedup_key(unique_by)
        self._merge = SampleShard(
            directory=str(directory),
            format=check_format(format),
            shards=check_buckets(shards, "shards"),
            key=None if unique_by is None else key_column(self._key),
            priorities=dict(priorities or {}),
            policies=None if policies is None else dict(policies),
        )
        self._exchange = check_exchange(exchange)
        self._spill_to = spill_to

    def expand(self, rows: beam.PCollection[Sample]) -> "WriteResult":
        written = rows | "Exchange" >> ExchangeByHash(
            self._merge,
            buckets=self._merge.shards,
            key=self._key,
            exchange=self._exchange,
            spill_to=self._spill_to,
            result_type=ShardFile,
        )
        return WriteResult(written.results, written.tallies)
