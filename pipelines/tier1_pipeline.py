"""The pipeline of tier I: source rows in, files of unique valid plans, dead letters and counts out."""

from typing import Any, NamedTuple, TypeVar

import apache_beam as beam
import msgspec

from gatling_beam import normalize
from gatling_beam.files import join
from gatling_beam.hub import ReadRequest
from gatling_beam.oracle.convert import SOURCE as GOLD
from gatling_beam.pipelines.outcome import WriteOutcome
from gatling_beam.pipelines.output import DATA, DEAD_LETTERS, TEMPORARY
from gatling_beam.pipelines.preflight import Available
from gatling_beam.sample import DeadLetter, Sample, Tally
from gatling_beam.shards import Format
from gatling_beam.transforms._read_counted import ReadCounted
from gatling_beam.transforms.dedup_by_intent_hash import DedupByIntentHash
from gatling_beam.transforms.exchange_by_hash import Exchange
from gatling_beam.transforms.generate_gold_traces import GenerateGoldTraces, TracesToSamples
from gatling_beam.transforms.normalize_to_plan import NormalizeToPlan
from gatling_beam.transforms.validate_dag import ValidateDAG
from gatling_beam.transforms.write_dead_letters import WriteDeadLetters
from gatling_beam.transforms.write_samples import WriteSamples

_Made = TypeVar("_Made", Tally, DeadLetter)

#: Of a gold trace and a row of a data set with the same plan, the row stays.
_LAST = 1_000


class Job(msgspec.Struct, frozen=True):
    """A run as its pipeline needs it: the sources with their commits, and where rows are written.

    `directory` is the output directory; the files of rows go to its folder `rows_folder`. `gold` is the number of gold
    traces, made with `seed`, that stand by to fill what the sources lack.
    """

    available: Available
    directory: str
    shards: int
    dead_shards: int = 1
    format: Format = "parquet"
    rows_folder: str = DATA
    near: float | None = None
    limit: int | None = None
    root: str | None = None
    exchange: Exchange = "auto"
    gold: int = 0
    seed: int = 0

    @property
    def temporary(self) -> str:
        """Folder of everything that is removed at the end."""
        return join(self.directory, TEMPORARY)

    @property
    def outcome(self) -> str:
        """The file with the run's counts and files."""
        return join(self.temporary, "outcome.json")


class Written(NamedTuple):
    """The files of rows (PCollection[ShardFile]) and the counts on the way to them (PCollections of Tally)."""

    files: Any
    tallies: tuple[Any, ...]


def build(pipeline: beam.Pipeline, job: Job) -> None:
    """Read -> NormalizeToPlan -> ValidateDAG -> one row of each intent hash, in files; counts go to `job.outcome`."""
    specs = job.available.specs
    revisions = job.available.revisions()
    requests = {
        name: ReadRequest.of(
            spec,
            limit=job.limit,
            root=job.root,
            revision=None if job.root else revisions[name],
            without=job.available.without(name),
        )
        for name, spec in specs.items()
    }
    read = [pipeline | f"Read{_camel(name)}" >> ReadCounted(request) for name, request in requests.items()]
    rows = [rows for rows, _ in read] | "AllSources" >> beam.Flatten()
    plans = rows | "NormalizeToPlan" >> NormalizeToPlan(specs.values())
    gold = _gold(pipeline, job)
    candidates = (plans.rows, *gold.rows) | "AllPlans" >> beam.Flatten()
    valid = candidates | "ValidateDAG" >> ValidateDAG()
    written = _write_unique(valid.rows, job)
    dead = (plans.dead, *gold.dead, valid.dead) | "AllDeadLetters" >> beam.Flatten()
    dead_files = dead | "WriteDeadLetters" >> WriteDeadLetters(
        join(job.directory, DEAD_LETTERS),
        format=job.format,
        shards=job.dead_shards,
        spill_to=job.temporary,
        exchange=job.exchange,
    )
    tallies = (*(tallies for _, tallies in read), plans.tallies, *gold.tallies, valid.tallies, *written.tallies)
    (tallies, {job.rows_folder: written.files, DEAD_LETTERS: dead_files}) | "WriteOutcome" >> WriteOutcome(job.outcome)


class _Gold(NamedTuple):
    """The rows of gold traces, their counts and dead letters; no PCollection where none are wanted."""

    rows: tuple[Any, ...] = ()
    tallies: tuple[Any, ...] = ()
    dead: tuple[Any, ...] = ()


def _gold(pipeline: beam.Pipeline, job: Job) -> _Gold:
    if not job.gold:
        return _Gold()
    made = pipeline | "GenerateGoldTraces" >> GenerateGoldTraces(job.gold, seed=job.seed)
    rows = made.traces | "TracesToSamples" >> TracesToSamples()
    # A trace that is made stands in the books where a row that is read becomes a plan.
    tallies = made.tallies | "GoldAsNormalized" >> beam.Map(_as_normalized).with_output_types(Tally)
    dead = made.dead | "GoldDeadAsNormalized" >> beam.Map(_as_normalized).with_output_types(DeadLetter)
    return _Gold((rows,), (tallies,), (dead,))


def _as_normalized(made: _Made) -> _Made:
    return msgspec.structs.replace(made, stage=normalize.STAGE)


def _write_unique(rows: beam.PCollection[Sample], job: Job) -> Written:
    """One row of each intent hash, without near-duplicates if that is asked for, in files."""
    priorities = {name: spec.priority for name, spec in job.available.specs.items()} | {GOLD: _LAST}
    folder = join(job.directory, job.rows_folder)
    format: Format = job.format if job.rows_folder == DATA else "parquet"
    if job.near is None:
        # The exchange that makes the files takes out exact duplicates on its way.
        written = rows | "WriteSamples" >> WriteSamples(
            folder,
            format=format,
            shards=job.shards,
            unique_by="intent",
            priorities=priorities,
            spill_to=job.temporary,
            exchange=job.exchange,
        )
        return Written(written.files, (written.tallies,))
    unique = rows | "DedupByIntentHash" >> DedupByIntentHash(
        near=job.near, priorities=priorities, spill_to=job.temporary, buckets=job.shards
    )
    written = unique.rows | "WriteSamples" >> WriteSamples(
        folder, format=format, shards=job.shards, spill_to=job.temporary, exchange=job.exchange
    )
    return Written(written.files, (unique.tallies, written.tallies))


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
