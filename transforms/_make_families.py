"""The step that makes crossings of anchors. Not public."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows

from gatling_beam.families.make import STAGE, Making, make
from gatling_beam.process_settings import SELDOM_GC
from gatling_beam.sample import DeadLetter, Sample, Tally
from gatling_beam.transforms._outcomes import Rows


class _Make(beam.DoFn):
    """The rows of an anchor by all makings; its dead letters go to "dead", counts to "tallies" once a bundle."""

    def __init__(self, makings: tuple[Making, ...]) -> None:
        self._makings = makings

    def setup(self) -> None:
        SELDOM_GC.take()

    def teardown(self) -> None:
        SELDOM_GC.give_back()

    def start_bundle(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def process(self, anchor: Sample) -> Iterable[Any]:
        counts, source = self._counts, anchor.source.name
        outcome = make(anchor, self._makings)
        counts[source, "in", ""] += 1
        counts[source, "not_selected", outcome.left] += 1
        counts[source, "expanded", ""] += len(outcome.rows) + len(outcome.dead)
        counts[source, "out", ""] += len(outcome.rows)
        for note in outcome.notes:
            counts[source, "note", note] += 1
        for letter in outcome.dead:
            counts[source, "dead", letter.reason] += 1
            yield TaggedOutput("dead", letter)
        yield from outcome.rows

    def finish_bundle(self) -> Iterable[Any]:
        for (source, kind, reason), n in sorted(self._counts.items()):
            yield TaggedOutput("tallies", GlobalWindows.windowed_value(Tally(STAGE, source, kind, n, reason)))


@beam.typehints.with_input_types(Sample)
class MakeFamilies(beam.PTransform):
    """PCollection[Sample] of anchors -> `Rows` of all `makings`, with the counts that `BuildFamilies` says.

    One step for all of them: rows of several would be flattened, and an in-process runner holds in memory what it
    flattens.
    """

    def __init__(self, makings: Iterable[Making]) -> None:
        super().__init__()
        self._makings = tuple(makings)

    def expand(self, anchors: beam.PCollection[Sample]) -> "Rows":
        outputs = anchors | "Make" >> (
            beam.ParDo(_Make(self._makings))
            .with_input_types(Sample)
            .with_output_types(Sample, dead=DeadLetter, tallies=Tally)
            .with_outputs("dead", "tallies", main="rows")
        )
        return Rows(outputs.rows, outputs.dead, outputs.tallies)
