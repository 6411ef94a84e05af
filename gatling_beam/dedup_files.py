"""Exact and near dedup with the rows in files between the steps: what each bucket of the three exchanges does.

1. Rows by their key: one row of each key survives (`SurvivorFile` writes the bucket's survivors).
2. Bands of the survivors by band: which rows are too close to a lesser one (`DropFile`).
3. Drops by the key of the row they drop: the bucket's survivors without them (`WithoutDrops`).
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from gatling_beam.columns import StructColumns
from gatling_beam.dedup import deduplicate, source_counts, tallies
from gatling_beam.exchange import first_key
from gatling_beam.extents import read_tables, write_table
from gatling_beam.files import join
from gatling_beam.near import NearDrop, NearRow, least_drops, near_drops, near_rows
from gatling_beam.ordering import in_total_order
from gatling_beam.sample import Sample, Tally

#: Columns of the exchanged bands and drops.
BAND_SCHEMA = StructColumns(NearRow).schema
DROP_SCHEMA = StructColumns(NearDrop).schema

_SAMPLES = StructColumns(Sample)


class Survivors(msgspec.Struct, frozen=True):
    """Merges a bucket into its surviving rows, sorted by sample_id, and the counts of the dedup."""

    key: str
    priorities: Mapping[str, int]

    def __call__(self, index: int, table: pa.Table) -> Iterator[Sample | Tally]:
        rows, pairs = deduplicate(table, self.key, self.priorities)
        yield from tallies(source_counts(table), pairs, source_counts(rows))
        yield from _SAMPLES.decode(in_total_order(rows, ["sample_id"], Sample))


class SurvivorFile(msgspec.Struct, frozen=True):
    """Merges a bucket into a file of its survivors in `folder` and gives its path; counts what came in and duplicates.

    What goes out is counted by `WithoutDrops`.
    """

    folder: str
    buckets: int
    key: str
    priorities: Mapping[str, int]

    def __call__(self, index: int, table: pa.Table) -> Iterator[str | Tally]:
        rows, pairs = deduplicate(table, self.key, self.priorities)
        yield from tallies(source_counts(table), pairs, {})
        path = _survivor_path(self.folder, first_key(index, self.buckets))
        write_table(path, in_total_order(rows, ["sample_id"], Sample))
        yield path


class Bands(msgspec.Struct, frozen=True):
    """Reads a file of survivors as tables of `NearRow`s."""

    threshold: float
    priorities: Mapping[str, int]

    def __call__(self, path: str) -> Iterator[pa.Table]:
        home = os.path.splitext(os.path.basename(path))[0]
        for table in read_tables(path):
            yield near_rows(table, self.threshold, self.priorities, home)


class DropFile(msgspec.Struct, frozen=True):
    """Merges a bucket of bands into a file of `NearDrop`s in `folder` and gives its path, if there are any."""

    folder: str
    threshold: float

    def __call__(self, index: int, table: pa.Table) -> Iterator[str]:
        drops = near_drops(table, self.threshold)
        if drops.num_rows:
            path = join(self.folder, f"drops-{index:06d}.arrow")
            write_table(path, drops)
            yield path


class WithoutDrops(msgspec.Struct, frozen=True):
    """Merges a bucket of drops into the rows of the survivors' file of the same bucket that are not dropped."""

    folder: str
    buckets: int

    def __call__(self, index: int, table: pa.Table) -> Iterator[Sample | Tally]:
        drops = least_drops(table)
        sources = zip(drops["of_source"].to_pylist(), drops["source"].to_pylist(), strict=True)
        pairs = Counter((f"near:{winner}", loser) for winner, loser in sources)
        left: Counter[str] = Counter()
        for rows in read_tables(_survivor_path(self.folder, first_key(index, self.buckets))):
            kept = rows.filter(pc.invert(pc.is_in(rows["sample_id"], drops["sample_id"].combine_chunks())))
            left += source_counts(kept)
            yield from _SAMPLES.decode(kept)
        yield from tallies({}, pairs, left)


def _survivor_path(folder: str, home: str) -> str:
    return join(folder, f"{home}.arrow")
