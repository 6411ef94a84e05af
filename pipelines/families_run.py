"""What `tier2` and `tier3` have in common: candidates from all anchors, refills of short strata, exact quotas."""

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.options.pipeline_options import PipelineOptions
from pydantic import Field

import gatling_beam
from gatling_beam import sampling
from gatling_beam.audit.result import AuditResult
from gatling_beam.families.make import STAGE as FAMILIES
from gatling_beam.families.make import Making, make
from gatling_beam.files import join, write_bytes
from gatling_beam.ledger import LEDGER_NAME, Ledger, ledger_bytes
from gatling_beam.manifest import SourceVersion, stage_key
from gatling_beam.pipelines.anchors import Rows, first_rows, look_up_rows, version_of, versions_of
from gatling_beam.pipelines.audit_step import AuditStepOptions, audit_of_finished, audit_written, holds
from gatling_beam.pipelines.candidates import Round, build_candidates, of_refill
from gatling_beam.pipelines.closing import close_run
from gatling_beam.pipelines.options import Options, UserError
from gatling_beam.pipelines.outcome import Outcome, read_outcome
from gatling_beam.pipelines.output import DEAD_LETTERS, OutputOptions, prepare, release, remove_temporary
from gatling_beam.pipelines.place import Place
from gatling_beam.pipelines.preflight import default_shards
from gatling_beam.pipelines.progress import watched
from gatling_beam.pipelines.runner import EngineOptions, run_pipeline
from gatling_beam.pipelines.take_crossings import Taking, take_crossings
from gatling_beam.sample import Tally
from gatling_beam.selection import COLUMNS, Candidates, Chosen, StratumOf
from gatling_beam.shards import ShardFile, read_table

#: Anchors that the estimate looks at: a hundredth of them, within these bounds.
_LEAST_LOOK, _MOST_LOOK = 200, 2_000
#: Candidates for each negative wanted, and some more, since small numbers vary: what is refused, what collides, and
#: the error of the estimate.
_SPARE, _MORE = 1.3, 20
#: Rows of a staged file: a worker holds one, some 6 kB a row and its copy.
_STAGED_ROWS = 25_000


class AnchorOptions(Options):
    """Input."""

    input: Place = Field(
        description="benign rows to make crossings of: the output directory of tier1, or a file of rows (.parquet, "
        ".jsonl, .avro); rows without a warrant are annotated first",
        min_length=1,
        json_schema_extra={"metavar": "DIR"},
    )
    k: int = Field(
        4,
        ge=1,
        le=1_000,
        description="crossings of a strategy and an anchor at most, in a round",
        json_schema_extra={"metavar": "N"},
    )
    max_rounds: int = Field(
        3,
        ge=0,
        le=100,
        description="rounds that make further crossings of the same anchors where a stratum is short, at most",
        json_schema_extra={"metavar": "N"},
    )
    allow_short: bool = Field(
        False, description="write what there is where a stratum stays short; else the run fails then"
    )


class FamiliesOptions(AnchorOptions, AuditStepOptions, OutputOptions, EngineOptions):
    """Options of both commands."""


class Plan(msgspec.Struct, frozen=True):
    """What a command makes: negatives by stratum, the first round, and the making that refills a stratum, if any does.

    `distinct` is whether no two crossings may share a row; `folders` says the folder of each label.
    """

    stage: str
    quotas: dict[str, int]
    stratum_of: StratumOf
    first: Making
    refill: Callable[[str], Making] | None
    folders: dict[str, str]
    recipe: dict[str, Any]
    distinct: bool = True


