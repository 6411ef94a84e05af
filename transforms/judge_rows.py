"""`JudgeRows`: rows whose construction, judge and critic agree, with their labels and energies."""

import apache_beam as beam

from gatling_beam.families.accept import STAGE
from gatling_beam.families.make import judged_or_dead
from gatling_beam.sample import Sample
from gatling_beam.transforms._outcomes import Outcome, Rows, SplitOutcomes, split_outcomes


class _Judge(SplitOutcomes):
    stage = STAGE

    def source_of(self, element: Sample) -> str:
        return element.source.name

    def outcome(self, element: Sample, notes: dict[str, int]) -> Outcome:
        return judged_or_dead(element)


@beam.typehints.with_input_types(Sample)
class JudgeRows(beam.PTransform):
    """PCollection[Sample] -> `Rows`: accepted rows, dead letters for the others, and counts of the stage "accept".

    A row comes with declared labels, as `MutateScope` and the like make it. It is accepted if what its construction
    declares, what the judge decides and what the critic measures agree on all four terms; then it has its four labels
    with severity and explanation, and its energies. Rows are judged one by one: a crossing of which one row is refused
    loses that row alone (`BuildFamilies` takes a crossing as a whole).
    """

    def expand(self, rows: beam.PCollection[Sample]) -> "Rows":
        return split_outcomes("Judge", rows, Sample, _Judge())
