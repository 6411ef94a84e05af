"""`ValidateTraces`: gold traces that break a rule become dead letters."""

import apache_beam as beam

from gatling_beam.oracle.convert import SOURCE
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.transforms._coders import register
from gatling_beam.transforms._outcomes import Outcome, Rows, SplitOutcomes, split_outcomes
from gatling_beam.validate.check import STAGE, check_trace

register(GoldTrace)


class _Validate(SplitOutcomes):
    stage = STAGE

    def source_of(self, element: GoldTrace) -> str:
        return SOURCE

    def outcome(self, element: GoldTrace, notes: dict[str, int]) -> Outcome:
        return check_trace(element)


@beam.typehints.with_input_types(GoldTrace)
class ValidateTraces(beam.PTransform):
    """PCollection[GoldTrace] -> `Rows`: in `rows` the traces (GoldTrace) that pass every validator, marked as
    validated; in `dead` one dead letter `invalid_trace` for each other, with the rules it breaks; counts in `tallies`.

    The validators look at structure, schema, policy and minimal scope (`gatling_beam.validate`). A trace is judged by
    the domain registry of this version.
    """

    def expand(self, traces: beam.PCollection[GoldTrace]) -> "Rows":
        return split_outcomes("Validate", traces, GoldTrace, _Validate(), GoldTrace)