def run_families(options: FamiliesOptions, plan: Plan, engine: PipelineOptions) -> bool:
    """Makes the output directory, audits its rows and commits them. False if the audit is a gate and does not hold.

    Raises:
      UserError: for whatever the user can mend. Nothing is committed then.
    """
    gate, quiet = options.gate(), options.quiet
    anchors = look_up_rows(options.input, "tier1")
    # A crossing has about as many benign rows as negatives, and a row of a family takes the room of two.
    shards = options.shards or default_shards(4 * sum(plan.quotas.values()))
    recipe = plan.recipe | {
        "k": options.k,
        "max_rounds": options.max_rounds,
        "seed": options.seed,
        "format": options.format,
        "shards": shards,
    }
    key = stage_key(plan.stage, recipe, gatling_beam.__version__, [anchors.key])
    if prepare(options, plan.stage, key, recipe | {"input": anchors.key}) == "finished":
        print(f"{options.output} is finished by this very run: nothing to do", file=sys.stderr)
        return gate == "no" or holds(audit_of_finished(options.output, quiet=quiet), gate, quiet=quiet)
    estimate = _estimate(anchors, plan, options)
    with watched(options.output, f"{anchors.rows:,} anchors", quiet=quiet):
        rounds, outcome, chosen = _rounds(options, plan, anchors, shards, estimate, engine)
        missing = chosen.missing(plan.quotas)
        notes = [Tally(sampling.STAGE, "", "note", n, f"shortfall:{name}") for name, n in missing.items()]
        if missing and not options.allow_short:
            _fail_short(options.output, [*outcome.tallies, *notes], plan, chosen, missing, len(rounds))
        taking = Taking(
            options.output,
            tuple(_staged(outcome, one.rows_folder) for one in rounds),
            tuple(_staged(outcome, one.dead_folder) for one in rounds),
            plan.folders,
            shards,
            rounds[0].dead_shards,
            options.format,
            plan.stratum_of,
        )
        taken = take_crossings(taking, chosen.fates, engine)
    remove_temporary(options.output)
    audited: AuditResult | None = None
    documents: list[ShardFile] = []
    if gate != "no":
        audited, documents = audit_written(options.output, taken.files, options.format, quiet=quiet)
    tallies = (*outcome.tallies, *taken.tallies, *notes)
    written = sum(file.rows for file in taken.files if not file.name.startswith(f"{DEAD_LETTERS}/"))
    close_run(
        options.output,
        Outcome(tallies, taken.files),
        stages=(FAMILIES, sampling.STAGE),
        unavailable={},
        sources=[],
        quiet=quiet,
        documents=documents,
        stage=plan.stage,
        stage_key=key,
        recipe=recipe | {"input": anchors.key},
        seed=options.seed,
        versions={"apache-beam": beam.__version__},
        format=options.format,
        # A crossing has as many benign rows as negatives.
        target_samples=written + 2 * sum(missing.values()),
        source_versions=versions_of(anchors, tallies, estimate.sources),
    )
    release(options.output)
    for name, n in missing.items():
        print(f"WARNING: {name} is {n:,} negatives short of {plan.quotas[name]:,}", file=sys.stderr)
    return audited is None or holds(audited, gate, quiet=quiet)


class Estimate(msgspec.Struct, frozen=True):
    """What a hundredth of the anchors tells: the first round, the rows that it gives, and the sources seen."""

    makings: tuple[Making, ...]
    rows: int
    sources: dict[str, SourceVersion]


def _estimate(anchors: Rows, plan: Plan, options: FamiliesOptions) -> Estimate:
    """Of each stratum as many crossings of as many anchors as fill its quota with something to spare; all there can be
    where no further round would make up for an estimate that is wrong."""
    k, quiet, is_last = options.k, options.quiet, plan.refill is None or options.max_rounds == 0
    look = min(anchors.rows, max(_LEAST_LOOK, min(_MOST_LOOK, ceil(anchors.rows / 100))))
    samples = list(first_rows(anchors, look))
    sources: dict[str, SourceVersion] = {}
    for sample in samples:
        sources.setdefault(sample.source.name, version_of(sample))
    asked = {
        name: plan.refill(name) if plan.refill else msgspec.structs.replace(plan.first, strategies=(name,), k=1)
        for name in plan.quotas
    }
    unjudged = [msgspec.structs.replace(making, judge=False) for making in asked.values()]
    found, negatives = Counter[str](), Counter[str]()
    for sample in samples:
        for row in make(sample, unjudged).rows:
            assert row.mutation is not None
            name = plan.stratum_of(row.mutation.strategy, row.mutation.ratio_band, row.mutation.difficulty)
            found[name] += 1
            negatives[name] += row.label != "benign"
    makings, rows = [], 0.0
    if not quiet:
        print(f"expected from {len(samples):,} of {anchors.rows:,} anchors:", file=sys.stderr)
    for name, quota in plan.quotas.items():
        each = negatives[name] / max(len(samples), 1) * anchors.rows
        making = _sized(asked[name], quota, 0 if is_last else each, k)
        if quota:
            makings.append(making)
            rows += found[name] / max(len(samples), 1) * making.k * making.share * anchors.rows
        if not quiet:
            short = "  may be short: further rounds" if each * k < quota else ""
            print(
                f"  {name:36} {quota:>10,} negatives: {making.k} of {making.share:.1%} of the anchors, where it"
                f" applies{short}",
                file=sys.stderr,
            )
    return Estimate(tuple(makings), ceil(rows), sources)


