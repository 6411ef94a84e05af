"""Exactly as many rows as were asked for, out of staged files: those of the least ranks of (seed, group_id)."""

from collections.abc import Sequence

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from gatling_beam.dedup import source_counts
from gatling_beam.files import join
from gatling_beam.pipelines.outcome import MergeOutcomes, Outcome, outcome_bytes, read_outcome
from gatling_beam.pipelines.output import DATA, TEMPORARY
from gatling_beam.pipelines.runner import run_pipeline
from gatling_beam.sample import Sample, Tally
from gatling_beam.sampling import RANK_BYTES, STAGE, cutoff, ranks
from gatling_beam.shards import Format, ShardFile, read_table, shard_name, write_shard

#: Folder, below the output directory, of the Parquet files that rows are taken from.
STAGED = f"{TEMPORARY}/staged"


def take_target(
    directory: str, outcome: Outcome, *, target: int, seed: int, format: Format, options: PipelineOptions
) -> Outcome:
    """Rewrites the staged files of `outcome` with `target` of their rows, or all if there are fewer.

    The driver holds 24 bytes a row to find the cut-off. Groups of several rows are taken or left as a whole, and count
    as one.

    Returns:
      the outcome of the whole run: the staged files replaced by those in the folder of the data, with the counts of the
      stage `take` (in, out, not_selected by source; a note `shortfall` with the number of rows that lack).
    """
    staged = [file for file in outcome.files if file.name.startswith(f"{STAGED}/")]
    names = sorted(file.name for file in staged)
    cut = find_cutoff([join(directory, name) for name in names], target, seed)
    report = join(directory, f"{TEMPORARY}/taken.json")

    def build(pipeline: beam.Pipeline) -> None:
        shards = pipeline | "Staged" >> beam.Create(list(enumerate(names)))
        spread = shards | "SpreadShards" >> beam.Reshuffle()
        taken = spread | "TakeOfShard" >> beam.Map(
            take_of_shard, directory=directory, count=len(names), cut=cut, seed=seed, format=format
        ).with_output_types(bytes)
        taken | "WriteOutcome" >> MergeOutcomes(report)

    run_pipeline(build, options)
    taken = read_outcome(report)
    missing = target - sum(file.rows for file in staged)
    note = [Tally(STAGE, "", "note", missing, "shortfall")] if missing > 0 else []
    kept = tuple(file for file in outcome.files if file not in staged)
    return Outcome((*outcome.tallies, *taken.tallies, *note), kept + taken.files)


def find_cutoff(paths: Sequence[str], target: int, seed: int) -> bytes | None:
    """The greatest rank among the `target` least ones of the groups in Parquet files; None if there are no rows."""
    found = [ranks(seed, read_table(path, ["group_id"])["group_id"].to_pylist()) for path in paths]
    return cutoff(np.concatenate(found), target)


def take_of_shard(
    shard: tuple[int, str], directory: str, count: int, cut: bytes | None, seed: int, format: Format
) -> bytes:
    """Writes the rows of one staged file up to the cut-off to the file of the same number; gives `outcome_bytes`."""
    index, name = shard
    table = read_table(join(directory, name))
    order = ranks(seed, table["group_id"].to_pylist())
    least = np.frombuffer(cut or bytes(RANK_BYTES), order.dtype)
    rows = table.filter(pa.array(order <= least))
    file: ShardFile = write_shard(directory, join(DATA, shard_name(index, count, format)), rows, format, Sample)
    came, left = source_counts(table), source_counts(rows)
    tallies = []
    for source, n in sorted(came.items()):
        tallies.append(Tally(STAGE, source, "in", n))
        tallies.append(Tally(STAGE, source, "out", left[source]))
        tallies.append(Tally(STAGE, source, "not_selected", n - left[source]))
    return outcome_bytes(tallies, [file])
