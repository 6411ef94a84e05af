"""The cut of a listing into units of work; it depends on the commit and the unit sizes alone."""

from collections.abc import Iterator

from gatling_beam.hub.documents import MAX_JSON_BYTES, compression, whole_in_memory
from gatling_beam.hub.errors import MalformedSource, naming
from gatling_beam.hub.model import Listing, Part, RepoFile, Unit
from gatling_beam.hub.parquet import open_parquet, row_group_bytes
from gatling_beam.hub.store import Store, open_store

UNIT_BYTES = 16 << 20
ROW_GROUP_BYTES = 64 << 20
_MAX_FILES = 256


def plan_units(
    listing: Listing,
    unit_bytes: int = UNIT_BYTES,
    row_group_bytes: int = ROW_GROUP_BYTES,
    limit: int | None = None,
) -> list[Unit]:
    """The units of `listing`, in file order; together they hold every byte of every file once.

    Files of lines are cut every `unit_bytes`, Parquet files into runs of row groups of at most `row_group_bytes` in
    memory (a larger row group is a unit of its own); JSON documents, CSV and compressed files stay whole. Small pieces
    share a unit. With `limit` there is one unit: the first `limit` rows in file order.

    Raises:
      MalformedSource: if a JSON document other than an array has more than 1 GiB, a file is no Parquet file, or rows
        that may be prefixes of the next are to be read from a Parquet file.
    """
    with naming(listing.repository):
        return _planned(listing, unit_bytes, row_group_bytes, limit)


def _planned(listing: Listing, unit_bytes: int, group_bytes: int, limit: int | None) -> list[Unit]:
    for file in listing.files:
        _check(file, listing.repository.prefix_rows)
    if limit is not None:
        return [Unit(listing.repository, tuple(Part(file) for file in listing.files), limit)]
    store = open_store(listing.repository)
    units: list[list[Part]] = []
    room = 0
    for file in listing.files:
        for part, size in _parts(file, store, unit_bytes, group_bytes):
            if not units or size > room or len(units[-1]) >= _MAX_FILES:
                units.append([])
                room = unit_bytes
            units[-1].append(part)
            room -= size
    return [Unit(listing.repository, tuple(parts)) for parts in units]


def cut_lines(file: RepoFile) -> bool:
    """Whether `file` may be cut between any two lines."""
    return file.container == "jsonl" and compression(file.path) is None


def _check(file: RepoFile, prefix_rows: bool) -> None:
    if whole_in_memory(file) and file.size > MAX_JSON_BYTES:
        raise MalformedSource(
            f"{file.path} is one JSON document of {file.size:,} bytes; at most {MAX_JSON_BYTES:,} are read"
        )
    if file.container == "parquet" and prefix_rows:
        raise MalformedSource(f"{file.path}: prefix_rows needs a file of lines or a JSON array, not Parquet")


def _parts(file: RepoFile, store: Store, unit_bytes: int, group_bytes: int) -> Iterator[tuple[Part, int]]:
    """The pieces of one file, each with its size in bytes."""
    if file.container == "parquet":
        yield from _row_group_parts(file, row_group_bytes(open_parquet(store, file)), group_bytes)
    elif cut_lines(file):
        for start in range(0, file.size, unit_bytes):
            stop = min(start + unit_bytes, file.size)
            yield Part(file, start, stop), stop - start
    else:
        yield Part(file), file.size


def _row_group_parts(file: RepoFile, sizes: list[int], group_bytes: int) -> Iterator[tuple[Part, int]]:
    start = held = 0
    for i, size in enumerate(sizes):
        if i > start and held + size > group_bytes:
            yield Part(file, start, i), held
            start, held = i, 0
        held += size
    if sizes:
        yield Part(file, start, len(sizes)), held
