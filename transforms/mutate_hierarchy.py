"""`MutateHierarchy`: actions that a retrieved text orders, and the user does not."""

import apache_beam as beam

from gatling_beam.mutate.hierarchy import STRATEGY
from gatling_beam.sample import Sample
from gatling_beam.transforms._outcomes import Rows
from gatling_beam.transforms.build_families import BuildFamilies


@beam.typehints.with_input_types(Sample)
class MutateHierarchy(beam.PTransform):
    """PCollection[Sample] of anchors -> `Rows`: crossings of the strategy `instruction_shadowing`, not yet judged.

    What is done was ordered by a text that was read, not by the user.
    The arguments are those of `BuildFamilies`; `JudgeRows` accepts what comes out.

    Example:
      >>> made = anchors | MutateHierarchy(difficulty="hard", seed=7)
      >>> rows = made.rows | JudgeRows()
    """

    def __init__(self, difficulty: str | None = None, *, seed: int = 0, k: int = 1, catalogue: str = "ours") -> None:
        super().__init__()
        self._build = BuildFamilies([STRATEGY], difficulty=difficulty, seed=seed, k=k, judge=False, catalogue=catalogue)

    def expand(self, anchors: beam.PCollection[Sample]) -> "Rows":
        return anchors | "BuildFamilies" >> self._build
