"""`BuildFamilies`: crossings of anchors, judged."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows

from gatling_beam.families.build import STRATEGIES
from gatling_beam.families.make import STAGE, Making, make
from gatling_beam.sample import DeadLetter, Sample, Tally
from gatling_beam.transforms._outcomes import Rows


class MakeRows(beam.DoFn):
    """The rows of an anchor; its dead letters go to "dead", counts to "tallies" once a bundle."""

    def __init__(self, making: Making) -> None:
        self._making = making

    def start_bundle(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def process(self, anchor: Sample) -> Iterable[Any]:
        counts, source = self._counts, anchor.source.name
        outcome = make(anchor, self._making)
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
class BuildFamilies(beam.PTransform):
    """PCollection[Sample] of anchors -> `Rows`: the rows of their crossings, dead letters, and counts by source.

    An anchor is a benign row of no family with tools of the registry; one without a warrant is annotated first. Of each
    strategy up to `k` different crossings are made: two situations and two plans, of which one pairing is benign and
    the other is not. The anchor itself does not come out. What is drawn depends on (seed, sample_id, strategy, number
    of the crossing) alone, so the same rows come on every runner.

    Counts of the stage "families": in (rows that came), expanded (rows that were made), out, dead, not_selected (the
    rows that came: anchor, not_benign, in_family); a note "<strategy>: <reason>" for each anchor that a strategy does
    not apply to (`gatling_beam.mutate.crossing.REASONS`).

    Args:
      strategies: of Tier II (`families.build.STRATEGIES`), or kinds of Tier III (`families.build.BOUNDARY_KINDS`).
      difficulty: hard, medium or easy; None for any, one third each. Not for Tier III.
      seed: 0..2**63-1.
      k: crossings of a strategy and an anchor at most, 1..1,000.
      first: the number of the first crossing, 0 or more: with first=k a second step goes on where the first ended.
      form: size or set, if `strategies` is scope_blowup alone; None for either.
      judge: whether rows are accepted here, a crossing as a whole; False gives them with declared labels only, for
        `JudgeRows`.
      catalogue: "original" gives the four mutations of the original system with its declared labels, past acceptance:
        of each strategy up to `k` rows, and the anchor as the benign row beside them (`gatling_beam.mutate.original`).
      share: the part of the anchors, 0 < share <= 1, of which crossings are made; a function of seed and sample_id.

    Example:
      >>> families = anchors | BuildFamilies(difficulty="hard", seed=7, k=2)
    """

    def __init__(
        self,
        strategies: Sequence[str] = STRATEGIES,
        *,
        difficulty: str | None = None,
        seed: int = 0,
        k: int = 1,
        first: int = 0,
        form: str | None = None,
        judge: bool = True,
        catalogue: str = "ours",
        share: float = 1.0,
    ) -> None:
        super().__init__()
        if isinstance(strategies, str):
            raise TypeError(f"strategies={strategies!r} is not a list of names; write [{strategies!r}]")
        self._making = Making(tuple(strategies), difficulty, seed, k, first, form, judge, catalogue, share)

    def expand(self, anchors: beam.PCollection[Sample]) -> "Rows":
        outputs = anchors | "Make" >> (
            beam.ParDo(MakeRows(self._making))
            .with_input_types(Sample)
            .with_output_types(Sample, dead=DeadLetter, tallies=Tally)
            .with_outputs("dead", "tallies", main="rows")
        )
        return Rows(outputs.rows, outputs.dead, outputs.tallies)
