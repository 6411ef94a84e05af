"""`gatling-beam contrast`: contrast sets of the rows of tier2 or tier3, one a family."""

import sys
from collections.abc import Sequence

import apache_beam as beam
from pydantic import Field

import gatling_beam
from gatling_beam.contrast import STAGE
from gatling_beam.files import join
from gatling_beam.manifest import stage_key
from gatling_beam.pipelines.anchors import look_up_rows, versions_of
from gatling_beam.pipelines.closing import close_run
from gatling_beam.pipelines.options import Options, parse, parser_of
from gatling_beam.pipelines.outcome import WriteOutcome, read_outcome
from gatling_beam.pipelines.output import DATA, TEMPORARY, OutputOptions, prepare, release, remove_temporary
from gatling_beam.pipelines.place import Place
from gatling_beam.pipelines.preflight import default_shards
from gatling_beam.pipelines.progress import watched
from gatling_beam.pipelines.runner import EngineOptions, beam_options, run_pipeline
from gatling_beam.transforms.build_contrast_sets import BuildContrastSets
from gatling_beam.transforms.read_samples import ReadSamples


class _Input(Options):
    """Input."""

    input: Place = Field(
        description="the output directory of tier2 or tier3, or a file of such rows",
        min_length=1,
        json_schema_extra={"metavar": "DIR"},
    )


class ContrastOptions(_Input, OutputOptions, EngineOptions):
    """Contrast sets."""


def run(options: ContrastOptions, beam_args: Sequence[str] = ()) -> None:
    """Makes the output directory that `options` describe.

    Raises:
      UserError: for whatever the user can mend. Nothing is committed then.
    """
    engine = beam_options(options, beam_args, ContrastOptions)
    rows = look_up_rows(options.input, "tier2 or tier3")
    shards = options.shards or default_shards(rows.rows)
    recipe = {"input": rows.key, "format": options.format, "shards": shards}
    key = stage_key(STAGE, recipe, gatling_beam.__version__, [rows.key])
    if prepare(options, STAGE, key, recipe) == "finished":
        print(f"{options.output} is finished by this very run: nothing to do", file=sys.stderr)
        return
    report = join(options.output, f"{TEMPORARY}/outcome.json")

    def build(pipeline: beam.Pipeline) -> None:
        read = pipeline | "ReadSamples" >> ReadSamples(rows.targets)
        sets = read | "BuildContrastSets" >> BuildContrastSets(
            join(options.output, DATA),
            format=options.format,
            shards=shards,
            spill_to=join(options.output, TEMPORARY),
            exchange=options.exchange,
        )
        ((sets.tallies,), {DATA: sets.files}) | "WriteOutcome" >> WriteOutcome(report)

    with watched(options.output, f"{rows.rows:,} rows", quiet=options.quiet):
        run_pipeline(build, engine)
        outcome = read_outcome(report)
    remove_temporary(options.output)
    close_run(
        options.output,
        outcome,
        stages=(STAGE,),
        unavailable={},
        sources=[],
        quiet=options.quiet,
        stage=STAGE,
        stage_key=key,
        recipe=recipe,
        seed=options.seed,
        versions={"apache-beam": beam.__version__},
        format=options.format,
        row_type="ContrastSet",
        source_versions=versions_of(rows, outcome.tallies),
    )
    release(options.output)


def command(argv: Sequence[str], prog: str) -> int:
    """Runs the command line of `gatling-beam contrast`."""
    options, beam_args = parse(ContrastOptions, parser_of(ContrastOptions, prog, __doc__ or ""), argv)
    run(options, beam_args)
    return 0


def main() -> int:
    """The command alone, as `python -m gatling_beam.pipelines.contrast`."""
    from gatling_beam.pipelines.cli import main as cli

    return cli(["contrast", *sys.argv[1:]])


if __name__ == "__main__":
    # Functions of __main__ would be pickled by value; imported, they go by name.
    from gatling_beam.pipelines.contrast import main

    raise SystemExit(main())
