"""From numbers to gold traces, by any oracle; not public."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows

from gatling_beam.oracle.convert import SOURCE
from gatling_beam.oracle.shard import STAGE, Oracle
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter, Tally
from gatling_beam.transforms._coders import register

register(GoldTrace)


class GoldResult(NamedTuple):
    """`traces` (PCollection[GoldTrace]) that passed every validator, `tallies` (PCollection[Tally]), and `dead`
    (PCollection[DeadLetter]): one for each trace that did not pass."""

    traces: Any
    tallies: Any
    dead: Any


def generate(pbegin: Any, ranges: list[tuple[int, int]], make_oracle: Callable[[], Oracle]) -> GoldResult:
    """The traces of all ranges of numbers; `make_oracle` is called on workers."""
    outputs = (
        pbegin
        | "Ranges" >> beam.Create(ranges).with_output_types(tuple[int, int])
        | "SpreadRanges" >> beam.Reshuffle()
        | "Generate"
        >> beam.ParDo(_Generate(make_oracle))
        .with_output_types(GoldTrace, tallies=Tally, dead=DeadLetter)
        .with_outputs("tallies", "dead", main="traces")
    )
    return GoldResult(outputs.traces, outputs.tallies, outputs.dead)


def check_numbers(total: int, seed: int, start: int) -> None:
    """Raises ValueError for a number that is none, or out of its range."""
    for name, value, least in (("total", total, 1), ("seed", seed, 0), ("start", start, 0)):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name}={value!r} is not a whole number >= {least}")


class _Generate(beam.DoFn):
    def __init__(self, make_oracle: Callable[[], Oracle]) -> None:
        self._make_oracle = make_oracle

    def start_bundle(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def process(self, numbers: tuple[int, int]) -> Iterable[Any]:
        for trace in self._make_oracle().traces(*numbers):
            self._count("in")
            if isinstance(trace, DeadLetter):
                self._count("dead", trace.reason)
                yield TaggedOutput("dead", trace)
            else:
                self._count("out")
                yield trace

    def finish_bundle(self) -> Iterable[Any]:
        for (kind, reason), n in sorted(self._counts.items()):
            yield TaggedOutput("tallies", GlobalWindows.windowed_value(Tally(STAGE, SOURCE, kind, n, reason)))

    def _count(self, kind: str, reason: str = "") -> None:
        self._counts[kind, reason] = self._counts.get((kind, reason), 0) + 1
