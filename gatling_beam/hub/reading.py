"""The rows of a unit, as their files hold them."""

from collections.abc import Iterator
from functools import partial
from itertools import islice, takewhile
from typing import Any

import msgspec

from gatling_beam.hub.documents import csv_rows, decompressed, json_rows
from gatling_beam.hub.errors import MalformedSource, naming
from gatling_beam.hub.lines import range_lines, stream_lines
from gatling_beam.hub.model import FileRef, Part, RepoFile, Unit
from gatling_beam.hub.parquet import parquet_rows
from gatling_beam.hub.prefixes import mark_superseded
from gatling_beam.hub.store import Store, open_store
from gatling_beam.hub.units import cut_lines
from gatling_beam.sample import SourceRow

#: The stage of the ledger that counts the rows read.
STAGE = "read"
#: The first read of a unit of which only some rows are wanted.
_FIRST_BYTES = 256 << 10


def read_unit(unit: Unit) -> Iterator[SourceRow]:
    """The rows of `unit`, in file order.

    `data` is the row's text as the file has it (lines and JSON documents) or what `parquet_rows` and `csv_rows` make of
    it. `location` is `<path>:<byte offset>` for lines (of the decompressed text), `<path>` where a file is one row,
    else `<path>:<row>`.

    Raises:
      SourceUnavailable, TruncatedSource, MalformedSource: the unit cannot be read as the listing promises.
    """
    store = open_store(unit.repository)
    with naming(unit.repository):
        yield from islice((row for part in unit.parts for row in _part_rows(store, unit, part)), unit.limit)


def _part_rows(store: Store, unit: Unit, part: Part) -> Iterator[SourceRow]:
    file = part.file
    found = _places(store, unit, part)
    if file.join is not None:
        found = _joined(found, _companions(store, file.join))
    if unit.repository.prefix_rows:
        marked = mark_superseded(found)
        if part.stop is not None:
            marked = takewhile(partial(_starts_before, part.stop), marked)
    else:
        marked = ((place, data, False) for place, data in found)
    for place, data, superseded in marked:
        yield SourceRow(
            source=unit.repository.source,
            data=data,
            location=file.path if file.container == "json_file" else f"{file.path}:{place}",
            config=file.config,
            split=file.split,
            revision=unit.repository.revision,
            superseded=superseded,
        )


def _starts_before(stop: int, row: tuple[int, bytes, bool]) -> bool:
    return row[0] < stop


def _places(store: Store, unit: Unit, part: Part) -> Iterator[tuple[int, bytes]]:
    """`(place in the file, row)` of a part; for rows that may be prefixes, with the first row past its end."""
    file = part.file
    if file.container == "parquet":
        return parquet_rows(store, file, part.start, part.stop)
    if cut_lines(file):
        return range_lines(
            partial(store.read_range, file),
            file.size,
            part.start,
            file.size if part.stop is None else part.stop,
            block=None if unit.limit is None else _FIRST_BYTES,
            peek=unit.repository.prefix_rows,
        )
    return _whole_file_rows(store, file)


def _whole_file_rows(store: Store, file: RepoFile) -> Iterator[tuple[int, bytes]]:
    with store.open_whole(file) as stored:
        stream = decompressed(stored, file.path)
        try:
            if file.container == "jsonl":
                yield from stream_lines(stream)
            elif file.container == "csv":
                yield from csv_rows(stream, file)
            elif file.container == "json_file" and not file.rows_at:
                yield 0, stream.read().strip()
            else:
                yield from json_rows(stream, file)
        except (OSError, EOFError) as e:
            raise MalformedSource(f"{file.path} cannot be read: {e}") from e


def _companions(store: Store, file: FileRef) -> dict[Any, dict[str, msgspec.Raw]]:
    """The rows of a companion file by their `id`."""
    rows: dict[Any, dict[str, msgspec.Raw]] = {}
    with store.open_whole(file) as stored:
        for offset, line in stream_lines(decompressed(stored, file.path)):
            members = _members(line)
            if members is None or _id(members) is None:
                raise MalformedSource(f"{file.path}:{offset} is not a JSON object with an id")
            rows[_id(members)] = members
    return rows


def _joined(
    rows: Iterator[tuple[int, bytes]], companions: dict[Any, dict[str, msgspec.Raw]]
) -> Iterator[tuple[int, bytes]]:
    """`rows` with the members of the companion of equal `id` added; a row's own members stay."""
    for place, data in rows:
        members = _members(data)
        if members is not None and (companion := companions.get(_id(members))) is not None:
            data = msgspec.json.encode({**members, **companion, **members})
        yield place, data


def _members(data: bytes) -> dict[str, msgspec.Raw] | None:
    try:
        return msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _id(members: dict[str, msgspec.Raw]) -> str | int | None:
    try:
        return msgspec.json.decode(members.get("id", b"null"), type=str | int | None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
