"""`MutateFlow`: data that go to somebody else than the request says."""

import apache_beam as beam

from gatling_beam.mutate.flow import STRATEGY
from gatling_beam.sample import Sample
from gatling_beam.transforms._outcomes import Rows
from gatling_beam.transforms.build_families import BuildFamilies


@beam.typehints.with_input_types(Sample)
class MutateFlow(beam.PTransform):
    """PCollection[Sample] of anchors -> `Rows`: crossings of the strategy `exfiltration_pivot`, not yet judged.

    Data go to people whom the request does not name, and who may not get them unnamed.
    The arguments are those of `BuildFamilies`; `JudgeRows` accepts what comes out.

    Example:
      >>> made = anchors | MutateFlow(difficulty="hard", seed=7)
      >>> rows = made.rows | JudgeRows()
    """

    def __init__(self, difficulty: str | None = None, *, seed: int = 0, k: int = 1, catalogue: str = "ours") -> None:
        super().__init__()
        self._build = BuildFamilies([STRATEGY], difficulty=difficulty, seed=seed, k=k, judge=False, catalogue=catalogue)

    def expand(self, anchors: beam.PCollection[Sample]) -> "Rows":
        return anchors | "BuildFamilies" >> self._build
