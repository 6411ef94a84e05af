"""`gatling-beam tier1`: plans of many data sets, validated, without duplicates, as one data set of benign rows."""

import sys
from collections.abc import Sequence
from math import ceil
from typing import Any, Literal

import apache_beam as beam
from pydantic import Field, model_validator

import gatling_beam
from gatling_beam import dedup, normalize, sampling, validate_dag, write
from gatling_beam.hub import reading
from gatling_beam.manifest import SourceVersion, stage_key
from gatling_beam.oracle.convert import DATASET
from gatling_beam.oracle.convert import SOURCE as GOLD
from gatling_beam.pipelines.closing import close_run
from gatling_beam.pipelines.options import UserError, parse, parser_of
from gatling_beam.pipelines.outcome import Outcome, read_outcome
from gatling_beam.pipelines.output import DATA, DEAD_LETTERS, OutputOptions, prepare, release, remove_temporary
from gatling_beam.pipelines.preflight import Available, ReadOptions, default_shards, look_up, most_rows
from gatling_beam.pipelines.progress import watched
from gatling_beam.pipelines.runner import EngineOptions, beam_options, run_pipeline
from gatling_beam.pipelines.take_target import STAGED, take_target
from gatling_beam.pipelines.tier1_pipeline import Job, build

STAGE = "tier1"


#: Gold traces that are made for a row of the target. Some make the same calls: 0.05 % of 3,500,000.
_STAND_BY = 1.02


class Tier1Options(ReadOptions, OutputOptions, EngineOptions):
    """Tier I."""

    target: int | None = Field(
        None,
        ge=1,
        description="rows wanted: exactly so many are taken, the same ones for the same seed; default: all",
        json_schema_extra={"metavar": "N"},
    )
    top_up: Literal["gold"] | None = Field(
        None,
        description="gold: fill what the sources lack of --target with gold traces of the template oracle",
        json_schema_extra={"metavar": "gold"},
    )
    near: float | None = Field(
        None,
        ge=0.5,
        le=1,
        description="also leave out near-duplicates, from this Jaccard similarity of calls and request on; default: "
        "exact duplicates alone",
        json_schema_extra={"metavar": "SIMILARITY"},
    )
    max_bad_fraction: float | None = Field(
        None,
        ge=0,
        le=1,
        description="fail when more than this part of the rows read became dead letters; default: never",
        json_schema_extra={"metavar": "F"},
    )

    @model_validator(mode="after")
    def _a_target_to_fill(self) -> "Tier1Options":
        if self.top_up and not self.target:
            raise ValueError("--top_up fills up to a number of rows: say which with --target")
        return self


def run(options: Tier1Options, beam_args: Sequence[str] = ()) -> None:
    """Makes the output directory that `options` describe; prints what came of it unless `options.quiet`.

    Raises:
      UserError: for whatever the user can mend. Nothing is committed then.
    """
    engine = beam_options(options, beam_args, Tier1Options)
    available = look_up(options)
    gold = ceil(_STAND_BY * (options.target or 0)) + 20 if options.top_up else 0
    expected = most_rows(available, options.limit) + gold
    shards = options.shards or default_shards(min(expected, options.target or expected))
    recipe = _recipe(options, available, shards)
    key = stage_key(STAGE, recipe, gatling_beam.__version__, [])
    if prepare(options, STAGE, key, recipe) == "finished":
        print(f"{options.output} is finished by this very run: nothing to do", file=sys.stderr)
        return
    # Of staged files there are as many as keep one of them small, in a multiple of the files wanted.
    staged = shards * ceil(default_shards(expected) / shards)
    job = Job(
        available=available,
        directory=options.output,
        shards=staged if options.target else shards,
        # Where every row is bad a shard holds a million; that is rare, and a dead letter is small.
        dead_shards=ceil(default_shards(expected) / 10),
        format=options.format,
        rows_folder=STAGED if options.target else DATA,
        near=options.near,
        limit=options.limit,
        root=options.root,
        exchange=options.exchange,
        gold=gold,
        seed=options.seed,
    )
    with watched(options.output, available.amount(), quiet=options.quiet):
        run_pipeline(lambda pipeline: build(pipeline, job), engine)
        outcome = read_outcome(job.outcome)
        if not options.skip_unavailable:
            refuse_empty(outcome, available)
        refuse_too_many_bad(outcome, options.max_bad_fraction)
        # A second pipeline, not a further step: rows that wait for a cut-off would all be held in memory.
        if options.target:
            outcome = take_target(
                options.output,
                outcome,
                target=options.target,
                seed=options.seed,
                shards=shards,
                format=options.format,
                options=engine,
            )
    # Before the manifest: a finished directory holds nothing that is not listed, but for the marker's last moment.
    remove_temporary(options.output)
    close_run(
        options.output,
        outcome,
        stages=_stages(options),
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
        }
        | (
            {GOLD: SourceVersion(dataset=DATASET, revision="template", licence="apache-2.0", gated=False)}
            if gold
            else {}
        ),
    )
    release(options.output)


def refuse_empty(outcome: Outcome, available: Available) -> None:
    """Raises UserError if a source gave no row although its files hold something."""
    read = {tally.source for tally in outcome.tallies if tally.stage == reading.STAGE and tally.n}
    empty = [
        name
        for name, listing in available.listings.items()
        if name not in read and any(file.size for file in listing.files)
    ]
    if empty:
        raise UserError(
            f"no row was read from {', '.join(empty)}, although the files hold something: look at them, leave the "
            "sources out of --sources, or go on without their rows: --skip_unavailable"
        )


def refuse_too_many_bad(outcome: Outcome, fraction: float | None) -> None:
    """Raises UserError if the dead letters are more than `fraction` of the rows read."""
    read = sum(tally.n for tally in outcome.tallies if tally.kind == "in" and tally.stage == normalize.STAGE)
    dead = sum(tally.n for tally in outcome.tallies if tally.kind == "dead")
    if fraction is not None and dead > fraction * read:
        raise UserError(
            f"{dead:,} of {read:,} rows are bad ({dead / read:.1%}), --max_bad_fraction={fraction:g} allows "
            f"{fraction:.1%}: look at the folder {DEAD_LETTERS} with `gatling-beam inspect`, or allow more"
        )


def _stages(options: Tier1Options) -> tuple[str, ...]:
    """The stages that rows pass, in order."""
    written = () if options.near is None else (write.STAGE,)
    taken = () if options.target is None else (sampling.STAGE,)
    return (reading.STAGE, normalize.STAGE, validate_dag.STAGE, dedup.STAGE, *written, *taken)


def _recipe(options: Tier1Options, available: Available, shards: int) -> dict[str, Any]:
    """All that decides the rows and files of a run."""
    return {
        "sources": available.revisions(),
        "unavailable": sorted(available.unavailable),
        "limit": options.limit,
        "near": options.near,
        "target": options.target,
        "top_up": options.top_up,
        "seed": options.seed,
        "format": options.format,
        "shards": shards,
    }


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
