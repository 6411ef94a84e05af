"""The one way from a pure function to rows, dead letters and counts; not public."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

import gatling_beam.transforms._coders  # noqa: F401
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter, Drop, Sample, Tally

Outcome = Sample | GoldTrace | DeadLetter | Drop


class Rows(NamedTuple):
    """What a transform makes of its input: the PCollections `rows` (Sample, or the type that the transform names),
    `dead` (DeadLetter), `tallies` (Tally)."""

    rows: beam.PCollection[Any]
    dead: beam.PCollection[DeadLetter]
    tallies: beam.PCollection[Tally]


class SplitOutcomes(beam.DoFn):
    """A row goes on, a DeadLetter goes to "dead", counts go to "tallies" once a bundle.

    A subclass gives the pure function `outcome(element, notes)`, and `source_of(element)` for the count of what came
    in.
    """

    stage: str

    def source_of(self, element: Any) -> str:
        raise NotImplementedError

    def outcome(self, element: Any, notes: dict[str, int]) -> Outcome:
        raise NotImplementedError

    def start_bundle(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def process(self, element: Any) -> Iterable[Any]:
        counts = self._counts
        source = self.source_of(element)
        notes: dict[str, int] = {}
        counts[source, "in", ""] += 1
        outcome = self.outcome(element, notes)
        if isinstance(outcome, DeadLetter):
            counts[source, "dead", outcome.reason] += 1
            yield beam.pvalue.TaggedOutput("dead", outcome)
        elif isinstance(outcome, Drop):
            counts[source, outcome.kind, outcome.reason] += 1
        else:
            counts[source, "out", ""] += 1
            yield outcome
        for note, n in notes.items():
            counts[source, "note", note] += n

    def finish_bundle(self) -> Iterable[Any]:
        window = GlobalWindow()
        for (source, kind, reason), n in sorted(self._counts.items()):
            tally = Tally(self.stage, source, kind, n, reason)
            yield beam.pvalue.TaggedOutput("tallies", WindowedValue(tally, window.max_timestamp(), (window,)))


def split_outcomes(label: str, pcoll: Any, element_type: type, dofn: SplitOutcomes, row_type: type = Sample) -> Rows:
    """`pcoll` through `dofn`, with the types of all three outputs declared."""
    step = (
        beam.ParDo(dofn)
        .with_input_types(element_type)
        .with_output_types(row_type, dead=DeadLetter, tallies=Tally)
        .with_outputs("dead", "tallies", main="rows")
    )
    outputs = pcoll | label >> step
    return Rows(outputs.rows, outputs.dead, outputs.tallies)
