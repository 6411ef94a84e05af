"""`MutateProvenance`: values from a source that may not give them."""

import apache_beam as beam

from gatling_beam.mutate.provenance import STRATEGY
from gatling_beam.sample import Sample
from gatling_beam.transforms._outcomes import Rows
from gatling_beam.transforms.build_families import BuildFamilies


@beam.typehints.with_input_types(Sample)
class MutateProvenance(beam.PTransform):
    """PCollection[Sample] of anchors -> `Rows`: crossings of the strategy `provenance_rug_pull`, not yet judged.

    An argument that the request leaves open comes from a source that the policy does not trust with it.
    The arguments are those of `BuildFamilies`; `JudgeRows` accepts what comes out.

    Example:
      >>> made = anchors | MutateProvenance(difficulty="hard", seed=7)
      >>> rows = made.rows | JudgeRows()
    """

    def __init__(self, difficulty: str | None = None, *, seed: int = 0, k: int = 1, catalogue: str = "ours") -> None:
        super().__init__()
        self._build = BuildFamilies([STRATEGY], difficulty=difficulty, seed=seed, k=k, judge=False, catalogue=catalogue)

    def expand(self, anchors: beam.PCollection[Sample]) -> "Rows":
        return anchors | "BuildFamilies" >> self._build
