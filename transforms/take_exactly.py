"""`TakeExactly`: an exact sample of whole groups, the same on every runner."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import AsDict, TaggedOutput
from apache_beam.transforms.window import GlobalWindows

from gatling_beam.sample import Sample, Tally
from gatling_beam.sampling import (
    STAGE,
    Cut,
    LeastRanks,
    Quota,
    check_quota,
    check_seed,
    cut_of,
    is_taken,
    rank,
    shortfall,
)
from gatling_beam.transforms._coders import StructCoder, register
from gatling_beam.transforms.exchange_by_hash import require_bounded

register(LeastRanks, Cut)


class TakeResult(NamedTuple):
    """`rows` (PCollection[Sample]), those taken, and `tallies` (PCollection[Tally]) of the stage "take"."""

    rows: Any
    tallies: Any


def one_stratum(sample: Sample) -> str:
    """The stratum of every row where there is but one."""
    return ""


@beam.typehints.with_input_types(Sample)
class TakeExactly(beam.PTransform):
    """PCollection[Sample] -> the rows of exactly `quota` groups of each stratum, or of all groups if there are fewer.

    A group is the rows of one group_id in one stratum: all of them are taken or none. Where every row is a group of its
    own, exactly `quota` rows are taken. Which groups is a function of seed and group_id alone: the order of rows, the
    runner and the other groups' rows do not matter, and a greater quota takes the same groups and more.

    Memory: 24 bytes * quota for each stratum; the rows wait until the cut-off is known, on an in-process runner in
    memory (some 4 GB for 1,000,000 rows).

    Args:
      quota: the number of groups, or stratum -> number of groups; rows of other strata are not taken.
      seed: 0..2**64-1.
      stratum: picklable function that says the stratum of a row; by default there is one, "".

    Returns:
      `TakeResult(rows, tallies)`: in, out and not_selected by source (the reason is the stratum), and for a stratum that
      was short a note "shortfall:<stratum>" with the number of groups that are missing.

    Example:
      >>> candidates | TakeExactly({"easy": 300_000, "hard": 700_000}, seed=1, stratum=difficulty)
    """

    def __init__(self, quota: Quota, *, seed: int, stratum: Callable[[Sample], str] = one_stratum) -> None:
        super().__init__()
        self._quota = check_quota(quota)
        self._seed = check_seed(seed)
        if not callable(stratum):
            raise TypeError(f"stratum={stratum!r} is not a function of a Sample")
        self._stratum = stratum

    def expand(self, rows: beam.PCollection[Sample]) -> "TakeResult":
        require_bounded(rows, "TakeExactly")
        strata = sorted(self._quota) if isinstance(self._quota, Mapping) else [""] * (self._stratum is one_stratum)
        expected = rows.pipeline | "Strata" >> beam.Create(strata, reshuffle=False).with_output_types(str)
        no_ranks = expected | "NoRank" >> beam.Map(_no_rank).with_output_types(tuple[str, bytes])
        ranks = rows | "Rank" >> beam.Map(_ranked, self._seed, self._stratum).with_output_types(tuple[str, bytes])
        cuts = (
            (ranks, no_ranks)
            | "WithEmptyStrata" >> beam.Flatten()
            | "CutOff" >> beam.CombinePerKey(_LeastRanks(self._largest())).with_output_types(tuple[str, LeastRanks])
            | "Quota" >> beam.Map(_cut, self._quota).with_output_types(tuple[str, Cut])
        )
        taken = rows | "Take" >> (
            beam.ParDo(_Take(self._seed, self._stratum), AsDict(cuts))
            .with_output_types(Sample, tallies=Tally)
            .with_outputs("tallies", main="rows")
        )
        short = cuts | "Shortfall" >> beam.FlatMap(_shortfall, self._quota).with_output_types(Tally)
        return TakeResult(taken.rows, (taken.tallies, short) | "AllTallies" >> beam.Flatten())
