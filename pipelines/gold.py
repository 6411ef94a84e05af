"""`gatling-beam gold`: gold traces with their requests, policies and warrants, as JSON lines."""

import sys
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

import apache_beam as beam
import msgspec
from fsspec.core import url_to_fs
from pydantic import Field

import gatling_beam
from gatling_beam.columns import StructColumns
from gatling_beam.domains.loader import DomainError, domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.files import join, read_bytes, write_bytes
from gatling_beam.manifest import SourceVersion, stage_key
from gatling_beam.oracle.convert import DATASET, SOURCE
from gatling_beam.oracle.shard import STAGE, GoldJob, GoldShard, read_gold_shard, shard_file, write_gold_shard
from gatling_beam.pipelines.closing import close_run
from gatling_beam.pipelines.options import UserError, parse, parser_of
from gatling_beam.pipelines.outcome import Outcome
from gatling_beam.pipelines.output import (
    DATA,
    DEAD_LETTERS,
    TEMPORARY,
    PlaceOptions,
    prepare,
    release,
    remove_temporary,
)
from gatling_beam.pipelines.progress import watched
from gatling_beam.pipelines.runner import EngineOptions, beam_options, run_pipeline
from gatling_beam.sample import DeadLetter, Tally
from gatling_beam.shards import ShardFile
from gatling_beam.transforms._coders import register
from gatling_beam.validate.diversity import merge_diversity, report
from gatling_beam.write import DeadLetterShard

register(GoldShard)

SAMPLE = 100
DIVERSITY = "diversity.json"


class GoldOptions(PlaceOptions, EngineOptions):
    """Gold traces."""

    oracle: Literal["template"] = Field("template", description="who writes the traces: template, which needs no key")
    total: int | None = Field(None, ge=1, description="number of traces", json_schema_extra={"metavar": "N"})
    sample: bool = Field(False, description=f"make {SAMPLE} traces")
    domains: str = Field(
        "all",
        description="names of domains, separated by commas, or all",
        json_schema_extra={"metavar": "NAMES"},
    )
    checkpoint_every: int = Field(
        10_000,
        ge=100,
        le=1_000_000,
        description="traces in a file; a run resumes after the last one",
        json_schema_extra={"metavar": "N"},
    )

    def chosen(self) -> tuple[str, ...]:
        """The names of the domains.

        Raises:
          UserError: for an unknown, an empty or a repeated one, or a domain file that is at fault.
        """
        if self.domains == "all":
            return domain_names()
        names = [name.strip() for name in self.domains.split(",")]
        if not all(names):
            raise UserError(f"--domains={self.domains!r} has an empty name; write names with one comma between them")
        if repeated := [name for name, n in Counter(names).items() if n > 1]:
            raise UserError(f"--domains={self.domains!r} names {', '.join(repeated)} twice; name each domain once")
        try:
            for name in names:
                domain(name)
        except (ValueError, DomainError) as e:
            raise UserError(f"--domains={self.domains}: {e}") from None
        return tuple(names)

    def wanted(self) -> int:
        """The number of traces.

        Raises:
          UserError: where none or two are given.
        """
        if self.sample and self.total is not None:
            raise UserError(
                f"--sample makes {SAMPLE} traces, --total={self.total} says another number: "
                f"drop --sample to make {self.total}, or --total to make {SAMPLE}"
            )
        if not self.sample and self.total is None:
            raise UserError(f"--total is missing: say how many traces, or give --sample for {SAMPLE}")
        return self.total or SAMPLE


def run(options: GoldOptions, beam_args: Sequence[str] = ()) -> None:
    """Makes the output directory that `options` describe.

    Raises:
      UserError: for whatever the user can mend.
    """
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
    shards = sorted([*there.values(), *fresh], key=lambda shard: shard.name)
    _close(options, job, shards, key, recipe)


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


def _close(options: GoldOptions, job: GoldJob, shards: list[GoldShard], key: str, recipe: dict[str, object]) -> None:
    figures = report(merge_diversity(shard.diversity for shard in shards))
    tallies = [Tally(STAGE, SOURCE, "in", job.total)]
    tallies += [Tally(STAGE, SOURCE, "out", shard.rows) for shard in shards]
    dead = [letter for shard in shards for letter in shard.dead]
    tallies += [Tally(STAGE, SOURCE, "dead", 1, letter.reason) for letter in dead]
    files = [ShardFile(f"{DATA}/{shard.name}", shard.rows, shard.bytes, shard.sha256) for shard in shards]
    files += _write_dead(options.output, dead)
    diversity = msgspec.json.format(msgspec.json.encode(figures))
    write_bytes(join(options.output, DIVERSITY), diversity)
    listed = ShardFile(DIVERSITY, rows=0, bytes=len(diversity), sha256=sha256(diversity).hexdigest())
    remove_temporary(options.output)
    close_run(
        options.output,
        Outcome(tuple(tallies), tuple(files)),
        stages=(STAGE,),
        unavailable={},
        sources=[SOURCE],
        quiet=options.quiet,
        stage=STAGE,
        stage_key=key,
        recipe=recipe,
        seed=options.seed,
        versions={"apache-beam": beam.__version__},
        format="jsonl",
        row_type="GoldTrace",
        target_samples=job.total,
        documents=[listed],
        source_versions={
            SOURCE: SourceVersion(dataset=DATASET, revision=options.oracle, licence="apache-2.0", gated=False)
        },
    )
    release(options.output)
    for problem in figures.problems() if job.total >= 10_000 else ():
        print(f"WARNING: diversity: {problem}", file=sys.stderr)


def _write_dead(output: str, dead: list[DeadLetter]) -> list[ShardFile]:
    """The file of the traces that failed; none where all are valid."""
    if not dead:
        return []
    write = DeadLetterShard(join(output, DEAD_LETTERS), "jsonl", shards=1)
    written = write(0, StructColumns(DeadLetter).encode(dead))
    return [msgspec.structs.replace(file, name=join(DEAD_LETTERS, file.name)) for file in written]


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
