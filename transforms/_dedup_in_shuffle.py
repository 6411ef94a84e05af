"""Dedup through the runner's own shuffle: a combiner, and for near-duplicates a join. Not public."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows

from gatling_beam.dedup import DuplicateGroup, Pairs, group_of, merge_groups, survivor, tallies
from gatling_beam.exchange import Key
from gatling_beam.near import NearRow, RowOrDrop, drops_of_band, near_rows_of, rows_and_drop
from gatling_beam.sample import Sample, Tally
from gatling_beam.transforms._coders import StructCoder, register

register(NearRow, RowOrDrop, DuplicateGroup)


def combine_duplicates(
    rows: beam.PCollection[Sample], key: Key, near: float | None, priorities: Mapping[str, int]
) -> tuple[Any, Any]:
    """(PCollection of the survivors, PCollection of Tally)."""
    keyed = rows | "KeyByHash" >> beam.Map(_keyed, key).with_output_types(tuple[str, Sample])
    unique = (
        keyed
        | "Combine" >> beam.CombinePerKey(_DuplicateGroups(priorities)).with_output_types(tuple[str, DuplicateGroup])
        | "Survivors" >> _with_tallies(_Survivors(final=near is None))
    )
    if near is None:
        return unique.rows, unique.tallies
    drops = (
        unique.rows
        | "CutBands" >> beam.FlatMap(_bands, near, priorities).with_output_types(tuple[str, NearRow])
        | "GatherBands" >> beam.GroupByKey()
        | "CompareBands" >> beam.FlatMap(_drops, near).with_output_types(tuple[str, RowOrDrop])
    )
    rows_by_id = unique.rows | "KeyById" >> beam.Map(_by_id).with_output_types(tuple[str, RowOrDrop])
    # Not CoGroupByKey: it pickles its elements, whatever coders their types have.
    joined = (rows_by_id, drops) | "RowsAndDrops" >> beam.Flatten() | "JoinDrops" >> beam.GroupByKey()
    kept = joined | "DropNear" >> _with_tallies(_DropNear())
    return kept.rows, (unique.tallies, kept.tallies) | "AllTallies" >> beam.Flatten()


def _with_tallies(dofn: beam.DoFn) -> beam.PTransform:
    return beam.ParDo(dofn).with_output_types(Sample, tallies=Tally).with_outputs("tallies", main="rows")


def _keyed(sample: Sample, key: Key) -> tuple[str, Sample]:
    return (getattr(sample, key) if isinstance(key, str) else key(sample)), sample


@beam.typehints.with_input_types(Sample)
@beam.typehints.with_output_types(DuplicateGroup)
class _DuplicateGroups(beam.CombineFn):
    def __init__(self, priorities: Mapping[str, int]) -> None:
        self._priorities = priorities

    def create_accumulator(self) -> DuplicateGroup:
        return DuplicateGroup()

    def add_input(self, group: DuplicateGroup, sample: Sample) -> DuplicateGroup:
        return merge_groups((group, group_of(sample)), self._priorities)

    def merge_accumulators(self, groups: Iterable[DuplicateGroup]) -> DuplicateGroup:
        return merge_groups(groups, self._priorities)

    def extract_output(self, group: DuplicateGroup) -> DuplicateGroup:
        return group

    def get_accumulator_coder(self) -> StructCoder:
        return StructCoder(DuplicateGroup)


class _Counting(beam.DoFn):
    """Gives the counts of a bundle at its end: what came in and went out by source, and whose duplicates there were."""

    def start_bundle(self) -> None:
        self._came: Counter[str] = Counter()
        self._left: Counter[str] = Counter()
        self._pairs: Pairs = Counter()

    def finish_bundle(self) -> Iterator[Any]:
        for tally in tallies(self._came, +self._pairs, self._left):
            yield TaggedOutput("tallies", GlobalWindows.windowed_value(tally))


class _Survivors(_Counting):
    """The survivors of groups; they are counted as out if no further step may drop them."""

    def __init__(self, final: bool) -> None:
        self._final = final

    def process(self, keyed: tuple[str, DuplicateGroup]) -> Iterator[Any]:
        group = keyed[1]
        row = survivor(group)
        winner = row.source.name
        self._came.update(group.sources)
        self._left[winner] += self._final
        self._pairs.update({(winner, loser): n for loser, n in group.sources.items()})
        self._pairs[winner, winner] -= 1
        yield row


def _bands(sample: Sample, near: float, priorities: Mapping[str, int]) -> Iterator[tuple[str, NearRow]]:
    for row in near_rows_of(sample, near, priorities):
        yield row.band, row


def _drops(band: tuple[str, Iterable[NearRow]], near: float) -> Iterator[tuple[str, RowOrDrop]]:
    for drop in drops_of_band(band[1], near):
        yield drop.sample_id, RowOrDrop(drop=drop)


def _by_id(sample: Sample) -> tuple[str, RowOrDrop]:
    return sample.sample_id, RowOrDrop(row=sample)


class _DropNear(_Counting):
    """The rows that no lesser row drops."""

    def process(self, joined: tuple[str, Iterable[RowOrDrop]]) -> Iterator[Any]:
        rows, drop = rows_and_drop(joined[1])
        for row in rows:
            if drop is None:
                self._left[row.source.name] += 1
                yield row
            else:
                self._pairs[f"near:{drop.of_source}", row.source.name] += 1
