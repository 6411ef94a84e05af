"""`GenerateGoldTraces`: benign traces whose request, policy and warrant are known by construction."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows

from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.oracle.convert import SOURCE, trace_to_sample
from gatling_beam.oracle.shard import STAGE, gold_traces
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter, Sample, Tally
from gatling_beam.transforms._coders import register

register(GoldTrace)

_RANGE = 2_000


class GoldResult(NamedTuple):
    """`traces` (PCollection[GoldTrace]) that passed every validator, `tallies` (PCollection[Tally]), and `dead`
    (PCollection[DeadLetter]): one for each trace that did not pass."""

    traces: Any
    tallies: Any
    dead: Any


@beam.typehints.with_input_types(beam.pvalue.PBegin)
class GenerateGoldTraces(beam.PTransform):
    """The pipeline -> `total` gold traces of the template oracle, each with the numbers start..start+total-1.

    A trace depends on seed, its number and the list of domains alone, so the same traces come on every runner. Every
    trace passes the validators before it leaves; one that does not becomes a dead letter `invalid_trace`.

    Args:
      total: number of traces, 1 or more.
      seed: 0 or more.
      domains: names of domains; None for all. Each gets every trace in turn.
      start: the first number, so that a job can go on where another ended.

    Returns:
      `GoldResult(traces, tallies, dead)`; the tallies are of the stage "gold" and the source "gold", and not summed.

    Raises:
      ValueError: for an unknown domain, or a number out of its range.
    """

    def __init__(self, total: int, *, seed: int = 0, domains: Sequence[str] | None = None, start: int = 0) -> None:
        super().__init__()
        for name, value, least in (("total", total, 1), ("seed", seed, 0), ("start", start, 0)):
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(f"{name}={value!r} is not a whole number >= {least}")
        if isinstance(domains, str):
            raise TypeError(f"domains={domains!r} is a text; give a list of names")
        self._domains = tuple(domains) if domains is not None else domain_names()
        for name in self._domains:
            domain(name)
        self._total, self._seed, self._start = total, seed, start

    def expand(self, pbegin: beam.pvalue.PBegin) -> "GoldResult":
        end = self._start + self._total
        ranges = [(first, min(end, first + _RANGE)) for first in range(self._start, end, _RANGE)]
        outputs = (
            pbegin
            | "Ranges" >> beam.Create(ranges).with_output_types(tuple[int, int])
            | "SpreadRanges" >> beam.Reshuffle()
            | "Generate"
            >> beam.ParDo(_Generate(self._seed, self._domains))
            .with_output_types(GoldTrace, tallies=Tally, dead=DeadLetter)
            .with_outputs("tallies", "dead", main="traces")
        )
        return GoldResult(outputs.traces, outputs.tallies, outputs.dead)


class _Generate(beam.DoFn):
    def __init__(self, seed: int, domains: tuple[str, ...]) -> None:
        self._seed = seed
        self._domains = domains

    def start_bundle(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def process(self, numbers: tuple[int, int]) -> Iterable[Any]:
        for trace in gold_traces(self._seed, self._domains, *numbers):
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


@beam.typehints.with_input_types(GoldTrace)
@beam.typehints.with_output_types(Sample)
class TracesToSamples(beam.PTransform):
    """PCollection[GoldTrace] -> PCollection[Sample]: the rows of valid traces; nothing of a trace is lost."""

    def expand(self, traces: beam.PCollection[GoldTrace]) -> beam.PCollection[Sample]:
        return traces | "TraceToSample" >> beam.Map(trace_to_sample).with_output_types(Sample)
