"""The end of a run: what the files themselves hold is checked against the counts, then everything is committed."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gatling_beam.commit import LedgerMismatch, commit
from gatling_beam.files import join
from gatling_beam.ledger import Ledger
from gatling_beam.manifest import Manifest, SourceVersion
from gatling_beam.pipelines.options import UserError
from gatling_beam.pipelines.outcome import Outcome
from gatling_beam.pipelines.output import BENIGN, DATA, DEAD_LETTERS
from gatling_beam.sample import Tally
from gatling_beam.shards import Format, ShardFile, count_rows


def close_run(
    directory: str,
    outcome: Outcome,
    *,
    stages: Sequence[str],
    sources: Sequence[str],
    source_versions: Mapping[str, SourceVersion],
    unavailable: Mapping[str, str],
    format: Format,
    quiet: bool,
    **manifest: Any,
) -> Manifest:
    """Commits `directory` and prints a summary, and loudly every source that gave no row.

    The rows of every file are counted from the file. `manifest` holds the other arguments of `make_manifest`.

    Raises:
      UserError: if the numbers do not add up; nothing is committed.
    """
    first = stages[0]
    nothing = [Tally(first, name, "in", 0) for name in sources]
    missing = [_missing(first, *name.split("/", 1)) for name in unavailable]
    ledger = Ledger.from_tallies([*outcome.tallies, *nothing, *missing], stages)
    files = [_counted(directory, file, format) for file in outcome.files]
    try:
        made = commit(
            directory,
            ledger,
            files=[file for file in files if file.name.partition("/")[0] in (DATA, BENIGN)],
            dead_letters=[file for file in files if file.name.startswith(f"{DEAD_LETTERS}/")],
            sources=source_versions,
            format=format,
            **manifest,
        )
    except LedgerMismatch as e:
        raise UserError(
            f"{e}\nRows were lost or counted twice, so {directory} has no manifest and must not be used; this is a "
            "fault of the runner or of gatling-beam: run again with --overwrite, and report it if it comes back"
        ) from e
    for name in sources:
        if not ledger.stages[first][name].in_:
            print(
                f"WARNING: source {name} gave no row at all: its files are empty, or not what the catalogue expects",
                file=sys.stderr,
            )
    if not quiet:
        print(summary(directory, made, ledger, unavailable))
    return made


def summary(directory: str, manifest: Manifest, ledger: Ledger, unavailable: Mapping[str, str]) -> str:
    """Rows read, written, left out and dead by source, and where to look next."""
    out, dead = ledger.out_by_source(), ledger.dead_by_source()
    came: dict[str, int] = {}
    for counts in ledger.stages.values():
        for name, count in counts.items():
            came.setdefault(name, count.entering)  # where the source first appears
    rows: list[tuple[str, ...]] = [("source", "read", "out", "left out", "dead")]
    for name in sorted(came.keys() & manifest.sources.keys()):
        left_out = came[name] - out.get(name, 0) - dead.get(name, 0)
        rows.append((name, *(f"{n:,}" for n in (came[name], out.get(name, 0), left_out, dead.get(name, 0)))))
    read, lost = sum(came.values()), sum(dead.values())
    rows.append(
        ("total", *(f"{n:,}" for n in (read, manifest.actual_samples, read - manifest.actual_samples - lost, lost)))
    )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    lines += [f"unavailable: {name}: {reason}" for name, reason in unavailable.items()]
    if manifest.target_samples is not None and manifest.actual_samples < manifest.target_samples:
        short = manifest.target_samples - manifest.actual_samples
        lines.append(f"{short:,} rows short of the {manifest.target_samples:,} asked for ({manifest.coverage})")
    what = "file" if len(manifest.files) == 1 else "files"
    lines.append(
        f"{len(manifest.files):,} {manifest.format} {what} in {join(directory, DATA)}; the counts: ledger.json"
    )
    example = next((file.name for file in manifest.files if file.rows), None)
    if example:
        lines.append(f"look at some: gatling-beam inspect {join(directory, example)}")
    if sum(dead.values()):
        lines.append(f"why rows are dead: gatling-beam inspect {join(directory, manifest.dead_letters[0].name)}")
    return "\n".join(lines)


def _missing(stage: str, source: str, part: str = "") -> Tally:
    """The note that a source, or a part of it, was not there."""
    return Tally(stage, source, "note", 1, f"unavailable {part}".rstrip())


def _counted(directory: str, file: ShardFile, format: Format) -> ShardFile:
    """`file` with the number of rows that the file itself says."""
    return msgspec.structs.replace(file, rows=count_rows(join(directory, file.name), format))
