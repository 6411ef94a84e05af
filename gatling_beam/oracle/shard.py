"""A shard of gold traces: the traces of a range of numbers, checked, as one file of JSON lines."""

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from gatling_beam.files import join, read_bytes, write_bytes
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter
from gatling_beam.validate.check import check_trace
from gatling_beam.validate.diversity import Diversity, diversity_of

STAGE = "gold"


class GoldJob(msgspec.Struct, frozen=True):
    """What a run of the template oracle makes: `total` traces of `domains`, in shards of `shard_rows`."""

    directory: str
    total: int
    seed: int
    domains: tuple[str, ...]
    shard_rows: int = 10_000

    @property
    def shards(self) -> int:
        """The number of shards."""
        return -(-self.total // self.shard_rows)

    def numbers(self, index: int) -> range:
        """The numbers of the traces of a shard."""
        return range(index * self.shard_rows, min(self.total, (index + 1) * self.shard_rows))


class GoldShard(msgspec.Struct, frozen=True):
    """A shard that was written: its name, rows and bytes, its diversity, and the traces that failed."""

    name: str
    rows: int
    bytes: int
    sha256: str
    diversity: Diversity
    dead: tuple[DeadLetter, ...] = ()


def gold_traces(seed: int, domains: tuple[str, ...], start: int, stop: int) -> Iterator[GoldTrace | DeadLetter]:
    """The traces of the numbers start..stop-1, validated; a dead letter for each that a validator finds at fault."""
    oracle = TemplateOracle(seed, domains)
    for number in range(start, stop):
        yield check_trace(oracle.trace(number), STAGE)


def shard_file(index: int, shards: int) -> str:
    """The name of a shard's file."""
    return f"gold-{index:05d}-of-{shards:05d}.jsonl"


def write_gold_shard(index: int, job: GoldJob) -> GoldShard:
    """Writes the shard `index` of a job, whole or not at all, and says what is in it."""
    numbers = job.numbers(index)
    dead: list[DeadLetter] = []
    data = bytearray()
    encoder = msgspec.json.Encoder()

    def good() -> Iterator[GoldTrace]:
        # One trace at a time: thousands of them in memory cost the garbage collector more than their making.
        for trace in gold_traces(job.seed, job.domains, numbers.start, numbers.stop):
            if isinstance(trace, DeadLetter):
                dead.append(trace)
            else:
                data.extend(encoder.encode(trace))
                data.extend(b"\n")
                yield trace

    diversity = diversity_of(good())
    name = shard_file(index, job.shards)
    write_bytes(join(job.directory, name), bytes(data))
    return GoldShard(name, diversity.traces, len(data), sha256(data).hexdigest(), diversity, tuple(dead))


def read_gold_shard(path: str) -> GoldShard:
    """What is in a shard that an earlier run wrote, without the traces that failed: these are in no file of it."""
    data = read_bytes(path)
    traces = msgspec.json.Decoder(GoldTrace).decode_lines(data)
    name = path.rpartition("/")[2]
    return GoldShard(name, len(traces), len(data), sha256(data).hexdigest(), diversity_of(traces))
