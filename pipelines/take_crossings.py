"""Exact quotas of crossings, out of staged candidates: the driver says what becomes of each row, workers do it."""

from collections import Counter
from collections.abc import Mapping, Sequence

import apache_beam as beam
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.options.pipeline_options import PipelineOptions

from gatling_beam.files import join, read_bytes, write_bytes
from gatling_beam.ordering import in_total_order
from gatling_beam.pipelines.outcome import MergeOutcomes, Outcome, outcome_bytes, read_outcome
from gatling_beam.pipelines.output import DEAD_LETTERS, TEMPORARY
from gatling_beam.pipelines.runner import run_pipeline
from gatling_beam.sample import DeadLetter, Sample, Tally
from gatling_beam.sampling import STAGE
from gatling_beam.selection import DUPLICATE, NOT_SELECTED, TAKEN, StratumOf
from gatling_beam.shards import Format, read_table, shard_name, write_shard

_KINDS = {TAKEN: "out", DUPLICATE: "duplicate", NOT_SELECTED: "not_selected"}


class Taking(msgspec.Struct, frozen=True):
    """What is written where.

    `rows` and `dead` are the staged files of each round, whose number is a multiple of `shards` and `dead_shards`;
    `folders` says the folder of each label.
    """

    directory: str
    rows: tuple[tuple[str, ...], ...]
    dead: tuple[tuple[str, ...], ...]
    folders: dict[str, str]
    shards: int
    dead_shards: int
    format: Format
    stratum_of: StratumOf


def take_crossings(taking: Taking, fates: Mapping[str, bytes], options: PipelineOptions) -> Outcome:
    """Writes the rows whose fate is TAKEN, and all dead letters; counts of the stage `take`, and the files."""
    for name, fate in fates.items():
        write_bytes(_fate_path(taking.directory, name), fate)
    report = join(taking.directory, f"{TEMPORARY}/taken.json")

    def build(pipeline: beam.Pipeline) -> None:
        parts = []
        for label, shards, write in (
            ("Rows", taking.shards, write_rows),
            ("DeadLetters", taking.dead_shards, write_dead),
        ):
            numbers = pipeline | f"{label}Shards" >> beam.Create(range(shards))
            spread = numbers | f"Spread{label}Shards" >> beam.Reshuffle()
            parts.append(spread | f"Write{label}" >> beam.Map(write, taking).with_output_types(bytes))
        tuple(parts) | "AllOutcomes" >> beam.Flatten() | "WriteOutcome" >> MergeOutcomes(report)

    run_pipeline(build, options)
    return read_outcome(report)


def write_rows(index: int, taking: Taking) -> bytes:
    """Writes shard `index` of every folder of rows; `outcome_bytes`."""
    counts: Counter[tuple[str, str, str]] = Counter()
    kept = []
    for name in _parts(taking.rows, index, taking.shards):
        table = read_table(join(taking.directory, name))
        fates = np.frombuffer(read_bytes(_fate_path(taking.directory, name)), np.uint8)
        _count(table, fates, taking.stratum_of, counts)
        kept.append(table.filter(pa.array(fates == TAKEN)))
    rows = pa.concat_tables(kept).combine_chunks()
    files = []
    for folder in sorted(set(taking.folders.values())):
        labels = [label for label, own in taking.folders.items() if own == folder]
        own = rows.filter(pc.is_in(rows["label"], pa.array(labels)))
        name = join(folder, shard_name(index, taking.shards, taking.format))
        files.append(
            write_shard(taking.directory, name, in_total_order(own, ["row_hash"], Sample), taking.format, Sample)
        )
    tallies = [Tally(STAGE, source, kind, n, reason) for (source, kind, reason), n in sorted(counts.items())]
    return outcome_bytes(tallies, files)


def write_dead(index: int, taking: Taking) -> bytes:
    """Writes shard `index` of the dead letters; `outcome_bytes`."""
    names = _parts(taking.dead, index, taking.dead_shards)
    table = pa.concat_tables([read_table(join(taking.directory, name)) for name in names]).combine_chunks()
    name = join(DEAD_LETTERS, shard_name(index, taking.dead_shards, taking.format))
    rows = in_total_order(table, ["dead_id"], DeadLetter)
    return outcome_bytes(files=[write_shard(taking.directory, name, rows, taking.format, DeadLetter)])


def _parts(rounds: Sequence[Sequence[str]], index: int, shards: int) -> list[str]:
    """The staged files that hold the hashes of a shard, of all rounds."""
    return [
        name for names in rounds for name in names[index * len(names) // shards : (index + 1) * len(names) // shards]
    ]


def _count(
    table: pa.Table, fates: "np.typing.NDArray[np.uint8]", stratum_of: StratumOf, counts: Counter[tuple[str, str, str]]
) -> None:
    mutation = table["mutation"].combine_chunks()
    sources = pc.struct_field(table["source"].combine_chunks(), "name").to_pylist()
    strata = zip(
        *(pc.struct_field(mutation, name).to_pylist() for name in ("strategy", "ratio_band", "difficulty")), strict=True
    )
    for (source, stratum, fate), n in Counter(zip(sources, strata, fates.tolist(), strict=True)).items():
        counts[source, "in", ""] += n
        counts[source, _KINDS[fate], "" if fate == TAKEN else stratum_of(*stratum)] += n


def _fate_path(directory: str, name: str) -> str:
    return join(directory, f"{TEMPORARY}/fates/{name.removeprefix(TEMPORARY).strip('/')}.bin")
