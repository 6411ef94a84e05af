"""`gatling-beam validate`: whether an output directory is what its manifest and ledger say."""

import sys
from collections.abc import Sequence

from pydantic import Field

from gatling_beam.pipelines.options import Options, parse, parser_of, refuse_unknown
from gatling_beam.pipelines.place import Place
from gatling_beam.render import one_line
from gatling_beam.validate_dir import validate_directory


class ValidateOptions(Options):
    """What to check."""

    directory: Place = Field(
        description="the output directory of a run, a path or an fsspec URL",
        min_length=1,
        json_schema_extra={"positional": True},
    )


def command(argv: Sequence[str], prog: str) -> int:
    """Runs the command line of `gatling-beam validate`: 0 if all is well, 1 and a line for each problem if not."""
    options, others = parse(ValidateOptions, parser_of(ValidateOptions, prog, __doc__ or ""), argv)
    refuse_unknown(ValidateOptions, others)
    report = validate_directory(options.directory)
    if report.ok:
        print(f"ok: {report.rows:,} rows in {report.files:,} files")
        return 0
    for problem in report.problems:
        print(one_line(problem, 2_000))
    print(f"{options.directory} is not sound: {len(report.problems):,} problems", file=sys.stderr)
    return 1


def main() -> int:
    """The command alone, as `python -m gatling_beam.pipelines.validate`."""
    from gatling_beam.pipelines.cli import main as cli

    return cli(["validate", *sys.argv[1:]])


if __name__ == "__main__":
    from gatling_beam.pipelines.validate import main

    raise SystemExit(main())
