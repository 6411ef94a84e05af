"""Exactly as many rows as were asked for, out of staged files: those of the least ranks of (seed, group_id)."""

from collections import Counter
from collections.abc import Sequence

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.options.pipeline_options import PipelineOptions

from gatling_beam.dedup import source_counts
from gatling_beam.files import join
from gatling_beam.oracle.convert import SOURCE as GOLD
from gatling_beam.ordering import in_total_order
from gatling_beam.pipelines.outcome import MergeOutcomes, Outcome, outcome_bytes, read_outcome
from gatling_beam.pipelines.output import DATA, TEMPORARY
from gatling_beam.pipelines.runner import run_pipeline
from gatling_beam.sample import Sample, Tally
from gatling_beam.sampling import RANK_BYTES, STAGE, cutoff, ranks
from gatling_beam.shards import Format, read_table, shard_name, write_shard

#: Folder, below the output directory, of the Parquet files that rows are taken from.
STAGED = f"{TEMPORARY}/staged"


def take_target(
    directory: str, outcome: Outcome, *, target: int, seed: int, shards: int, format: Format, options: PipelineOptions
) -> Outcome:
    """Rewrites the staged files of `outcome` as `shards` files with `target` of their rows, or all if there are fewer.

    The number of staged files must be a multiple of `shards`: since both are ranges of hashes, the rows of a file are
    then those of as many staged ones, whatever that multiple is. The driver holds 24 bytes a row to find the cut-off.
    Groups of several rows are taken or left as a whole, and count as one.

    Returns:
      the outcome of the whole run: the staged files replaced by those in the folder of the data, with the counts of the
      stage `take` (in, out, not_selected by source; a note `shortfall` with the number of rows that lack).
    """
    staged = [file for file in outcome.files if file.name.startswith(f"{STAGED}/")]
    names = sorted(file.name for file in staged)
    cut = find_cutoff([join(directory, name) for name in names], target, seed)
    report = join(directory, f"{TEMPORARY}/taken.json")

    def build(pipeline: beam.Pipeline) -> None:
        numbers = pipeline | "Shards" >> beam.Create(range(shards))
        spread = numbers | "SpreadShards" >> beam.Reshuffle()
        taken = spread | "TakeShard" >> beam.Map(
            take_shard, directory=directory, names=names, shards=shards, cut=cut, seed=seed, format=format
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
    found = [ranks_of(read_table(path, ["group_id", "source"]), seed) for path in paths]
    return cutoff(np.concatenate(found), target)


def take_shard(
    index: int, directory: str, names: Sequence[str], shards: int, cut: bytes | None, seed: int, format: Format
) -> bytes:
    """Writes file `index` of `shards`: the rows up to the cut-off of its part of the staged files; `outcome_bytes`."""
    part = len(names) // shards
    came: Counter[str] = Counter()
    kept = []
    for name in names[index * part : (index + 1) * part]:
        table = read_table(join(directory, name))
        came += source_counts(table)
        kept.append(up_to(table, cut, seed))
    rows = in_total_order(pa.concat_tables(kept).combine_chunks(), ["sample_id"], Sample)
    file = write_shard(directory, join(DATA, shard_name(index, shards, format)), rows, format, Sample)
    left = source_counts(rows)
    tallies = []
    for source, n in sorted(came.items()):
        tallies.append(Tally(STAGE, source, "in", n))
        tallies.append(Tally(STAGE, source, "out", left[source]))
        tallies.append(Tally(STAGE, source, "not_selected", n - left[source]))
    return outcome_bytes(tallies, [file])


def ranks_of(table: pa.Table, seed: int) -> npt.NDArray[np.bytes_]:
    """The rank of every row: those of data sets come before gold traces, which only fill what they lack."""
    is_gold = pc.equal(pc.struct_field(table["source"], "name"), GOLD).to_numpy(zero_copy_only=False)
    groups = table["group_id"].to_numpy(zero_copy_only=False)
    order = np.empty(len(groups), f"S{RANK_BYTES}")
    for round_, chosen in enumerate((~is_gold, is_gold)):
        order[chosen] = ranks(seed, groups[chosen], round_)
    return order


def up_to(table: pa.Table, cut: bytes | None, seed: int) -> pa.Table:
    """The rows whose rank is at most the cut-off; none without one."""
    order = ranks_of(table, seed)
    taken = order <= np.frombuffer(cut, order.dtype) if cut is not None else np.zeros(len(order), bool)
    return table.filter(pa.array(taken))
