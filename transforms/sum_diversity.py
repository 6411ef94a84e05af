"""`SumDiversity`: how varied a whole set of gold traces is."""

from collections.abc import Iterable

import apache_beam as beam
from apache_beam import coders

from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.transforms._coders import StructCoder, register
from gatling_beam.validate.diversity import Diversity, diversity_of, merge_diversity

register(GoldTrace)
register(Diversity)

_BATCH = 500


class _Merge(beam.CombineFn):
    """Collects the counts of batches and adds them up where they are sent on."""

    def get_accumulator_coder(self) -> coders.Coder:
        return coders.IterableCoder(StructCoder(Diversity))

    def create_accumulator(self) -> list[Diversity]:
        return []

    def add_input(self, accumulator: list[Diversity], element: Diversity) -> list[Diversity]:
        accumulator.append(element)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[Diversity]]) -> list[Diversity]:
        return self.compact([part for parts in accumulators for part in parts])

    def compact(self, accumulator: list[Diversity]) -> list[Diversity]:
        return [merge_diversity(accumulator)]

    def extract_output(self, accumulator: list[Diversity]) -> Diversity:
        return merge_diversity(accumulator)


def _count(traces: Iterable[GoldTrace]) -> Diversity:
    return diversity_of(traces)


@beam.typehints.with_input_types(GoldTrace)
@beam.typehints.with_output_types(Diversity)
class SumDiversity(beam.PTransform):
    """PCollection[GoldTrace] -> one `Diversity` of them all; `validate.diversity.report` makes its figures.

    Two hashes of each request are kept: some 16 bytes a trace in the memory of one worker.
    """

    def expand(self, traces: beam.PCollection[GoldTrace]) -> beam.PCollection[Diversity]:
        batches = traces | "Batch" >> beam.BatchElements(min_batch_size=_BATCH, max_batch_size=_BATCH)
        parts = batches | "Count" >> beam.Map(_count).with_output_types(Diversity)
        return parts | "Merge" >> beam.CombineGlobally(_Merge())
