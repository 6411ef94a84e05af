"""`gatling-beam audit`: what the rows of a folder give away to blind probes, against ceilings."""

import sys
from collections.abc import Callable, Hashable, Iterable, Sequence
from hashlib import sha256

from pydantic import Field

from gatling_beam.audit.ceilings import MIN_ROWS
from gatling_beam.audit.figures import Figure
from gatling_beam.audit.report import audit_html
from gatling_beam.audit.result import AuditResult
from gatling_beam.audit.run import audit_files
from gatling_beam.files import join, write_bytes
from gatling_beam.manifest import read_manifest
from gatling_beam.pipelines.anchors import look_up_rows
from gatling_beam.pipelines.options import Options, UserError, parse, parser_of, refuse_unknown
from gatling_beam.pipelines.place import Place
from gatling_beam.render import table
from gatling_beam.shard_list import ShardRef, read_listed
from gatling_beam.shards import UNREADABLE, ShardFile
from gatling_beam.validate_dir import AUDIT_HTML, AUDIT_JSON

_LEAST_ROWS = 2


class AuditOptions(Options):
    """What to audit."""

    directory: Place = Field(
        description="the output directory of tier2 or tier3, or a file of such rows",
        min_length=1,
        json_schema_extra={"positional": True},
    )
    output: Place | None = Field(
        None,
        min_length=1,
        description=f"folder for {AUDIT_JSON} and {AUDIT_HTML}; default: the directory itself, "
        "unless its manifest lists them: then nothing is written",
        json_schema_extra={"metavar": "DIR"},
    )
    min_rows: int = Field(
        MIN_ROWS,
        ge=_LEAST_ROWS,
        le=8_000,
        description="figures of fewer rows of a label are reported and not judged",
        json_schema_extra={"metavar": "N"},
    )
    quiet: bool = Field(False, description="print the failures alone")


def run(options: AuditOptions) -> AuditResult:
    """Audits the rows and writes both files, except over those that a manifest lists.

    Raises:
      UserError: if there are no rows to read, or no folder to write to.
    """
    rows = look_up_rows(options.directory, "tier2 or tier3", flag="")
    if options.output is None and rows.shards[0].path == options.directory:
        raise UserError(f"{options.directory} is a file: say with --output where {AUDIT_JSON} and {AUDIT_HTML} go")
    folder = options.output or options.directory
    if options.output is not None and lists_audit(folder):
        raise UserError(f"--output={folder} holds the {AUDIT_JSON} that its manifest lists: name another folder")
    try:
        result = audit_shards(rows.shards, min_rows=options.min_rows)
    except UNREADABLE as e:
        raise UserError(f"{options.directory} cannot be audited: {e}") from e
    if lists_audit(folder):
        return result
    try:
        write_audit(folder, result)
    except OSError as e:
        raise UserError(f"--output={folder} cannot be written: {e}; name another folder") from e
    return result


def audit_shards(shards: Iterable[ShardRef], *, min_rows: int = MIN_ROWS) -> AuditResult:
    """The audit of the rows of files, each read once, row by row."""
    return audit_files((read_listed(shard) for shard in shards), min_rows=min_rows)


def write_audit(folder: str, result: AuditResult) -> list[ShardFile]:
    """Writes both files; as a manifest lists them."""
    written = []
    for name, data in ((AUDIT_JSON, result.json()), (AUDIT_HTML, audit_html(result))):
        write_bytes(join(folder, name), data)
        written.append(ShardFile(name, rows=0, bytes=len(data), sha256=sha256(data).hexdigest()))
    return written


def lists_audit(folder: str) -> bool:
    """Whether the audit in a folder is one that its manifest lists, so that another would belie it."""
    try:
        return AUDIT_JSON in {file.name for file in read_manifest(folder).documents}
    except ValueError:
        return False


def summary(result: AuditResult) -> str:
    """The checks, the figure of each stratum that comes nearest to its ceiling, and how many there are."""
    checks = [("check", "value", "limit", "verdict")]
    checks += [(check.name, f"{check.value:g}", check.limit, check.verdict) for check in result.checks]
    nearest = _nearest(result, lambda figure: (figure.strategy, figure.kind, figure.difficulty))
    return "\n".join([table(checks), "", f"{_counted(result)}; of each stratum the nearest to its ceiling:", nearest])


def brief(result: AuditResult) -> str:
    """How many figures there are, and of each strategy the one that comes nearest to its ceiling."""
    nearest = _nearest(result, lambda figure: figure.strategy)
    return f"audit: {_counted(result)}; of each strategy the nearest to its ceiling:\n{nearest}"


def _counted(result: AuditResult) -> str:
    passed, failed = (sum(figure.verdict == verdict for figure in result.figures) for verdict in ("pass", "fail"))
    judged = f"{passed + failed:,} judged (from {result.options['min_rows']:,} rows of a label on)"
    return f"{len(result.figures):,} figures, {judged}: {passed:,} passed, {failed:,} failed"


def _nearest(result: AuditResult, key: Callable[[Figure], Hashable]) -> str:
    """A table of the figures with the least room to their ceiling, one for each key; judged ones come first."""
    nearest: dict[Hashable, tuple[bool, float, Figure]] = {}
    for figure in result.figures:
        if figure.ceiling is None:
            continue
        found = (figure.verdict != "reported", round(figure.lower - figure.ceiling, 9), figure)
        if found[:2] > nearest.get(key(figure), (False, -1.0))[:2]:
            nearest[key(figure)] = found
    rows = [("strategy", "kind", "difficulty", "what is seen", "against", "rows", "AUC", "bound", "ceiling", "verdict")]
    rows += [
        (
            figure.strategy,
            figure.kind,
            figure.difficulty or "all",
            figure.view,
            figure.comparison,
            f"{figure.negatives:,}",
            f"{figure.auc:.3f}",
            f"{figure.lower:.3f}",
            f"{figure.ceiling:.2f}",
            figure.verdict,
        )
        for *_, figure in nearest.values()
    ]
    return table(rows)


def command(argv: Sequence[str], prog: str) -> int:
    """Runs the command line of `gatling-beam audit`: 0 if every gate holds, 1 and a line for each failure if not."""
    options, others = parse(AuditOptions, parser_of(AuditOptions, prog, __doc__ or ""), argv)
    refuse_unknown(AuditOptions, others)
    result = run(options)
    if not options.quiet:
        print(summary(result))
        folder = options.output or options.directory
        if lists_audit(folder):
            print(f"{join(folder, AUDIT_JSON)} stays as its run wrote it; --output=DIR writes this audit to DIR")
        else:
            print(f"all of it: {join(folder, AUDIT_HTML)}")
    if result.passed:
        return 0
    for failure in result.failures():
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1


def main() -> int:
    """The command alone, as `python -m gatling_beam.pipelines.audit`."""
    from gatling_beam.pipelines.cli import main as cli

    return cli(["audit", *sys.argv[1:]])


if __name__ == "__main__":
    from gatling_beam.pipelines.audit import main

    raise SystemExit(main())
