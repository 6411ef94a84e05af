"""A shard of gold traces: the traces of a range of numbers, checked, as one file of JSON lines."""

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256

import msgspec

from gatling_beam.files import join, read_bytes, write_bytes
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.validate import trace_problems
from gatling_beam.validate.diversity import Diversity, diversity_of


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


class GoldShard(msgspec.Struct, frozen=True):
    """A shard that was written: its name, rows and bytes, the traces that failed by rule, its diversity."""

    name: str
    rows: int
    bytes: int
    sha256: str
    failed: dict[str, int]
    diversity: Diversity


def gold_traces(seed: int, domains: tuple[str, ...], start: int, stop: int) -> Iterator[GoldTrace]:
    """The traces of the numbers start..stop-1, validated where they pass every validator."""
    oracle = TemplateOracle(seed, domains)
    for number in range(start, stop):
        trace = oracle.trace(number)
        yield trace if trace_problems(trace) else msgspec.structs.replace(trace, validated=True)


def shard_file(index: int, shards: int) -> str:
    """The name of a shard's file."""
    return f"gold-{index:05d}-of-{shards:05d}.jsonl"


def write_gold_shard(index: int, job: GoldJob) -> GoldShard:
    """Writes the shard `index` of a job, whole or not at all, and says what is in it."""
    start = index * job.shard_rows
    failed: Counter[str] = Counter()
    data = bytearray()
    encoder = msgspec.json.Encoder()

    def good() -> Iterator[GoldTrace]:
        # One trace at a time: thousands of them in memory cost the garbage collector more than their making.
        for trace in gold_traces(job.seed, job.domains, start, min(job.total, start + job.shard_rows)):
            if trace.validated:
                data.extend(encoder.encode(trace))
                data.extend(b"\n")
                yield trace
            else:
                failed[trace_problems(trace)[0].rule] += 1

    diversity = diversity_of(good())
    name = shard_file(index, job.shards)
    write_bytes(join(job.directory, name), bytes(data))
    return GoldShard(name, diversity.traces, len(data), sha256(data).hexdigest(), dict(failed), diversity)


def read_gold_shard(path: str) -> GoldShard:
    """What is in a shard that an earlier run wrote. Which traces had failed cannot be seen any more: none has ever."""
    data = read_bytes(path)
    traces = msgspec.json.Decoder(GoldTrace).decode_lines(data)
    name = path.rpartition("/")[2]
    return GoldShard(name, len(traces), len(data), sha256(data).hexdigest(), {}, diversity_of(traces))
