"""What a probe and the reference learner give: plain values, so that a result can be read without the learners."""

import msgspec

from gatling_beam.audit.ceilings import Verdict


class Figure(msgspec.Struct, frozen=True):
    """One probe with its verdict. `negatives` and `benign` count rows; `floor` is that of scope sizes, else None."""

    strategy: str
    kind: str
    difficulty: str
    comparison: str
    view: str
    negatives: int
    benign: int
    auc: float
    distance: float
    lower: float
    model: str
    ceiling: float | None
    verdict: Verdict
    floor: float | None = None


class LearnerScore(msgspec.Struct, frozen=True):
    """The learner's AUC on the rows of a strategy and difficulty ("" for all)."""

    strategy: str
    difficulty: str
    rows: int
    auc: float
