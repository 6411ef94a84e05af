"""`BuildFamilies`: crossings of anchors, judged."""

from collections.abc import Sequence

import apache_beam as beam

from gatling_beam.families.build import STRATEGIES
from gatling_beam.families.make import Making
from gatling_beam.sample import Sample
from gatling_beam.transforms._make_families import MakeFamilies
from gatling_beam.transforms._outcomes import Rows


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
      strategies: of Tier II (`families.build.STRATEGIES`, and `families.compound.STRATEGY` of two terms at once), or
        kinds of Tier III (`families.build.BOUNDARY_KINDS`).
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
        return anchors | "MakeFamilies" >> MakeFamilies([self._making])
