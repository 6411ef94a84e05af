"""`BuildContrastSets`: families as small matrices, in files."""

import apache_beam as beam

from gatling_beam.contrast import ContrastShard
from gatling_beam.exchange import check_buckets
from gatling_beam.sample import Sample
from gatling_beam.shards import Format, ShardFile, check_format
from gatling_beam.transforms._coders import register
from gatling_beam.transforms.exchange_by_hash import Exchange, ExchangeByHash, check_exchange
from gatling_beam.transforms.write_samples import WriteResult

register(ShardFile)


@beam.typehints.with_input_types(Sample)
class BuildContrastSets(beam.PTransform):
    """PCollection[Sample] -> files of `gatling_beam.contrast.ContrastSet`, one a family, exactly `shards` of them.

    A set holds the contexts and the plans of a family and the judged relation of each cell that a row stands for:
    label, verdicts, energies, severities; and repairs. A cell that is not listed is unknown, never a negative. Rows
    without a family or without a verdict are left out and counted.

    Args:
      directory: a path or an fsspec URL; made if missing.
      format: parquet, jsonl or avro.
      shards: 1..100,000; take ceil(rows / 50,000): a worker holds the rows of one shard in memory.
      spill_to, exchange: see `ExchangeByHash`.

    Returns:
      `WriteResult(files, tallies)`; the counts are those of the stage "contrast": in (rows), expanded and out (sets),
      not_selected (rows: cell, no_family, not_judged).

    Example:
      >>> rows | BuildContrastSets("out/contrast", shards=8)
    """

    def __init__(
        self,
        directory: str,
        *,
        format: Format = "parquet",
        shards: int,
        spill_to: str | None = None,
        exchange: Exchange = "auto",
    ) -> None:
        super().__init__()
        self._merge = ContrastShard(str(directory), check_format(format), check_buckets(shards, "shards"))
        self._exchange = check_exchange(exchange)
        self._spill_to = spill_to

    def expand(self, rows: beam.PCollection[Sample]) -> "WriteResult":
        written = rows | "Exchange" >> ExchangeByHash(
            self._merge,
            buckets=self._merge.shards,
            key="group_id",
            exchange=self._exchange,
            spill_to=self._spill_to,
            result_type=ShardFile,
        )
        return WriteResult(written.results, written.tallies)
