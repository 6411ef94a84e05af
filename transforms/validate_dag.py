"""`ValidateDAG`: rows whose plan is no well-formed directed acyclic graph become dead letters."""

import apache_beam as beam

from gatling_beam.sample import Sample
from gatling_beam.transforms._outcomes import Outcome, Rows, SplitOutcomes, split_outcomes
from gatling_beam.validate_dag import STAGE, validate_sample


class _Validate(SplitOutcomes):
    stage = STAGE

    def __init__(self, connected: bool) -> None:
        self._connected = connected

    def source_of(self, element: Sample) -> str:
        return element.source.name

    def outcome(self, element: Sample, notes: dict[str, int]) -> Outcome:
        return validate_sample(element, connected=self._connected)


@beam.typehints.with_input_types(Sample)
class ValidateDAG(beam.PTransform):
    """PCollection[Sample] -> `Rows`: the rows whose plan is a DAG, dead letters for the others, and counts by source.

    Node ids are unique, edges join two nodes that are there, no edge stands twice, there is no cycle (the dead letter
    names one), and a plan has 1 to 64 nodes.

    Args:
      connected: whether a plan that falls into several parts is a dead letter as well.
    """

    def __init__(self, connected: bool = True) -> None:
        if not isinstance(connected, bool):
            raise TypeError(f"connected={connected!r} is not True or False")
        self._connected = connected

    def expand(self, samples: beam.PCollection[Sample]) -> "Rows":
        return split_outcomes("Validate", samples, Sample, _Validate(self._connected))
