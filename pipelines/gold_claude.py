"""`gatling-beam gold --oracle claude` and `--oracle reword`: gold traces by Claude, and what they cost."""

import os
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from fsspec.core import url_to_fs

import gatling_beam
from gatling_beam.claude.batch_settings import BatchProgress, BatchSettings
from gatling_beam.claude.batches import run_batches
from gatling_beam.claude.calls import Answer, Call
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.group import GroupJob, Steps
from gatling_beam.claude.oracle import ClaudeOracle, ShardSums, add_sums, shard_name
from gatling_beam.claude.preflight import look_up_model, make_client
from gatling_beam.claude.prices import PRICES_FILE, Price, price
from gatling_beam.claude.prompts import prompts_hash
from gatling_beam.claude.store import CorruptFile, check_writable
from gatling_beam.claude.usage import Usage
from gatling_beam.files import join
from gatling_beam.manifest import stage_key
from gatling_beam.oracle.convert import SOURCE
from gatling_beam.oracle.shard import STAGE, GoldJob
from gatling_beam.pipelines.claude_cost import print_estimate
from gatling_beam.pipelines.claude_options import settings_recipe
from gatling_beam.pipelines.claude_shards import ClaudeShards, MakeShard, made_shards, stopped_shard
from gatling_beam.pipelines.claude_spend import Spend
from gatling_beam.pipelines.gold_close import close_gold
from gatling_beam.pipelines.gold_options import GoldOptions
from gatling_beam.pipelines.options import UserError
from gatling_beam.pipelines.output import DATA, TEMPORARY, prepare
from gatling_beam.pipelines.progress import watched
from gatling_beam.pipelines.runner import beam_options, is_local, run_pipeline
from gatling_beam.render import table
from gatling_beam.sample import Tally

#: Traces whose batches are made together: the calls that wait are held in memory, some 15 kB each.
_WAVE_TRACES = 500_000


def run_claude(options: GoldOptions, beam_args: Sequence[str] = ()) -> None:
    """Makes the output directory that `options` describe, or says what it would cost.

    Raises:
      UserError: for whatever the user can mend; what was paid for is kept.
    """
    callers = options.callers or options.workers or 1
    if options.workers is None and not any("num_workers" in flag for flag in beam_args):
        options = options.model_copy(update={"workers": callers} if _is_local(options, beam_args) else {})
    engine = beam_options(options, beam_args, GoldOptions)
    total, names = options.wanted(), options.chosen()
    try:
        of = price(options.model, options.prices or PRICES_FILE)
        settings = options.engine_settings(callers)
    except ValueError as e:
        raise UserError(str(e)) from None
    except OSError as e:
        raise UserError(f"--prices={options.prices} cannot be read ({e}): name a file of prices") from None
    plans = options.oracle == "claude"
    job = GroupJob(options.seed, names, options.model_settings(), plans, options.tries, options.second_reading)
    gold = GoldJob(join(options.output, DATA), total, options.seed, names, min(options.checkpoint_every, total))
    answers = options.answers or f"{options.output.rstrip('/')}-answers"
    _check_places(options, answers)
    _check_callers(options, callers, engine)
    if options.dry_run:
        batch = options.mode == "batches"
        try:
            print_estimate(job, total, answers, of, batch=batch, engine=settings, max_cost_usd=options.max_cost_usd)
        except CorruptFile as e:
            raise UserError(str(e)) from None
        return
    recipe = _recipe(options, job, gold)
    key = stage_key(STAGE, recipe, gatling_beam.__version__, [])
    try:
        client = make_client(settings)
        if warning := look_up_model(client, options.model):
            print(f"WARNING: {warning}", file=sys.stderr)
        check_writable(answers)
    except Stopped as e:
        raise UserError(str(e)) from None
    except OSError as e:
        raise UserError(f"no answers can be kept in {answers} ({e}): name another folder by --answers") from None
    if prepare(options, STAGE, key, recipe) == "finished":
        print(f"{options.output} is finished by this very run: nothing to do", file=sys.stderr)
        return
    notes = join(options.output, f"{TEMPORARY}/shards")
    shards = ClaudeShards(gold, job, answers, settings, notes, options.prices or "")
    if options.mode == "batches":
        try:
            _fill_by_batches(options, shards, client, of)
        except (Stopped, CorruptFile, OSError) as e:
            raise UserError(_stopped(str(e), answers)) from None
        shards = msgspec.structs.replace(shards, engine=None)
    _make(options, shards, of, engine)
    made = made_shards(notes)
    if stopped := stopped_shard(notes):
        raise UserError(_stopped(stopped.detail, answers))
    if len(made) < gold.shards:
        raise UserError(_stopped(f"{gold.shards - len(made):,} of {gold.shards:,} files were not written", answers))
    sums = add_sums([one.sums for one in made])
    if sums.missing and not options.allow_short:
        raise UserError(
            f"{sums.missing:,} of {total:,} traces were not valid in {options.tries} tries; nothing was committed, and "
            f"the answers are kept in {answers}{_unusable(sums.notes)}. Raise --tries, or write what there is: "
            "--allow_short"
        )
    tallies = [Tally(STAGE, SOURCE, "note", n, f"claude {name}") for name, n in sums.notes.items()]
    tallies += [Tally(STAGE, SOURCE, "note", sums.missing, "shortfall")] if sums.missing else []
    close_gold(
        options.output,
        [one.shard for one in made],
        total=total,
        entered=sums.tried,
        seed=options.seed,
        quiet=options.quiet,
        key=key,
        recipe=recipe,
        revision=f"{options.oracle} {options.model}",
        notes=tallies,
        usage=_booked(sums),
    )
    if not options.quiet:
        print(cost_table(sums.usage))


