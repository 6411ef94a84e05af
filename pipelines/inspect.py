"""`gatling-beam inspect`: rows and gold traces as readable plans, dead letters as a table."""

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import fastavro
import msgspec
import pyarrow.parquet as pq
from fsspec.core import url_to_fs
from pydantic import Field

from gatling_beam.contrast import ContrastSet
from gatling_beam.families.render import render_crossing
from gatling_beam.files import join, list_files, open_reader
from gatling_beam.oracle.render import render_trace
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.pipelines.options import Options, UserError, parse, parser_of, refuse_unknown
from gatling_beam.pipelines.output import BENIGN, DATA
from gatling_beam.pipelines.place import Place
from gatling_beam.render import render_dead_letters, render_sample
from gatling_beam.render_contrast import render_contrast_set
from gatling_beam.sample import DeadLetter, Sample
from gatling_beam.shards import FORMATS, UNREADABLE, Format, check_format, read_shard


class Kind(NamedTuple):
    """A type of rows: how to know it, how to name a row and its source, and how to show some."""

    struct: type
    column: str
    source_of: Callable[[Any], str]
    render: Callable[[list[Any]], str]


def _each(render: Callable[[Any], str]) -> Callable[[list[Any]], str]:
    return lambda rows: "\n\n".join(map(render, rows))


KINDS = (
    Kind(DeadLetter, "dead_id", lambda row: row.source, render_dead_letters),
    Kind(GoldTrace, "trace_id", lambda row: row.request.domain, _each(render_trace)),
    Kind(Sample, "sample_id", lambda row: row.source.name, _each(render_sample)),
    Kind(ContrastSet, "group_id", lambda row: row.source, _each(render_contrast_set)),
)


class InspectOptions(Options):
    """What to show."""

    file: Place = Field(
        description="a file of rows, gold traces or dead letters (.parquet, .jsonl, .avro), or an output directory",
        min_length=1,
        json_schema_extra={"positional": True},
    )
    n: int = Field(5, ge=1, description="rows to show at most", json_schema_extra={"metavar": "N"})
    id: str | None = Field(
        None,
        description="show the rows whose sample_id (trace_id, dead_id) begins so",
        json_schema_extra={"metavar": "SAMPLE_ID"},
    )
    source: str | None = Field(
        None, description="show rows of this source (gold: domain) alone", json_schema_extra={"metavar": "NAME"}
    )
    crossings: bool = Field(
        False, description="show whole crossings of families: requests, plans, and the label of each pairing"
    )
    strategy: str | None = Field(
        None, description="with --crossings: of this strategy or kind alone", json_schema_extra={"metavar": "NAME"}
    )


def show(options: InspectOptions) -> str:
    """The text for the rows that `options` ask for.

    Raises:
      UserError: if the file is not there, holds no rows of ours, or none that is asked for.
    """
    paths = files_of(options.file)
    if options.crossings:
        return "\n\n".join(render_crossing(rows, rules=True) for rows in _crossings(paths, options))
    kinds = {path: kind_of(path, format_of(path)) for path in paths}
    found: dict[str, list[Any]] = {kind.column: [] for kind in KINDS}
    for path, kind in kinds.items():
        rows = found[kind.column]
        rows += islice(_read(path, kind, options), options.n - len(rows))
    shown = [kind.render(found[kind.column]) for kind in reversed(KINDS) if found[kind.column]]
    if not shown:
        asked = "".join(f", --{name}={value}" for name in ("id", "source") if (value := getattr(options, name)))
        raise UserError(f"{options.file}{asked}: no such row in {len(paths)} files")
    return "\n\n".join(shown)


