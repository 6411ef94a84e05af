"""`ClaudeModelHandler`: Claude for Beam's `RunInference`, many calls at a time and a result for every prompt."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from apache_beam.metrics import Metrics
from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from gatling_beam.claude.engine_settings import EngineSettings

METRICS_NAMESPACE = "claude.inference"
_MAX_TOKENS = 1024
_BATCH_FACTOR = 8


class ClaudeModelHandler(ModelHandler[Any, PredictionResult, Any]):
    """Asks Claude for every element: PCollection of prompts -> PCollection[PredictionResult].

        prompts | RunInference(ClaudeModelHandler("claude-haiku-5-5", params={"max_tokens": 300}))

    A prompt is a text, a list of messages ({"role", "content"}), or a dict of parameters of the Messages API with
    `messages`, which go before all others. The `inference` of a result is the message as the API gives it, a dict with
    content, stop_reason and usage; or a `gatling_beam.claude.inference.Failure` where the API refuses this prompt,
    asking again did not help, or the money is used up. What is wrong for every prompt, such as the key, raises
    `Stopped`.

    The calls of a batch are made at once, all batches of a process share one limit, and a failed call is asked again by
    itself, so a batch is never asked twice. With `answers`, answers are stored by the content of the call before they
    are given out: a retried bundle and a second run pay for none of them again, and equal prompts have one answer.

    Each worker reads its key from ANTHROPIC_API_KEY. Its connections stay open until the process ends, since Beam has
    no hook for the end of a model's use.

    Counters, in the namespace claude.inference: calls, replayed, attempts, retries, throttled, maybe_billed, refused,
    input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, thinking_tokens, cost_micro_usd.

    Args:
      model: name of the model; it needs a price in the table of prices.
      params: parameters of every call, such as max_tokens (1024 unless given), system, output_config. `inference_args`
        of RunInference go before them.
      engine: how a process asks; None for the defaults.
      answers: directory of stored answers, a path or an fsspec URL that all workers reach; None to store none.
      min_batch_size, max_batch_size, max_batch_duration_secs, max_batch_weight, element_size_fn: of Beam's batches;
        as many as are in flight at least and eight times as many at most, unless given.

    Raises:
      ValueError: if `engine` is for another model.
    """

    def __init__(
        self,
        model: str,
        *,
        params: Mapping[str, Any] | None = None,
        engine: EngineSettings | None = None,
        answers: str | None = None,
        min_batch_size: int | None = None,
        max_batch_size: int | None = None,
        max_batch_duration_secs: int | None = None,
        max_batch_weight: int | None = None,
        element_size_fn: Callable[[Any], int] | None = None,
    ) -> None:
        self._engine = engine or EngineSettings(model=model)
        if self._engine.model != model:
            raise ValueError(f"engine is for {self._engine.model!r}, the handler for {model!r}: name one model")
        most = _BATCH_FACTOR * self._engine.in_flight if max_batch_size is None else max_batch_size
        super().__init__(
            min_batch_size=min(self._engine.in_flight, most) if min_batch_size is None else min_batch_size,
            max_batch_size=most,
            max_batch_duration_secs=max_batch_duration_secs,
            max_batch_weight=max_batch_weight,
            element_size_fn=element_size_fn,
        )
        self._params = {"max_tokens": _MAX_TOKENS, **(params or {}), "model": model}
        self._answers = answers

    def load_model(self) -> "_Model":
        """What asks; RunInference calls it once a process."""
        return _Model(self._engine, self._answers)

    def run_inference(
        self, batch: Sequence[Any], model: "_Model", inference_args: dict[str, Any] | None = None
    ) -> Iterable[PredictionResult]:
        """One result for each prompt of the batch, in its order. Neither argument is changed."""
        found = model.infer(batch, {**self._params, **(inference_args or {})})
        return [
            PredictionResult(prompt, inference, self._engine.model)
            for prompt, inference in zip(batch, found, strict=True)
        ]

    def validate_inference_args(self, inference_args: dict[str, Any] | None) -> None:
        """Refuses another model, which has another price.

        Raises:
          ValueError: if there is one.
        """
        model = (inference_args or {}).get("model", self._engine.model)
        if model != self._engine.model:
            raise ValueError(
                f"inference_args has model={model!r}, the handler asks {self._engine.model!r}; make another"
            )


class _Model:
    """The engine of the process, and the stored answers."""

    def __init__(self, settings: EngineSettings, answers: str | None) -> None:
        # The client takes a second to import, and is needed on workers alone.
        from gatling_beam.claude.engine import engine_of
        from gatling_beam.claude.inference import SharedStore

        self._engine = engine_of(settings)
        self._store = SharedStore(answers) if answers is not None else None

    def infer(self, batch: Sequence[Any], params: Mapping[str, Any]) -> list[Any]:
        from gatling_beam.claude.counts import Counts
        from gatling_beam.claude.inference import infer, prompt_call

        counts = Counts()
        try:
            return infer([prompt_call(prompt, params) for prompt in batch], self._store, self._engine, counts)
        finally:
            for of_phase in counts.by_phase().values():
                for name, n in of_phase.items():
                    Metrics.counter(METRICS_NAMESPACE, name).inc(n)
