"""Rows of files that are read whole: JSON arrays, objects keyed by id, one row a file, CSV, compressed files."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from gatling_beam.hub.arrays import array_rows
from gatling_beam.hub.errors import MalformedSource
from gatling_beam.hub.model import RepoFile
from gatling_beam.process_settings import LONG_CSV_CELLS

#: JSON documents other than arrays are held in memory as a whole; larger ones are refused.
MAX_JSON_BYTES = 1 << 30

_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}


def compression(path: str) -> str | None:
    """The compression that the name of a file tells: gzip, zstd, bz2 or None."""
    return next((name for suffix, name in _COMPRESSIONS.items() if path.endswith(suffix)), None)


def decompressed(stream: BinaryIO, path: str) -> BinaryIO:
    """`stream` without the compression that `path` tells; reading it raises OSError where it is cut short."""
    kind = compression(path)
    if kind is None:
        return stream
    return io.BufferedReader(pa.input_stream(stream, compression=kind))


def json_rows(stream: BinaryIO, file: RepoFile) -> Iterator[tuple[int, bytes]]:
    """`(row number, row as JSON)` of a JSON document, in the order of the file.

    A row is the text that stands in the file, where that is strict JSON; else (NaN, control characters, lone
    surrogates) what Python's lenient reader makes of it. In an object keyed by id the id becomes the first member.
    An array of rows may have any size, other documents have at most `MAX_JSON_BYTES`.

    Raises:
      MalformedSource: if the document is no JSON, too large, or not of the shape that the catalogue says.
    """
    if whole_in_memory(file):
        text = stream.read(MAX_JSON_BYTES + 1)
        if len(text) > MAX_JSON_BYTES:
            raise MalformedSource(f"{file.path} holds more than {MAX_JSON_BYTES:,} bytes in one JSON document")
        text = text.removeprefix(b"\xef\xbb\xbf")
        try:
            yield from enumerate(_strict_rows(text, file))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield from enumerate(_lenient_rows(text, file))
    else:
        yield from enumerate(array_rows(stream, file.path))


def whole_in_memory(file: RepoFile) -> bool:
    """Whether the JSON document `file` can only be understood as a whole."""
    return file.container in ("json_object", "json_file") or (file.container == "json_array" and file.rows_at != "")


def _strict_rows(text: bytes, file: RepoFile) -> list[bytes]:
    as_object = file.container == "json_object"
    if file.rows_at:
        text = bytes(_member(msgspec.json.decode(text, type=dict[str, msgspec.Raw]), file))
        as_object = text.startswith(b"{")
    if file.container == "json_file":
        return [text]
    if as_object:
        members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        return [_keyed(file.key, id_, row) for id_, row in members.items()]
    return [bytes(row) for row in msgspec.json.decode(text, type=list[msgspec.Raw])]


def _keyed(key: str, id_: str, row: msgspec.Raw) -> bytes:
    if not key or not bytes(row).startswith(b"{"):
        return bytes(row)
    return msgspec.json.encode({key: id_, **msgspec.json.decode(row, type=dict[str, msgspec.Raw])})


def _lenient_rows(text: bytes, file: RepoFile) -> list[bytes]:
    try:
        value = json.loads(text.decode("utf-8", "surrogateescape"), strict=False)
    except (ValueError, RecursionError) as e:
        raise MalformedSource(f"{file.path} is not JSON: {e}") from e
    as_object = file.container == "json_object"
    if file.rows_at:
        if not isinstance(value, dict):
            raise MalformedSource(f"{file.path} is not a JSON object with a member {file.rows_at!r}")
        value = _member(value, file)
        as_object = isinstance(value, dict)
    if file.container == "json_file":
        value = [value]
    elif as_object and isinstance(value, dict):
        value = [{file.key: id_, **row} if file.key and isinstance(row, dict) else row for id_, row in value.items()]
    elif as_object or not isinstance(value, list):
        raise MalformedSource(f"{file.path} is not a {file.container.replace('_', ' ')}, as its catalogue entry says")
    return [json.dumps(row).encode() for row in value]


def _member(document: dict[str, Any], file: RepoFile) -> Any:
    try:
        return document[file.rows_at]
    except KeyError:
        raise MalformedSource(f"{file.path} has no member {file.rows_at!r}, only {', '.join(document)}") from None


def csv_rows(stream: BinaryIO, file: RepoFile) -> Iterator[tuple[int, bytes]]:
    """`(row number, row as JSON)` of a CSV file with a header; every value is text, as the file has it.

    A row with more or fewer cells than the header is the list of its cells, which adapters refuse, so that it is
    counted. Bytes that are not UTF-8 become `\\xNN`.

    Raises:
      MalformedSource: if two columns have the same name, or quotes are not closed.
    """
    text = io.TextIOWrapper(stream, "utf-8-sig", "backslashreplace", newline="")
    reader = csv.reader(text, strict=True)
    LONG_CSV_CELLS.take()
    try:
        header = next(reader, [])
        if len(set(header)) != len(header):
            raise MalformedSource(f"{file.path} has two columns of one name: {', '.join(header)}")
        filled = (cells for cells in reader if cells)
        for row, cells in enumerate(filled):
            whole = len(cells) == len(header)
            yield row, msgspec.json.encode(dict(zip(header, cells, strict=True)) if whole else cells)
    except csv.Error as e:
        raise MalformedSource(f"{file.path}, line {reader.line_num}: {e}") from e
    finally:
        LONG_CSV_CELLS.give_back()