def _sized(making: Making, wanted: int, each: float, k: int) -> Making:
    """The making with as many crossings of as many anchors as give the negatives `wanted`, and some more.

    Args:
      each: the negatives that one crossing of every anchor gives; 0 where that is not known: all there can be.
      k: crossings of an anchor at most.
    """
    if not each:
        return msgspec.structs.replace(making, k=k, share=1.0)
    times = (_SPARE * wanted + _MORE) / each
    number = min(k, max(1, ceil(times)))
    return msgspec.structs.replace(making, k=number, share=min(1.0, times / number))


def _rounds(
    options: FamiliesOptions, plan: Plan, anchors: Rows, shards: int, estimate: Estimate, engine: PipelineOptions
) -> tuple[list[Round], Outcome, Chosen]:
    """Candidates until all quotas are filled, nothing new comes, or the rounds are over."""
    candidates = Candidates(options.seed, list(plan.quotas), plan.stratum_of, distinct=plan.distinct)
    expected = estimate.rows
    rounds: list[Round] = []
    tallies: list[Tally] = []
    files: list[Any] = []
    chosen = Chosen({}, {}, {})
    makings = estimate.makings
    names = [name for name, quota in plan.quotas.items() if quota]
    tried = dict.fromkeys(names, 0.0)  # crossings of every anchor, by stratum
    while True:
        round = Round(
            number=len(rounds),
            inputs=anchors.targets,
            makings=makings,
            directory=options.output,
            shards=shards * ceil(expected / _STAGED_ROWS / shards) or shards,
            dead_shards=ceil(default_shards(expected) / 10),
            exchange=options.exchange,
        )
        run_pipeline(lambda pipeline, round=round: build_candidates(pipeline, round), engine)  # type: ignore[misc]
        made = read_outcome(round.outcome)
        rounds.append(round)
        for name, making in zip(names, makings, strict=True):
            tried[name] += making.k * making.share
        tallies += made.tallies if round.number == 0 else of_refill(made.tallies)
        files += made.files
        for name in _staged(made, round.rows_folder):
            candidates.add(name, read_table(join(options.output, name), COLUMNS), round.number)
        before, chosen = chosen.available, candidates.choose(plan.quotas)
        short = chosen.missing(plan.quotas)
        # Of a strategy that applies to no anchor, more of the same anchors give nothing either.
        possible = [
            name
            for name in short
            if chosen.available[name] > before.get(name, 0) or (round.number == 0 and _applies(name, chosen))
        ]
        if not possible or plan.refill is None or round.number >= options.max_rounds:
            return rounds, Outcome(tuple(tallies), tuple(files)), chosen
        names = possible
        makings = tuple(
            msgspec.structs.replace(
                _sized(plan.refill(name), short[name], chosen.available[name] / tried[name], options.k),
                first=options.k * (round.number + 1),
            )
            for name in names
        )
        if not options.quiet:
            what = ", ".join(f"{name} ({n:,})" for name, n in short.items())
            print(f"round {round.number + 1}: short of negatives: {what}", file=sys.stderr)


def _applies(name: str, chosen: Chosen) -> bool:
    strategy = name.partition("/")[0]
    return any(n for other, n in chosen.available.items() if other.partition("/")[0] == strategy)


def _staged(outcome: Outcome, folder: str) -> tuple[str, ...]:
    return tuple(sorted(file.name for file in outcome.files if file.name.startswith(f"{folder}/")))


def _fail_short(
    directory: str, tallies: Sequence[Tally], plan: Plan, chosen: Chosen, missing: Mapping[str, int], rounds: int
) -> None:
    """Writes the ledger, to be read, and raises UserError."""
    ledger = Ledger.from_tallies(tallies, (FAMILIES, sampling.STAGE))
    write_bytes(join(directory, LEDGER_NAME), ledger_bytes(ledger))
    lines = "\n".join(f"  {name}: {chosen.taken[name]:,} of {plan.quotas[name]:,}" for name in missing)
    raise UserError(
        f"{len(missing)} strata are short of negatives after {rounds} rounds:\n{lines}\n"
        f"{join(directory, LEDGER_NAME)} says why strategies do not apply; nothing was committed. Give more anchors, a "
        "greater --k, ask for less, or write what there is: --allow_short"
    )
