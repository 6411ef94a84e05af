"""The end of a run that made gold traces: the report of diversity, the dead letters, the commit."""

import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import apache_beam as beam
import msgspec

from gatling_beam.columns import StructColumns
from gatling_beam.files import join, write_bytes
from gatling_beam.manifest import SourceVersion
from gatling_beam.oracle.convert import DATASET, SOURCE
from gatling_beam.oracle.shard import STAGE, GoldShard
from gatling_beam.pipelines.closing import close_run
from gatling_beam.pipelines.outcome import Outcome
from gatling_beam.pipelines.output import DATA, DEAD_LETTERS, release, remove_temporary
from gatling_beam.sample import DeadLetter, Tally
from gatling_beam.shards import ShardFile
from gatling_beam.validate.diversity import merge_diversity, report
from gatling_beam.write import DeadLetterShard

DIVERSITY = "diversity.json"
_ENOUGH_TO_JUDGE = 10_000


def close_gold(
    output: str,
    shards: Sequence[GoldShard],
    *,
    total: int,
    entered: int,
    seed: int,
    quiet: bool,
    key: str,
    recipe: Mapping[str, Any],
    revision: str,
    notes: Sequence[Tally] = (),
    usage: Sequence[dict[str, Any]] | None = None,
) -> None:
    """Commits the output directory of `shards`, in the order of their names.

    Args:
      total: traces that were asked for.
      entered: traces that were begun, as whoever began them counts.
      revision: of the traces as a data set: who made them.
      notes: further tallies.
      usage: what was paid for.
    """
    figures = report(merge_diversity(shard.diversity for shard in shards))
    dead = [letter for shard in shards for letter in shard.dead]
    tallies = [Tally(STAGE, SOURCE, "in", entered)]
    tallies += [Tally(STAGE, SOURCE, "out", shard.rows) for shard in shards]
    tallies += [Tally(STAGE, SOURCE, "dead", 1, letter.reason) for letter in dead]
    files = [ShardFile(f"{DATA}/{shard.name}", shard.rows, shard.bytes, shard.sha256) for shard in shards]
    files += _write_dead(output, dead)
    diversity = msgspec.json.format(msgspec.json.encode(figures))
    write_bytes(join(output, DIVERSITY), diversity)
    listed = ShardFile(DIVERSITY, rows=0, bytes=len(diversity), sha256=sha256(diversity).hexdigest())
    remove_temporary(output)
    close_run(
        output,
        Outcome((*tallies, *notes), tuple(files)),
        stages=(STAGE,),
        unavailable={},
        sources=[SOURCE],
        quiet=quiet,
        stage=STAGE,
        stage_key=key,
        recipe=recipe,
        seed=seed,
        versions={"apache-beam": beam.__version__},
        format="jsonl",
        row_type="GoldTrace",
        target_samples=total,
        documents=[listed],
        usage=usage,
        source_versions={SOURCE: SourceVersion(dataset=DATASET, revision=revision, licence="apache-2.0", gated=False)},
    )
    release(output)
    for problem in figures.problems() if total >= _ENOUGH_TO_JUDGE else ():
        print(f"WARNING: diversity: {problem}", file=sys.stderr)


def _write_dead(output: str, dead: list[DeadLetter]) -> list[ShardFile]:
    """The file of the traces that failed; none where all are valid."""
    if not dead:
        return []
    write = DeadLetterShard(join(output, DEAD_LETTERS), "jsonl", shards=1)
    written = write(0, StructColumns(DeadLetter).encode(dead))
    return [msgspec.structs.replace(file, name=join(DEAD_LETTERS, file.name)) for file in written]
