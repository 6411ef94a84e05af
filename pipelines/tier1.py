"""`gatling-beam tier1`: plans of many data sets, validated, without duplicates, as one data set of benign rows."""

import sys
from collections.abc import Sequence
from math import ceil
from typing import Any

import apache_beam as beam
import msgspec
from pydantic import Field

import gatling_beam
from gatling_beam import sampling
from gatling_beam.files import join
from gatling_beam.manifest import SourceVersion, stage_key
from gatling_beam.pipelines.closing import close_run
from gatling_beam.pipelines.options import UserError, parse, parser_of
from gatling_beam.pipelines.outcome import Outcome, WriteOutcome, read_outcome
from gatling_beam.pipelines.output import DATA, DEAD_LETTERS, TEMPORARY, OutputOptions, prepare, remove_temporary
from gatling_beam.pipelines.preflight import Available, ReadOptions, default_shards, look_up, most_rows
from gatling_beam.pipelines.progress import watched
from gatling_beam.pipelines.runner import EngineOptions, beam_options, run_pipeline
from gatling_beam.pipelines.take_target import STAGED, take_target
from gatling_beam.shards import Format
from gatling_beam.transforms.normalize_to_plan import NormalizeToPlan
from gatling_beam.transforms.read_hf_source import ReadHFSource
from gatling_beam.transforms.validate_dag import ValidateDAG
from gatling_beam.transforms.write_dead_letters import WriteDeadLetters
from gatling_beam.transforms.write_samples import WriteSamples

STAGE = "tier1"
STAGES = ("normalize", "validate", "dedup")


class Tier1Options(ReadOptions, OutputOptions, EngineOptions):
    """Tier I."""

    target: int | None = Field(
        None,
        ge=1,
        description="rows wanted: exactly so many are taken, the same ones for the same seed; default: all",
        json_schema_extra={"metavar": "N"},
    )
    max_bad_fraction: float | None = Field(
        None,
        ge=0,
        le=1,
        description="fail when more than this part of the rows read became dead letters; default: never",
        json_schema_extra={"metavar": "F"},
    )


class Job(msgspec.Struct, frozen=True):
    """A run as its pipeline needs it: the sources with their commits, and where rows are written.

    `directory` is the output directory; the files of rows go to its folder `rows_folder`.
    """

    available: Available
    directory: str
    shards: int
    dead_shards: int = 1
    format: Format = "parquet"
    rows_folder: str = DATA
    limit: int | None = None
    root: str | None = None

    @property
    def temporary(self) -> str:
        """Folder of everything that is removed at the end."""
        return join(self.directory, TEMPORARY)

    @property
    def outcome(self) -> str:
        """The file with the run's counts and files."""
        return join(self.temporary, "outcome.json")


def build(pipeline: beam.Pipeline, job: Job) -> None:
    """Read -> NormalizeToPlan -> ValidateDAG -> one row of each intent hash, in files; counts go to `job.outcome`."""
    specs = job.available.specs
    revisions = job.available.revisions()
    read = [
        pipeline
        | f"Read{_camel(name)}"
        >> ReadHFSource(spec, limit=job.limit, root=job.root, revision=None if job.root else revisions[name])
        for name, spec in specs.items()
    ]
    rows = tuple(read) | "AllSources" >> beam.Flatten()
    plans = rows | "NormalizeToPlan" >> NormalizeToPlan(specs.values())
    valid = plans.rows | "ValidateDAG" >> ValidateDAG()
    staged = job.rows_folder != DATA
    written = valid.rows | "WriteSamples" >> WriteSamples(
        join(job.directory, job.rows_folder),
        format="parquet" if staged else job.format,
        shards=job.shards,
        unique_by="intent",
        priorities={name: spec.priority for name, spec in specs.items()},
        spill_to=job.temporary,
    )
    dead_files = (
        (plans.dead, valid.dead)
        | "AllDeadLetters" >> beam.Flatten()
        | "WriteDeadLetters"
        >> WriteDeadLetters(
            join(job.directory, DEAD_LETTERS),
            format=job.format,
            shards=default_shards(job.shards),
            spill_to=job.temporary,
        )
    )
    tallies = (plans.tallies, valid.tallies, written.tallies)
    (tallies, {job.rows_folder: written.files, DEAD_LETTERS: dead_files}) | "WriteOutcome" >> WriteOutcome(job.outcome)


