"""`GenerateGoldTraces`: benign traces whose request, policy and warrant are known by construction."""

from collections.abc import Sequence
from functools import partial

import apache_beam as beam

from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.shard import CheckedTemplates
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import Sample
from gatling_beam.transforms._generate import GoldResult, check_numbers, generate

_RANGE = 2_000


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
        check_numbers(total, seed, start)
        self._domains = checked_domains(domains)
        self._total, self._seed, self._start = total, seed, start

    def expand(self, pbegin: beam.pvalue.PBegin) -> "GoldResult":
        end = self._start + self._total
        ranges = [(first, min(end, first + _RANGE)) for first in range(self._start, end, _RANGE)]
        return generate(pbegin, ranges, partial(CheckedTemplates, self._seed, self._domains))


def checked_domains(domains: Sequence[str] | None) -> tuple[str, ...]:
    """The names, all for None.

    Raises:
      TypeError: for a text.
      ValueError: for an unknown domain.
    """
    if isinstance(domains, str):
        raise TypeError(f"domains={domains!r} is a text; give a list of names")
    names = tuple(domains) if domains is not None else domain_names()
    for name in names:
        domain(name)
    return names


@beam.typehints.with_input_types(GoldTrace)
@beam.typehints.with_output_types(Sample)
class TracesToSamples(beam.PTransform):
    """PCollection[GoldTrace] -> PCollection[Sample]: the rows of valid traces; nothing of a trace is lost."""

    def expand(self, traces: beam.PCollection[GoldTrace]) -> beam.PCollection[Sample]:
        return traces | "TraceToSample" >> beam.Map(trace_to_sample).with_output_types(Sample)
