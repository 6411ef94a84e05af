"""`SumTallies`: one count a stage, source, kind and reason."""

import apache_beam as beam
import msgspec

import gatling_beam.transforms._coders  # noqa: F401
from gatling_beam.sample import Tally


def _keyed(tally: Tally) -> tuple[str, int]:
    return msgspec.json.encode([tally.stage, tally.source, tally.kind, tally.reason]).decode(), tally.n


def _tally(summed: tuple[str, int]) -> Tally:
    key, n = summed
    stage, source, kind, reason = msgspec.json.decode(key)
    return Tally(stage, source, kind, n, reason)


@beam.typehints.with_input_types(Tally)
@beam.typehints.with_output_types(Tally)
class SumTallies(beam.PTransform):
    """PCollection[Tally] -> PCollection[Tally]: `n` summed over equal (stage, source, kind, reason)."""

    def expand(self, tallies: beam.PCollection[Tally]) -> beam.PCollection[Tally]:
        return tallies | "Key" >> beam.Map(_keyed) | "Sum" >> beam.CombinePerKey(sum) | "Tally" >> beam.Map(_tally)
