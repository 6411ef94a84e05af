"""`GenerateClaudeTraces`: gold traces with texts and plans by Claude, proved by the warrant and the validators."""

from collections.abc import Sequence
from functools import partial

import apache_beam as beam

from gatling_beam.claude.engine_settings import EngineSettings
from gatling_beam.claude.group import GroupJob
from gatling_beam.claude.oracle import ClaudeOracle
from gatling_beam.claude.settings import ModelSettings
from gatling_beam.transforms._generate import GoldResult, check_numbers, generate
from gatling_beam.transforms.generate_gold_traces import checked_domains

_RANGE = 1_000


@beam.typehints.with_input_types(beam.pvalue.PBegin)
class GenerateClaudeTraces(beam.PTransform):
    """The pipeline -> `total` gold traces of the numbers start..start+total-1, written by Claude.

    Each worker reads its key from ANTHROPIC_API_KEY. An answer is stored in `answers` before anything is made of it, so
    that a retried bundle, a second run and a job that goes on pay for nothing twice. What is refused on the way becomes
    a dead letter (invalid_trace, model_answer, model_refusal, model_verdict) and is asked for anew.

    Args:
      total: number of traces, 1 or more; fewer come where a trace is not valid in `tries` tries.
      answers: directory of the answers, a path or an fsspec URL that all workers reach.
      seed, domains, start: as of `GenerateGoldTraces`; ten traces in turn are of one domain.
      plans: whether Claude makes the plans too; else they are the templates', and the text alone is Claude's.
      tries: how often a trace is asked for until it is valid.
      second_reading: share of the traces that are read once more for compliance.
      model: how the model is asked.
      engine: how the API is asked by each process; None for the defaults with the model of `model`.

    Returns:
      `GoldResult(traces, tallies, dead)`; the tallies are of the stage "gold" and the source "gold", and not summed.

    Raises:
      ValueError: for an unknown domain, or a value out of its range.
      Stopped: in the job, if no call can be made any more; what was answered is stored.
    """

    def __init__(
        self,
        total: int,
        *,
        answers: str,
        seed: int = 0,
        domains: Sequence[str] | None = None,
        start: int = 0,
        plans: bool = True,
        tries: int = 10,
        second_reading: float = 0.02,
        model: ModelSettings | None = None,
        engine: EngineSettings | None = None,
    ) -> None:
        super().__init__()
        check_numbers(total, seed, start)
        settings = model or ModelSettings()
        self._total, self._start, self._answers = total, start, answers
        self._job = GroupJob(seed, checked_domains(domains), settings, plans, tries, second_reading)
        self._engine = engine or EngineSettings(model=settings.model)
        if self._engine.model != settings.model:
            raise ValueError(f"engine is for {self._engine.model!r}, model for {settings.model!r}: name one model")

    def expand(self, pbegin: beam.pvalue.PBegin) -> "GoldResult":
        end = self._start + self._total
        ranges = [(first, min(end, first + _RANGE)) for first in range(self._start, end, _RANGE)]
        return generate(pbegin, ranges, partial(ClaudeOracle, self._job, self._answers, self._engine))
