"""The pipeline that makes candidates: rows of crossings of all anchors, a crossing's rows in one staged file."""

from collections.abc import Iterable

import apache_beam as beam
import msgspec

from gatling_beam.families.make import STAGE, Making
from gatling_beam.files import join
from gatling_beam.pipelines.outcome import WriteOutcome
from gatling_beam.pipelines.output import TEMPORARY
from gatling_beam.sample import Sample, Tally
from gatling_beam.shards import ShardFile
from gatling_beam.transforms._make_families import MakeFamilies
from gatling_beam.transforms.exchange_by_hash import Exchange, ExchangeByHash
from gatling_beam.transforms.read_samples import ReadSamples
from gatling_beam.transforms.write_dead_letters import WriteDeadLetters
from gatling_beam.write import SampleShard


class Round(msgspec.Struct, frozen=True):
    """A round of candidates: which anchors, what is made of them, and where it goes below the output directory.

    `shards` files of rows and `dead_shards` of dead letters are written, all as Parquet.
    """

    number: int
    inputs: tuple[str, ...]
    makings: tuple[Making, ...]
    directory: str
    shards: int
    dead_shards: int
    exchange: Exchange = "auto"

    @property
    def rows_folder(self) -> str:
        """The folder of the rows."""
        return f"{TEMPORARY}/candidates/round-{self.number}"

    @property
    def dead_folder(self) -> str:
        """The folder of the dead letters."""
        return f"{TEMPORARY}/dead/round-{self.number}"

    @property
    def outcome(self) -> str:
        """The file with the counts and files."""
        return join(self.directory, f"{TEMPORARY}/outcome-{self.number}.json")


def build_candidates(pipeline: beam.Pipeline, round: Round) -> None:
    """Read -> MakeFamilies -> files by crossing; counts go to `round.outcome`."""
    temporary = join(round.directory, TEMPORARY)
    anchors = pipeline | "ReadSamples" >> ReadSamples(round.inputs)
    made = anchors | "MakeFamilies" >> MakeFamilies(round.makings)
    written = made.rows | "WriteCandidates" >> ExchangeByHash(
        SampleShard(join(round.directory, round.rows_folder), "parquet", round.shards),
        buckets=round.shards,
        key=crossing_of,
        exchange=round.exchange,
        spill_to=temporary,
        result_type=ShardFile,
    )
    dead = made.dead | "WriteDeadLetters" >> WriteDeadLetters(
        join(round.directory, round.dead_folder),
        shards=round.dead_shards,
        exchange=round.exchange,
        spill_to=temporary,
    )
    ((made.tallies,), {round.rows_folder: written.results, round.dead_folder: dead}) | "WriteOutcome" >> WriteOutcome(
        round.outcome
    )


def crossing_of(row: Sample) -> str:
    """The id of the crossing: that of its first row."""
    return row.mutation.parent if row.mutation else row.sample_id


def of_refill(tallies: Iterable[Tally]) -> list[Tally]:
    """The counts of a later round: the anchors came in, and were found fit or not, in the first."""
    return [tally for tally in tallies if tally.stage != STAGE or tally.kind in ("expanded", "out", "dead")]
