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
    merge_ranks,
    quota_of,
    rank,
    shortfall,
)
from gatling_beam.transforms._coders import StructCoder, register
from gatling_beam.transforms.exchange_by_hash import require_bounded

register(LeastRanks, Cut)

_Input = tuple[int, bytes]  # quota of the stratum, rank


class TakeResult(NamedTuple):
    """`rows` (PCollection[Sample]), those taken, and `tallies` (PCollection[Tally]) of the stage "take"."""

    rows: beam.PCollection[Sample]
    tallies: beam.PCollection[Tally]


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
      quota: the number of groups of each stratum, or stratum -> number; rows of other strata are not taken.
      seed: 0..2**64-1.
      stratum: picklable function that says the stratum of a row; by default there is one, "".

    Returns:
      `TakeResult(rows, tallies)`: in, out and not_selected by source (the reason is the stratum), and for a stratum
      that was short a note "shortfall:<stratum>" with the number of groups that are missing.

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
        named = sorted(self._quota) if isinstance(self._quota, Mapping) else []
        strata = rows.pipeline | "Strata" >> beam.Create(named, reshuffle=False).with_output_types(str)
        no_ranks = strata | "NoRank" >> beam.Map(_no_rank, self._quota).with_output_types(tuple[str, _Input])
        ranked = beam.FlatMap(_ranked, self._seed, self._quota, self._stratum).with_output_types(tuple[str, _Input])
        cuts = (
            (rows | "Rank" >> ranked, no_ranks)
            | "WithEmptyStrata" >> beam.Flatten()
            | "CutOff" >> beam.CombinePerKey(_CutOff()).with_output_types(tuple[str, Cut])
        )
        taken = rows | "Take" >> (
            beam.ParDo(_Take(self._seed, self._stratum), AsDict(cuts))
            .with_output_types(Sample, tallies=Tally)
            .with_outputs("tallies", main="rows")
        )
        short = cuts | "Shortfall" >> beam.FlatMap(_shortfall, self._quota).with_output_types(Tally)
        return TakeResult(taken.rows, (taken.tallies, short) | "AllTallies" >> beam.Flatten())


def _no_rank(stratum: str, quota: Quota) -> tuple[str, _Input]:
    return stratum, (quota_of(quota, stratum), b"")


def _ranked(sample: Sample, seed: int, quota: Quota, stratum: Callable[[Sample], str]) -> Iterator[tuple[str, _Input]]:
    name = stratum(sample)
    n = quota_of(quota, name)
    if n:
        yield name, (n, rank(seed, sample.group_id))


def _shortfall(cut: tuple[str, Cut], quota: Quota) -> list[Tally]:
    return shortfall(cut[0], quota_of(quota, cut[0]), cut[1])


@beam.typehints.with_input_types(_Input)
@beam.typehints.with_output_types(Cut)
class _CutOff(beam.CombineFn):
    def create_accumulator(self) -> LeastRanks:
        return LeastRanks()

    def add_input(self, ranks: LeastRanks, value: _Input) -> LeastRanks:
        ranks.quota, rank = value
        if rank:
            ranks.add(rank)
        return ranks

    def merge_accumulators(self, parts: Iterable[LeastRanks]) -> LeastRanks:
        return merge_ranks(parts)

    def extract_output(self, ranks: LeastRanks) -> Cut:
        return cut_of(ranks)

    def get_accumulator_coder(self) -> StructCoder:
        return StructCoder(LeastRanks)


class _Take(beam.DoFn):
    """The rows up to the cut-off of their stratum; the counts of a bundle."""

    def __init__(self, seed: int, stratum: Callable[[Sample], str]) -> None:
        self._seed = seed
        self._stratum = stratum

    def start_bundle(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def process(self, sample: Sample, cuts: dict[str, Cut]) -> Iterator[Any]:
        source, stratum = sample.source.name, self._stratum(sample)
        self._counts[source, "in", ""] += 1
        if is_taken(rank(self._seed, sample.group_id), cuts.get(stratum)):
            self._counts[source, "out", ""] += 1
            yield sample
        else:
            self._counts[source, "not_selected", stratum] += 1

    def finish_bundle(self) -> Iterator[Any]:
        for (source, kind, reason), n in sorted(self._counts.items()):
            yield TaggedOutput("tallies", GlobalWindows.windowed_value(Tally(STAGE, source, kind, n, reason)))
