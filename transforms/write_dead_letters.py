"""`WriteDeadLetters`: dead letters become sorted files."""

import apache_beam as beam

from gatling_beam.exchange import check_buckets
from gatling_beam.sample import DeadLetter
from gatling_beam.shards import Format, ShardFile, check_format
from gatling_beam.transforms._coders import register
from gatling_beam.transforms.exchange_by_hash import Exchange, ExchangeByHash, check_exchange
from gatling_beam.write import DeadLetterShard

register(ShardFile)


@beam.typehints.with_input_types(DeadLetter)
@beam.typehints.with_output_types(ShardFile)
class WriteDeadLetters(beam.PTransform):
    """PCollection[DeadLetter] -> PCollection[ShardFile]: exactly `shards` files, sorted by dead_id.

    Names, bytes and arguments are as in `WriteSamples`; without dead letters the files are there and empty.

    Args:
      directory: a path or an fsspec URL; made if missing.
      format: parquet, jsonl or avro.
      shards: 1..100,000; take ceil(expected dead letters / 50,000).
      spill_to, exchange: see `ExchangeByHash`.
    """

    def __init__(
        self,
        directory: str,
        *,
        format: Format = "parquet",
        shards: int = 1,
        spill_to: str | None = None,
        exchange: Exchange = "auto",
    ) -> None:
        super().__init__()
        self._merge = DeadLetterShard(str(directory), check_format(format), check_buckets(shards, "shards"))
        self._exchange = check_exchange(exchange)
        self._spill_to = spill_to

    def expand(self, dead: beam.PCollection[DeadLetter]) -> beam.PCollection[ShardFile]:
        written = dead | "Exchange" >> ExchangeByHash(
            self._merge,
            buckets=self._merge.shards,
            row_type=DeadLetter,
            key="dead_id",
            exchange=self._exchange,
            spill_to=self._spill_to,
            result_type=ShardFile,
        )
        return written.results