def cost_table(usage: Usage) -> str:
    """What was paid for, by phase."""
    rows: list[tuple[str, ...]] = [("phase", "mode", "calls", "input", "from cache", "output", "dollars")]
    for row in usage.rows:
        written = row.input_tokens + row.cache_write_tokens
        counts = (row.calls, written, row.cache_read_tokens, row.output_tokens)
        rows.append((row.phase, "batch" if row.batch else "online", *(f"{n:,}" for n in counts), f"{row.usd:,.4f}"))
    rows.append(("all", "", f"{usage.calls:,}", "", "", "", f"{usage.usd:,.4f}"))
    return table(rows)


def _is_local(options: GoldOptions, beam_args: Sequence[str]) -> bool:
    return is_local(beam_options(options, beam_args, GoldOptions))


def _check_places(options: GoldOptions, answers: str) -> None:
    """Raises UserError for answers inside the output, where a run removes what is not its own."""
    inner, outer = (url_to_fs(place)[1].rstrip("/") for place in (answers, options.output))
    if f"{inner}/".startswith(f"{outer}/"):
        raise UserError(f"--answers={answers} is inside of --output={options.output}: name a folder beside it")


def _check_callers(options: GoldOptions, callers: int, engine: PipelineOptions) -> None:
    """Raises UserError for more local workers than callers, which would spend the cap several times."""
    if options.mode == "batches" or not is_local(engine):
        return
    workers = engine.view_as(DirectOptions).direct_num_workers or os.cpu_count() or 1
    if workers > callers:
        raise UserError(
            f"{workers} workers ask at the same time, but --in_flight and --max_cost_usd are divided by "
            f"--callers={callers}: raise it to {workers}, or lower --workers"
        )


def _recipe(options: GoldOptions, job: GroupJob, gold: GoldJob) -> dict[str, Any]:
    """All that decides the traces, beside the answers themselves."""
    return {
        "oracle": options.oracle,
        "total": gold.total,
        "seed": job.seed,
        "domains": list(job.domains),
        "checkpoint_every": gold.shard_rows,
        "tries": job.tries,
        "second_reading": job.judged,
        "settings": settings_recipe(job.settings),
        "prompts": prompts_hash(),
        "api_version": options.api_version,
    }


def _make(options: GoldOptions, shards: ClaudeShards, of: Price, engine: PipelineOptions) -> None:
    spend = Spend(shards.answers, of)

    def build(pipeline: beam.Pipeline) -> None:
        numbers = pipeline | "Shards" >> beam.Create(range(shards.gold.shards)).with_output_types(int)
        spread = numbers | "SpreadShards" >> beam.Reshuffle()
        spread | "MakeShard" >> beam.ParDo(MakeShard(shards))

    with watched(options.output, f"{shards.gold.total:,} traces", quiet=options.quiet, more=spend.line):
        run_pipeline(build, engine)


def _fill_by_batches(options: GoldOptions, shards: ClaudeShards, client: Any, of: Price) -> None:
    """Asks for all that the shards need, wave by wave. Results are not kept: the shards are made of the answers."""
    gold, job = shards.gold, shards.job
    oracle = ClaudeOracle(job, shards.answers, None)
    each = max(1, _WAVE_TRACES // gold.shard_rows)
    left = options.max_cost_usd
    for first in range(0, gold.shards, each):
        spent = 0.0
        groups = {}
        for index in range(first, min(first + each, gold.shards)):
            numbers = gold.numbers(index)
            makers = oracle.groups(numbers.start, numbers.stop)
            groups[shard_name(job, numbers.start, numbers.stop)] = [_asking(make) for make in makers]

        def progress(seen: BatchProgress) -> None:
            nonlocal spent
            spent = seen.spent_usd
            if not options.quiet:
                print(_batch_line(seen), file=sys.stderr, flush=True)

        if left is not None and left <= 0:
            raise Stopped("budget", f"--max_cost_usd={options.max_cost_usd} is spent")
        run_batches(groups, shards.answers, client, BatchSettings(of, cap_usd=left, poll_s=options.poll_s), progress)
        left = None if left is None else left - spent


def _asking(make: Callable[[], Steps]) -> Callable[[], Generator[list[Call], list[Answer], None]]:
    """A group that is run for its calls alone."""

    def steps() -> Generator[list[Call], list[Answer], None]:
        yield from make()

    return steps


def _batch_line(seen: BatchProgress) -> str:
    return (
        f"batches: {seen.groups_done:,} of {seen.groups:,} groups done, {seen.open_requests:,} calls in "
        f"{seen.open_batches:,} open batches, {seen.answered:,} answers, ${seen.spent_usd:,.2f}"
    )


def _stopped(detail: str, answers: str) -> str:
    return (
        f"{detail}\nNothing was committed. What was answered is kept in {answers}: the same command goes on from there"
    )


def _unusable(notes: Mapping[str, int]) -> str:
    """The answers that held nothing to use, the most frequent first: if these are all, more tries do not help."""
    counts = sorted((-n, name) for name, n in notes.items() if not name.startswith("compliance"))
    return "".join(["; answers without use: ", ", ".join(f"{-n:,} {name}" for n, name in counts)] if counts else [])


def _booked(sums: ShardSums) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(row) | {"usd": round(row.usd, 6)} for row in sums.usage.rows]