def run(options: Tier1Options, beam_args: Sequence[str] = ()) -> None:
    """Makes the output directory that `options` describe; prints what came of it unless `options.quiet`.

    Raises:
      UserError: for whatever the user can mend. Nothing is committed then.
    """
    engine = beam_options(options, beam_args, Tier1Options)
    available = look_up(options)
    expected = most_rows(available, options.limit)
    shards = options.shards or default_shards(min(expected, options.target or expected))
    recipe = _recipe(options, available, shards)
    key = stage_key(STAGE, recipe, gatling_beam.__version__, [])
    if prepare(options, key, recipe) == "finished":
        print(f"{options.output} is finished by this very run: nothing to do", file=sys.stderr)
        return
    job = Job(
        available=available,
        directory=options.output,
        shards=shards,
        # Where every row is bad a shard holds a million; that is rare, and a dead letter is small.
        dead_shards=ceil(shards / 10),
        format=options.format,
        rows_folder=STAGED if options.target else DATA,
        limit=options.limit,
        root=options.root,
    )
    with watched(options.output, quiet=options.quiet):
        run_pipeline(lambda pipeline: build(pipeline, job), engine)
        outcome = read_outcome(job.outcome)
        refuse_too_many_bad(outcome, options.max_bad_fraction)
        # A second pipeline, not a further step: rows that wait for a cut-off would all be held in memory.
        if options.target:
            outcome = take_target(
                options.output, outcome, target=options.target, seed=options.seed, format=options.format, options=engine
            )
    # Before the manifest: a finished directory holds nothing that is not listed.
    remove_temporary(options.output)
    close_run(
        options.output,
        outcome,
        stages=(*STAGES, sampling.STAGE) if options.target else STAGES,
        unavailable=available.unavailable,
        sources=[*available.specs],
        quiet=options.quiet,
        stage=STAGE,
        stage_key=key,
        recipe=recipe,
        seed=options.seed,
        versions={"apache-beam": beam.__version__},
        format=options.format,
        target_samples=options.target,
        source_versions={
            name: SourceVersion(
                dataset=spec.hub_id,
                revision=available.revisions()[name],
                licence=spec.licence,
                gated=spec.gated,
            )
            for name, spec in available.specs.items()
        },
    )


def refuse_too_many_bad(outcome: Outcome, fraction: float | None) -> None:
    """Raises UserError if the dead letters are more than `fraction` of the rows read."""
    read = sum(tally.n for tally in outcome.tallies if tally.kind == "in" and tally.stage == STAGES[0])
    dead = sum(tally.n for tally in outcome.tallies if tally.kind == "dead")
    if fraction is not None and dead > fraction * read:
        raise UserError(
            f"{dead:,} of {read:,} rows are bad ({dead / read:.1%}), --max_bad_fraction={fraction:g} allows "
            f"{fraction:.1%}: look at the folder {DEAD_LETTERS} with `gatling-beam inspect`, or allow more"
        )


def _recipe(options: Tier1Options, available: Available, shards: int) -> dict[str, Any]:
    """All that decides the rows and files of a run."""
    return {
        "sources": available.revisions(),
        "unavailable": sorted(available.unavailable),
        "limit": options.limit,
        "target": options.target,
        "seed": options.seed,
        "format": options.format,
        "shards": shards,
    }


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def command(argv: Sequence[str], prog: str) -> int:
    """Runs the command line of `gatling-beam tier1`."""
    options, beam_args = parse(Tier1Options, parser_of(Tier1Options, prog, __doc__ or ""), argv)
    run(options, beam_args)
    return 0


def main() -> int:
    """The command alone, as `python -m gatling_beam.pipelines.tier1`."""
    from gatling_beam.pipelines.cli import main as cli

    return cli(["tier1", *sys.argv[1:]])


if __name__ == "__main__":
    # Functions of __main__ would be pickled by value; imported, they go by name.
    from gatling_beam.pipelines.tier1 import main

    raise SystemExit(main())
