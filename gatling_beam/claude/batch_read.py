"""Reads batches and their results, which may be asked for as often as one likes."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import islice
from json import JSONDecodeError

import anthropic
import httpx2
import msgspec
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

from gatling_beam.claude.batch_files import BatchFiles, Intent
from gatling_beam.claude.calls import Answer, is_message
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.faults import AskAgain, Refused, meaning, without_key

# With a pause of up to 8 s between two: about a minute.
_RETRIES = 10
_DOWNLOADS = 5

_REFUSED = ("invalid_request_error", "request_too_large")


class Results(msgspec.Struct):
    """The results of a batch: how many of each kind, what the API refuses, and what stops the run."""

    counts: Counter[str] = msgspec.field(default_factory=Counter)
    refused: list[Answer] = []
    stop: Stopped | None = None


class BatchReader:
    """Asks for batches by a client that asks again where a question fails.

    All methods raise Stopped where there is no answer for about a minute, or the key is not accepted.
    """

    def __init__(self, client: anthropic.Anthropic, files: BatchFiles, model: str) -> None:
        self._client = client.with_options(max_retries=_RETRIES)
        self._files, self._model = files, model

    def newest_first(self, limit: int | None = None) -> Iterator[MessageBatch]:
        """The batches of the workspace, the newest first; at most `limit`."""
        with self._reading():
            yield from islice(self._client.messages.batches.list(limit=limit or 100), limit)

    def batch(self, intent: Intent) -> MessageBatch:
        """The state of a batch with an id."""
        batch_id = self._files.submitted[intent.name].batch_id
        with self._reading(intent):
            return self._client.messages.batches.retrieve(batch_id)

    def first_id(self, batch: MessageBatch) -> str:
        """A custom_id of an ended batch; nothing where its results are gone."""
        if not batch.results_url:
            return ""
        with self._reading():
            try:
                results = self._client.messages.batches.results(batch.id)
            except anthropic.NotFoundError:
                return ""
            with closing(results):
                return next((result.custom_id for result in results), "")

    def results(self, intent: Intent, keep: Callable[[Answer], None]) -> Results:
        """Gives each paid answer of an ended batch to `keep`, once, and sums up the others."""
        batch_id = self._files.submitted[intent.name].batch_id
        wanted = intent.custom_ids
        found = Results()
        for _ in range(_DOWNLOADS):
            with self._reading(intent), suppress(httpx2.HTTPError, JSONDecodeError):  # cut off in the middle
                for result in self._client.messages.batches.results(batch_id):
                    if result.custom_id in wanted:
                        wanted.remove(result.custom_id)
                        self._sort(result, keep, found)
            if not wanted:
                return found
        raise Stopped(
            "exhausted",
            f"the results of batch {batch_id} came without {len(wanted):,} of {intent.requests:,} requests, "
            f"{_DOWNLOADS} times. Run again later: it fetches them, and pays for nothing again",
        )

    def _sort(self, result: MessageBatchIndividualResponse, keep: Callable[[Answer], None], found: Results) -> None:
        kind: str = result.result.type
        if result.result.type == "succeeded":
            message = result.result.message.to_dict(mode="json")
            if is_message(message):
                keep(Answer(result.custom_id, message, batch=True))
            else:
                kind = "unreadable"
        elif result.result.type == "errored":
            error = result.result.error.error
            kind, detail = error.type, without_key(error.message or "", self._client.api_key)
            if kind in ("authentication_error", "permission_error"):
                found.stop = Stopped("authentication", f"requests of a batch fail: {kind}, {detail}")
            elif kind == "billing_error" or "credit balance is too low" in detail:
                found.stop = Stopped("spend_limit", f"the account has no credit: {detail}. Add credit and run again")
            elif kind == "not_found_error":
                found.stop = Stopped("model", f"requests of a batch fail: {detail}. Choose another model")
            elif kind in _REFUSED:
                found.refused.append(Answer(result.custom_id, error=kind, detail=detail, batch=True))
        elif result.result.type == "canceled":
            found.stop = Stopped(
                "canceled", "a batch was canceled; what it had answered is stored. Run again to ask for the rest"
            )
        found.counts[kind] += 1

    @contextmanager
    def _reading(self, intent: Intent | None = None) -> Iterator[None]:
        try:
            yield
        except (anthropic.APIError, JSONDecodeError) as e:
            raise self._stopped(e, intent) from None

    def _stopped(self, error: Exception, intent: Intent | None) -> Exception:
        if isinstance(error, anthropic.NotFoundError):
            if intent is None:
                return Stopped(
                    "bad_request", "there are no message batches here: compare the base URL with Anthropic's"
                )
            return Stopped(
                "authentication",
                f"batch {self._files.submitted[intent.name].batch_id}, in which {intent.requests:,} calls are paid "
                "for, is not found: use a key of the workspace in which it was made. If it was deleted, delete "
                f"{self._files.path(intent.name)}, and its calls are made and paid for again",
            )
        error = meaning(error, self._model, self._client.api_key or "")
        if isinstance(error, AskAgain | Refused):
            return Stopped(
                "exhausted",
                f"the API does not say how the batches are ({error}). Run again later: it goes on from there, and pays "
                "for nothing again",
            )
        return error
