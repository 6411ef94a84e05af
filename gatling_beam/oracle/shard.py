"""A shard of gold traces: the traces of a range of numbers, checked, as one file of JSON lines."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Protocol

import msgspec

from gatling_beam.files import join, read_bytes, write_bytes
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter
from gatling_beam.validate.check import check_trace
from gatling_beam.validate.diversity import Diversity, diversity_of

STAGE = "gold"


class Oracle(Protocol):
    """Who makes gold traces: trace i depends on what the oracle was made with, and on i."""

    def traces(self, start: int, stop: int) -> Iterator[GoldTrace | DeadLetter]:
        """The valid traces of the numbers start..stop-1, and a dead letter for each that was refused."""
        ...


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


class CheckedTemplates:
    """The template oracle, with every trace checked; see `TemplateOracle`."""

    def __init__(self, seed: int, domains: tuple[str, ...]) -> None:
        self._oracle = TemplateOracle(seed, domains)

    def traces(self, start: int, stop: int) -> Iterator[GoldTrace | DeadLetter]:
        """The traces of the numbers start..stop-1, validated; a dead letter for each that a validator refuses."""
        for number in range(start, stop):
            yield check_trace(self._oracle.trace(number), STAGE)


def gold_traces(seed: int, domains: tuple[str, ...], start: int, stop: int) -> Iterator[GoldTrace | DeadLetter]:
    """The traces of the template oracle of the numbers start..stop-1; see `CheckedTemplates`."""
    return CheckedTemplates(seed, domains).traces(start, stop)


def shard_file(index: int, shards: int) -> str:
    """The name of a shard's file."""
    return f"gold-{index:05d}-of-{shards:05d}.jsonl"


def write_gold_shard(index: int, job: GoldJob) -> GoldShard:
    """Writes the shard `index` of a job of the template oracle, whole or not at all, and says what is in it."""
    numbers = job.numbers(index)
    made = gold_traces(job.seed, job.domains, numbers.start, numbers.stop)
    return write_traces(job.directory, shard_file(index, job.shards), made)


def write_traces(directory: str, name: str, made: Iterable[GoldTrace | DeadLetter]) -> GoldShard:
    """Writes the traces of `made` as the file `name`, whole or not at all, and says what is in it."""
    dead: list[DeadLetter] = []
    data = bytearray()
    encoder = msgspec.json.Encoder()

    def good() -> Iterator[GoldTrace]:
        # One trace at a time: thousands of them in memory cost the garbage collector more than their making.
        for trace in made:
            if isinstance(trace, DeadLetter):
                dead.append(trace)
            else:
                data.extend(encoder.encode(trace))
                data.extend(b"\n")
                yield trace

    diversity = diversity_of(good())
    write_bytes(join(directory, name), bytes(data))
    return GoldShard(name, diversity.traces, len(data), sha256(data).hexdigest(), diversity, tuple(dead))


def read_gold_shard(path: str) -> GoldShard:
    """What is in a shard that an earlier run wrote, without the traces that failed: these are in no file of it."""
    data = read_bytes(path)
    traces = msgspec.json.Decoder(GoldTrace).decode_lines(data)
    name = path.rpartition("/")[2]
    return GoldShard(name, len(traces), len(data), sha256(data).hexdigest(), diversity_of(traces))
