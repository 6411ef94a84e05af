"""Shards of gold traces by Claude, made on workers."""

from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.metrics import Metrics

from gatling_beam.claude.counts import Counts
from gatling_beam.claude.engine import leave_engines, use_engines
from gatling_beam.claude.engine_settings import EngineSettings
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.group import GroupJob
from gatling_beam.claude.oracle import ClaudeOracle, ShardSums, in_order, sums_of
from gatling_beam.claude.prices import PRICES_FILE, price
from gatling_beam.claude.store import CorruptFile
from gatling_beam.files import join, list_files, read_bytes, write_bytes
from gatling_beam.oracle.shard import GoldJob, GoldShard, shard_file, write_traces

_MADE, _STOPPED = ".made", ".stopped"


class MadeShard(msgspec.Struct, frozen=True):
    """A shard that was written, and its sums."""

    shard: GoldShard
    sums: ShardSums


class StoppedShard(msgspec.Struct, frozen=True):
    """Why a shard was not written."""

    reason: str
    detail: str


class ClaudeShards(msgspec.Struct, frozen=True):
    """What workers make.

    Attributes:
      gold: the shards.
      job: what Claude is asked.
      answers: directory of the answers.
      engine: how the API is asked; None where all answers are stored.
      notes: folder for what the driver reads afterwards.
      prices: file of prices; "" for the package's.
    """

    gold: GoldJob
    job: GroupJob
    answers: str
    engine: EngineSettings | None
    notes: str
    prices: str = ""


@beam.typehints.with_input_types(int)
@beam.typehints.with_output_types(str)
class MakeShard(beam.DoFn):
    """The number of a shard -> the name of its file, once it is written.

    A shard that stops is told to the driver by a file, so that other workers end well and lose no answer; no further
    shard is begun then.
    """

    def __init__(self, of: ClaudeShards) -> None:
        self._of = of

    def setup(self) -> None:
        use_engines()

    def process(self, index: int) -> Iterable[str]:
        of = self._of
        if _notes(of.notes, _STOPPED):
            return
        numbers, name = of.gold.numbers(index), shard_file(index, of.gold.shards)
        counts = Counts()
        oracle = ClaudeOracle(of.job, of.answers, of.engine, counts)
        try:
            store = oracle.store(numbers.start, numbers.stop)
            results = oracle.results(numbers.start, numbers.stop, store)
        except Stopped as e:
            stopped = StoppedShard(e.reason, e.detail)
            write_bytes(join(of.notes, f"{name}{_STOPPED}"), msgspec.msgpack.encode(stopped))
            return
        except (CorruptFile, OSError) as e:
            stopped = StoppedShard("answers", f"the answers in {of.answers} cannot be read or written: {e}")
            write_bytes(join(of.notes, f"{name}{_STOPPED}"), msgspec.msgpack.encode(stopped))
            return
        finally:
            _count(counts)
        sums = sums_of(results, store, price(of.job.settings.model, of.prices or PRICES_FILE))
        shard = write_traces(of.gold.directory, name, in_order(results))
        write_bytes(join(of.notes, f"{name}{_MADE}"), msgspec.msgpack.encode(MadeShard(shard, sums)))
        yield name

    def teardown(self) -> None:
        leave_engines()


def made_shards(folder: str) -> list[MadeShard]:
    """The shards that were written, by name."""
    return [msgspec.msgpack.decode(data, type=MadeShard) for data in _notes(folder, _MADE)]


def stopped_shard(folder: str) -> StoppedShard | None:
    """Why a shard was not written; None if none was stopped."""
    found = [msgspec.msgpack.decode(data, type=StoppedShard) for data in _notes(folder, _STOPPED)]
    return found[0] if found else None


def _notes(folder: str, ending: str) -> Sequence[bytes]:
    return [read_bytes(join(folder, name)) for name in sorted(list_files(folder)) if name.endswith(ending)]


def _count(counts: Counts) -> None:
    found: dict[Any, dict[str, int]] = dict(counts.by_phase())
    for phase, values in found.items():
        for name, n in values.items():
            Metrics.counter(f"claude.{phase}", name).inc(n)
