"""`gatling-beam audit`: what the rows of a folder give away to blind probes, against ceilings."""

import sys
from collections.abc import Sequence

from pydantic import Field

from gatling_beam.audit.ceilings import MIN_ROWS
from gatling_beam.audit.report import audit_html
from gatling_beam.audit.result import AuditResult, audit_files
from gatling_beam.audit.strata import Figure
from gatling_beam.files import join, write_bytes
from gatling_beam.pipelines.anchors import look_up_rows
from gatling_beam.pipelines.options import Options, UserError, parse, parser_of, refuse_unknown
from gatling_beam.pipelines.place import Place
from gatling_beam.render import table
from gatling_beam.shard_list import read_listed
from gatling_beam.shards import UNREADABLE
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
        description=f"folder for {AUDIT_JSON} and {AUDIT_HTML}; default: the directory itself",
        json_schema_extra={"metavar": "DIR"},
    )
    min_rows: int = Field(
        MIN_ROWS,
        ge=_LEAST_ROWS,
        le=6_000,
        description="figures of fewer rows of a label are reported and not judged",
        json_schema_extra={"metavar": "N"},
    )
    quiet: bool = Field(False, description="print the failures alone")


def run(options: AuditOptions) -> AuditResult:
    """Audits the rows and writes both files.

    Raises:
      UserError: if there are no rows to read, or no folder to write to.
    """
    rows = look_up_rows(options.directory, "tier2 or tier3", flag="")
    if options.output is None and rows.shards[0].path == options.directory:
        raise UserError(f"{options.directory} is a file: say with --output where {AUDIT_JSON} and {AUDIT_HTML} go")
    folder = options.output or options.directory
    try:
        result = audit_files((read_listed(shard) for shard in rows.shards), min_rows=options.min_rows)
    except UNREADABLE as e:
        raise UserError(f"{options.directory} cannot be audited: {e}") from e
    try:
        write_bytes(join(folder, AUDIT_JSON), result.json())
        write_bytes(join(folder, AUDIT_HTML), audit_html(result))
    except OSError as e:
        raise UserError(f"--output={folder} cannot be written: {e}; name another folder") from e
    return result


def summary(result: AuditResult) -> str:
    """The checks, the figure of each probe that comes nearest to its ceiling, and how many there are."""
    rows = [("strategy", "kind", "difficulty", "what is seen", "against", "rows", "AUC", "bound", "ceiling", "verdict")]
    nearest: dict[tuple[str, str, str], tuple[float, Figure]] = {}
    for figure in result.figures:
        if figure.ceiling is None:
            continue
        key = (figure.strategy, figure.kind, figure.difficulty)
        over = figure.lower - figure.ceiling
        if key not in nearest or over > nearest[key][0]:
            nearest[key] = (over, figure)
    for over, figure in nearest.values():
        rows.append(
            (
                figure.strategy,
                figure.kind,
                figure.difficulty or "all",
                figure.view,
                figure.comparison,
                f"{figure.negatives:,}",
                f"{figure.auc:.3f}",
                f"{figure.lower:.3f}",
                f"{figure.lower - over:.2f}",
                figure.verdict,
            )
        )
    checks = [("check", "value", "limit", "verdict")]
    checks += [(check.name, f"{check.value:g}", check.limit, check.verdict) for check in result.checks]
    judged = sum(figure.verdict != "reported" for figure in result.figures)
    lines = [table(checks), "", f"{len(result.figures):,} figures, {judged:,} judged; of each stratum the nearest:"]
    return "\n".join([*lines, table(rows)])


def command(argv: Sequence[str], prog: str) -> int:
    """Runs the command line of `gatling-beam audit`: 0 if every gate holds, 1 and a line for each failure if not."""
    options, others = parse(AuditOptions, parser_of(AuditOptions, prog, __doc__ or ""), argv)
    refuse_unknown(AuditOptions, others)
    result = run(options)
    if not options.quiet:
        print(summary(result))
        print(f"all of it: {join(options.output or options.directory, AUDIT_HTML)}")
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
