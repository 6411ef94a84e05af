"""`gatling-beam sources`: the data sets of the catalogue, and whether they can be reached."""

import sys
from collections.abc import Mapping, Sequence

from pydantic import Field
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gatling_beam.hub import Listing, SourceUnavailable
from gatling_beam.pipelines.options import Options, parse, parser_of, refuse_unknown
from gatling_beam.pipelines.preflight import Root, list_all
from gatling_beam.render import one_line, table
from gatling_beam.sources import SourceSpec
from gatling_beam.sources.catalogue import load_catalogue
from gatling_beam.sources.spec import Role

_HEADER = ("name", "data set", "role", "format", "licence", "gated", "rows", "reachable")


class SourcesOptions(Options):
    """What to list."""

    role: Role | None = Field(
        None, description="list sources of this role alone", json_schema_extra={"metavar": "ROLE"}
    )
    root: Root = Field(
        None,
        min_length=1,
        description="folder or URL of a mirror, or embedded: look there whether each source is present",
        json_schema_extra={"metavar": "DIR"},
    )
    check: bool = Field(
        False,
        description="look whether each source is there, and say why not: on the Hugging Face Hub (HF_ENDPOINT, "
        "HF_TOKEN), or in --root",
    )


def listing(options: SourcesOptions) -> tuple[list[tuple[str, ...]], list[str]]:
    """Rows of the table, with its header, and why sources cannot be reached, one line each."""
    specs = [spec for spec in load_catalogue().values() if options.role in (None, spec.role)]
    found: Mapping[str, Listing | SourceUnavailable] = {}
    if options.check or options.root:
        found = list_all(specs, options.root)
    rows = [_HEADER, *(_row(spec, found.get(spec.name)) for spec in specs)]
    reasons = [f"{name}: {error}" for name, error in found.items() if isinstance(error, SourceUnavailable)]
    return rows, reasons


def _row(spec: SourceSpec, found: Listing | SourceUnavailable | None) -> tuple[str, ...]:
    if found is None:
        reachable = "?"
    else:
        reachable = "no" if isinstance(found, SourceUnavailable) else "yes"
    return (
        spec.name,
        spec.hub_id,
        spec.role,
        spec.format,
        spec.licence,
        "yes" if spec.gated else "no",
        f"{spec.expected_rows:,}" if spec.expected_rows else "?",
        reachable,
    )


def command(argv: Sequence[str], prog: str) -> int:
    """Runs the command line of `gatling-beam sources`."""
    options, others = parse(SourcesOptions, parser_of(SourcesOptions, prog, __doc__ or ""), argv)
    refuse_unknown(SourcesOptions, others)
    rows, reasons = listing(options)
    if sys.stdout.isatty():
        Console().print(_rich_table(rows))
    else:
        # For other programs: whole names, one line a source, whatever the width.
        print(table(rows))
    if options.check:
        for reason in reasons:
            print(one_line(reason, 1_000), file=sys.stderr)
    elif not options.root:
        print("reachable is not checked: --check asks the Hub, --root=DIR looks into a mirror", file=sys.stderr)
    return 0


def _rich_table(rows: Sequence[Sequence[str]]) -> Table:
    made = Table(box=box.SIMPLE)
    for name in rows[0]:
        made.add_column(name, justify="right" if name == "rows" else "left", overflow="fold")
    for row in rows[1:]:
        made.add_row(*map(Text, row))
    return made


def main() -> int:
    """The command alone, as `python -m gatling_beam.pipelines.sources`."""
    from gatling_beam.pipelines.cli import main as cli

    return cli(["sources", *sys.argv[1:]])


if __name__ == "__main__":
    from gatling_beam.pipelines.sources import main

    raise SystemExit(main())