def _crossings(paths: list[str], options: InspectOptions) -> list[list[Sample]]:
    """The rows of the first crossings that are asked for, the parent of each first."""
    found: dict[str, list[Sample]] = {}
    for path in paths:
        kind = kind_of(path, format_of(path))
        for row in _read(path, kind, options) if kind.struct is Sample and len(found) < options.n else ():
            if row.mutation and options.strategy in (None, row.mutation.strategy) and len(found) < options.n:
                found.setdefault(row.mutation.parent, [])
    for path in paths:
        for row in _read(path, kind_of(path, format_of(path)), options) if found else ():
            if row.mutation and row.mutation.parent in found:
                found[row.mutation.parent].append(row)
    if not found:
        raise UserError(f"{options.file} holds no such crossing: name an output directory of tier2 or tier3")
    return [
        sorted(rows, key=lambda row: (row.sample_id != parent, row.label != "benign")) for parent, rows in found.items()
    ]


def files_of(path: str) -> list[str]:
    """The file itself, or the data files of an output directory, finished or not.

    Raises:
      UserError: if there is nothing to read.
    """
    fs, target = url_to_fs(path)
    if fs.isfile(target):
        return [path]
    if not fs.isdir(target):
        raise UserError(f"{path} is not there: name a file of rows or an output directory")
    shards = [name for name in list_files(path) if name.rpartition(".")[2] in FORMATS and not _is_hidden(name)]
    chosen = [name for name in shards if name.partition("/")[0] in (DATA, BENIGN)] or [
        name for name in shards if "/" not in name
    ]
    if not chosen:
        raise UserError(f"{path} holds no data files: name a file, or the directory that a run wrote (--output)")
    return [join(path, name) for name in chosen]


def format_of(path: str) -> Format:
    """The format of a file by its ending.

    Raises:
      UserError: for any other ending.
    """
    ending = path.rpartition(".")[2]
    if ending not in FORMATS:
        raise UserError(f"{path} ends in none of {', '.join('.' + name for name in FORMATS)}: name a file of rows")
    return check_format(ending)


def kind_of(path: str, format: Format) -> Kind:
    """What the rows of a file are, by its columns.

    Raises:
      UserError: if they are none of `KINDS`.
    """
    try:
        columns = _columns(path, format)
    except UNREADABLE as e:
        raise UserError(f"{path} cannot be read as {format}: {e}") from e
    for kind in KINDS:
        if kind.column in columns or not columns:
            return kind
    raise UserError(
        f"{path} holds neither samples, gold traces, contrast sets nor dead letters; its columns are "
        f"{', '.join(sorted(columns)[:8])}"
    )


def _columns(path: str, format: Format) -> set[str]:
    """The names of the columns; of JSON lines those of the first row, none where there is no row."""
    with open_reader(path) as stream:
        if format == "parquet":
            return set(pq.ParquetFile(stream).schema_arrow.names)
        if format == "avro":
            schema = fastavro.reader(stream).writer_schema
            return {field["name"] for field in schema["fields"]} if isinstance(schema, dict) else set()
        line = stream.readline()
        return set(msgspec.json.decode(line, type=dict[str, msgspec.Raw])) if line.strip() else set()


def _read(path: str, kind: Kind, options: InspectOptions) -> Iterator[Any]:
    rows: Iterator[Any] = read_shard(path, format_of(path), kind.struct)
    try:
        for row in rows:
            named = getattr(row, kind.column).startswith(options.id or "")
            if named and options.source in (None, kind.source_of(row)):
                # Columns are decoded without a look at their types.
                yield msgspec.convert(msgspec.to_builtins(row), kind.struct)
    except UNREADABLE as e:
        raise UserError(f"{path} holds a row that cannot be decoded: {e}") from e


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/"))


def command(argv: Sequence[str], prog: str) -> int:
    """Runs the command line of `gatling-beam inspect`."""
    options, others = parse(InspectOptions, parser_of(InspectOptions, prog, __doc__ or ""), argv)
    refuse_unknown(InspectOptions, others)
    print(show(options))
    return 0


def main() -> int:
    """The command alone, as `python -m gatling_beam.pipelines.inspect`."""
    from gatling_beam.pipelines.cli import main as cli

    return cli(["inspect", *sys.argv[1:]])


if __name__ == "__main__":
    from gatling_beam.pipelines.inspect import main

    raise SystemExit(main())
