"""`RewordRequests`: gold traces whose requests Claude says in other words; their plans stay as they are."""

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from gatling_beam.claude.engine_settings import EngineSettings
from gatling_beam.claude.oracle import reword_part
from gatling_beam.claude.settings import ModelSettings
from gatling_beam.hashing import digest
from gatling_beam.oracle.convert import SOURCE
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter, Tally
from gatling_beam.transforms._coders import register
from gatling_beam.transforms._outcomes import Rows

register(GoldTrace)

STAGE = "reword"


@beam.typehints.with_input_types(GoldTrace)
class RewordRequests(beam.PTransform):
    """PCollection[GoldTrace] -> `Rows`: in `rows` the traces (GoldTrace) with requests in Claude's words.

    It is the cheapest good text: one call for ten traces, and plan, policy and warrant stay. A text that does not say
    every value of the plan, or says another, makes its trace a dead letter (invalid_trace, model_answer); so does a
    refusal (model_refusal). A trace is asked for once. Calls hold traces of one domain in the order of their ids, so
    that a second run with the same traces finds its answers in `answers` and pays nothing.

    Args:
      answers: directory of the answers, a path or an fsspec URL that all workers reach.
      parts: parts of a domain's traces, 1 or more; a worker holds one part in memory and asks for all of it at once.
      model: how the model is asked.
      engine: how the API is asked by each process; None for the defaults with the model of `model`.

    Raises:
      ValueError: for `parts` below 1, or settings for two models.
      Stopped: in the job, if no call can be made any more; what was answered is stored.
    """

    def __init__(
        self,
        *,
        answers: str,
        parts: int = 1,
        model: ModelSettings | None = None,
        engine: EngineSettings | None = None,
    ) -> None:
        super().__init__()
        if parts < 1:
            raise ValueError(f"parts={parts!r} is not 1 or more")
        self._settings = model or ModelSettings()
        self._engine = engine or EngineSettings(model=self._settings.model)
        if self._engine.model != self._settings.model:
            raise ValueError(
                f"engine is for {self._engine.model!r}, model for {self._settings.model!r}: name one model"
            )
        self._answers, self._parts = answers, parts

    def expand(self, traces: beam.PCollection[GoldTrace]) -> "Rows":
        keyed = traces | "KeyByDomain" >> beam.Map(_keyed, self._parts).with_output_types(tuple[str, GoldTrace])
        outputs = (
            keyed
            | "GroupByDomain" >> beam.GroupByKey()
            | "Reword"
            >> beam.ParDo(_Reword(self._answers, self._settings, self._engine))
            .with_output_types(GoldTrace, dead=DeadLetter, tallies=Tally)
            .with_outputs("dead", "tallies", main="rows")
        )
        return Rows(outputs.rows, outputs.dead, outputs.tallies)


def _keyed(trace: GoldTrace, parts: int) -> tuple[str, GoldTrace]:
    return f"{trace.request.domain}-{int(digest('part', trace.trace_id)[:8], 16) % parts}", trace


class _Reword(beam.DoFn):
    def __init__(self, answers: str, settings: ModelSettings, engine: EngineSettings) -> None:
        self._answers, self._settings, self._engine = answers, settings, engine

    def process(self, part: tuple[str, Iterable[GoldTrace]]) -> Iterable[Any]:
        key, found = part
        traces = list(found)
        results = reword_part(traces, self._answers, f"reword-{key}", self._settings, self._engine, STAGE)
        for result in results:
            yield from result.traces
            for letter in result.dead:
                yield TaggedOutput("dead", letter)
                yield self._tally("dead", 1, letter.reason)
            for note, n in result.notes.items():
                yield self._tally("note", n, note)
        yield self._tally("in", len(traces))
        yield self._tally("out", sum(len(result.traces) for result in results))

    def _tally(self, kind: str, n: int, reason: str = "") -> Any:
        return TaggedOutput("tallies", Tally(STAGE, SOURCE, kind, n, reason))
