"""`MutateScope`: plans that ask for more than the request does."""

import apache_beam as beam

from gatling_beam.mutate.scope import STRATEGY
from gatling_beam.sample import Sample
from gatling_beam.transforms._outcomes import Rows
from gatling_beam.transforms.build_families import BuildFamilies


@beam.typehints.with_input_types(Sample)
class MutateScope(beam.PTransform):
    """PCollection[Sample] of anchors -> `Rows`: crossings of the strategy `scope_blowup`, not yet judged.

    The plan asks for another size, or for another set of records, than the request; the policy permits both.
    The arguments are those of `BuildFamilies`; `JudgeRows` accepts what comes out.

    Example:
      >>> made = anchors | MutateScope(difficulty="hard", seed=7)
      >>> rows = made.rows | JudgeRows()
    """

    def __init__(self, difficulty: str | None = None, *, seed: int = 0, k: int = 1, catalogue: str = "ours") -> None:
        super().__init__()
        self._build = BuildFamilies([STRATEGY], difficulty=difficulty, seed=seed, k=k, judge=False, catalogue=catalogue)

    def expand(self, anchors: beam.PCollection[Sample]) -> "Rows":
        return anchors | "BuildFamilies" >> self._build
