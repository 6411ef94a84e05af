"""`gatling-beam gold`: gold traces with their requests, policies and warrants, as JSON lines."""

import sys
from collections.abc import Sequence

import apache_beam as beam
import msgspec
from fsspec.core import url_to_fs

import gatling_beam
from gatling_beam.files import join, read_bytes, write_bytes
from gatling_beam.manifest import stage_key
from gatling_beam.oracle.shard import STAGE, GoldJob, GoldShard, read_gold_shard, shard_file, write_gold_shard
from gatling_beam.pipelines.claude_options import given_without_use
from gatling_beam.pipelines.gold_close import close_gold
from gatling_beam.pipelines.gold_options import GoldOptions
from gatling_beam.pipelines.options import UserError, parse, parser_of
from gatling_beam.pipelines.output import DATA, TEMPORARY, prepare
from gatling_beam.pipelines.progress import watched
from gatling_beam.pipelines.runner import beam_options, run_pipeline
from gatling_beam.transforms._coders import register

register(GoldShard)


def run(options: GoldOptions, beam_args: Sequence[str] = ()) -> None:
    """Makes the output directory that `options` describe.

    Raises:
      UserError: for whatever the user can mend.
    """
    if options.oracle != "template":
        from gatling_beam.pipelines.gold_claude import run_claude  # with the client, which takes a second to import

        return run_claude(options, beam_args)
    if unused := given_without_use(options):
        raise UserError(
            f"{unused[0]} is about Claude, and --oracle=template asks nobody: leave it out, or --oracle=claude"
        )
    engine = beam_options(options, beam_args, GoldOptions)
    total = options.wanted()
    names = options.chosen()
    job = GoldJob(join(options.output, DATA), total, options.seed, names, min(options.checkpoint_every, total))
    recipe = {"oracle": options.oracle, "total": total, "seed": options.seed, "domains": list(names)}
    recipe["checkpoint_every"] = job.shard_rows
    key = stage_key(STAGE, recipe, gatling_beam.__version__, [])
    state = prepare(options, STAGE, key, recipe, keep=True)
    if state == "finished":
        print(f"{options.output} is finished by this very run: nothing to do", file=sys.stderr)
        return
    there = {shard.name: shard for shard in _finished(job)} if state == "go_on" else {}
    missing = [index for index in range(job.shards) if shard_file(index, job.shards) not in there]
    with watched(options.output, f"{len(missing)} files of gold traces", quiet=options.quiet):
        made = join(options.output, f"{TEMPORARY}/shards")

        def build(pipeline: beam.Pipeline) -> None:
            numbers = pipeline | "Shards" >> beam.Create(missing).with_output_types(int)
            spread = numbers | "SpreadShards" >> beam.Reshuffle()
            spread | "WriteShard" >> beam.Map(_write, job, made).with_output_types(str)

        if missing:
            run_pipeline(build, engine)
        fresh = [_read(join(made, f"{shard_file(index, job.shards)}.json")) for index in missing]
    close_gold(
        options.output,
        sorted([*there.values(), *fresh], key=lambda shard: shard.name),
        total=total,
        entered=total,
        seed=options.seed,
        quiet=options.quiet,
        key=key,
        recipe=recipe,
        revision=options.oracle,
    )


def _finished(job: GoldJob) -> list[GoldShard]:
    """The shards that an interrupted run has written; a file is there whole or not at all.

    One that lacks traces is left out, so that it is made again: its dead letters are in no file yet.
    """
    fs, folder = url_to_fs(job.directory)
    numbers = {shard_file(index, job.shards): job.numbers(index) for index in range(job.shards)}
    there = [path.rpartition("/")[2] for path in fs.ls(folder, detail=False)] if fs.exists(folder) else []
    shards = [read_gold_shard(join(job.directory, name)) for name in there if name in numbers]
    return [shard for shard in shards if shard.rows == len(numbers[shard.name])]


def _write(index: int, job: GoldJob, made: str) -> str:
    shard = write_gold_shard(index, job)
    write_bytes(join(made, f"{shard.name}.json"), msgspec.msgpack.encode(shard))
    return shard.name


def _read(path: str) -> GoldShard:
    return msgspec.msgpack.decode(read_bytes(path), type=GoldShard)


def command(argv: Sequence[str], prog: str) -> int:
    """Runs the command line of `gatling-beam gold`."""
    options, beam_args = parse(GoldOptions, parser_of(GoldOptions, prog, __doc__ or ""), argv)
    run(options, beam_args)
    return 0


def main() -> int:
    """The command alone, as `python -m gatling_beam.pipelines.gold`."""
    from gatling_beam.pipelines.cli import main as cli

    return cli(["gold", *sys.argv[1:]])


if __name__ == "__main__":
    # Functions of __main__ would be pickled by value; imported, they go by name.
    from gatling_beam.pipelines.gold import main

    raise SystemExit(main())
