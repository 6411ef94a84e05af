"""Rows that a command reads: which files, how many rows, what stands for them, where they come from."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from math import ceil

import msgspec

from gatling_beam.files import sha256_of
from gatling_beam.manifest import SourceVersion, manifest_sha256, read_manifest
from gatling_beam.pipelines.options import UserError
from gatling_beam.sample import Sample, Tally
from gatling_beam.shard_list import ShardRef, list_shards, read_listed
from gatling_beam.shards import UNREADABLE, check_format, count_rows


class Rows(msgspec.Struct, frozen=True):
    """An input: its files, their number of rows, the hash that stands for them, and the versions of their sources."""

    place: str
    shards: list[ShardRef]
    rows: int
    key: str
    sources: dict[str, SourceVersion]

    @property
    def targets(self) -> tuple[str, ...]:
        """What `ReadSamples` is given."""
        return (self.place,)


def look_up_rows(place: str, what: str, flag: str = "--input=") -> Rows:
    """The input at `place`, a directory or a file; `what` names the commands that write such rows, `flag` what
    messages call it by.

    Raises:
      UserError: if it is not there, unfinished, of another kind or empty.
    """
    try:
        shards = list_shards([place])
        rows = sum(count_rows(one.path, check_format(one.format)) if one.rows is None else one.rows for one in shards)
    except UNREADABLE as e:
        raise UserError(f"{flag}{place}: {e}; name the output directory of {what}, or a file of rows") from e
    if not rows:
        raise UserError(f"{flag}{place} holds no row: name an output of {what} with rows")
    if shards[0].sha256 is None:
        return Rows(place, shards, rows, ",".join(sha256_of(one.path) for one in shards), {})
    return Rows(place, shards, rows, manifest_sha256(place), dict(read_manifest(place).sources))


def first_rows(rows: Rows, number: int) -> Iterator[Sample]:
    """About `number` rows, the same part of each file from its start: in an output directory they stand in the order of
    their hashes.

    Raises:
      UserError: if a file cannot be read.
    """
    share = ceil(number / len(rows.shards))
    for shard in rows.shards:
        try:
            yield from islice(read_listed(msgspec.structs.replace(shard, rows=None), validate=False), share)
        except UNREADABLE as e:
            raise UserError(f"--input={rows.place}: {shard.path} cannot be read as rows: {e}") from e


def versions_of(
    rows: Rows, tallies: Iterable[Tally], seen: Mapping[str, SourceVersion] | None = None
) -> dict[str, SourceVersion]:
    """The version of every source that is counted: what the input's manifest says, else what was `seen` of it."""
    known = rows.sources | dict(seen or {})
    names = sorted({tally.source for tally in tallies if tally.source})
    return {
        name: known.get(name) or SourceVersion(dataset=name, revision="unknown", licence="unknown") for name in names
    }


def version_of(row: Sample) -> SourceVersion:
    """The version that a row says of its source."""
    source = row.source
    return SourceVersion(
        dataset=source.dataset or source.name,
        revision=source.revision or "unknown",
        licence=source.licence or "unknown",
        gated=source.gated,
    )
