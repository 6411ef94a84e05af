"""Creates batches, of which the API makes a new one each time it is asked: never twice for the same calls."""

import time
from collections.abc import Sequence

import anthropic
import msgspec

from gatling_beam.claude.batch_files import BatchFiles, Fetched, Intent, Newest, Part, Submitted
from gatling_beam.claude.batch_read import BatchReader
from gatling_beam.claude.batch_settings import BatchSettings
from gatling_beam.claude.calls import Call
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.faults import AskAgain, Refused, meaning


class NotCreated(msgspec.Struct, frozen=True):
    """A batch was not created, but may be later. `after_s`: seconds for which the service asks to wait."""

    after_s: float | None = None


class BatchCreator:
    """Creates batches, and finds those whose creation was not answered. `client` asks once for each."""

    def __init__(self, client: anthropic.Anthropic, reader: BatchReader, files: BatchFiles, of: BatchSettings) -> None:
        self._client = client.with_options(max_retries=0, timeout=of.create_timeout_s)
        self._reader, self._files, self._of = reader, files, of
        self._deadlines: dict[str, float] = {}
        # A call of each batch that was looked into, by the id of the batch.
        self._looked: dict[str, str] = {}

    def create(self, parts: Sequence[Part], calls: Sequence[Call], upper_usd: float) -> NotCreated | None:
        """Writes the intent, and sends the batch. Where no answer comes, the intent stays open without an id.

        Raises:
          Stopped: the API takes it neither now nor later.
        """
        newest = next(self._reader.newest_first(1), None)
        watermark = None if newest is None else Newest(newest.id, newest.created_at)
        intent = self._files.intend(parts, len(calls), upper_usd, watermark)
        requests = [{"custom_id": call.custom_id, "params": call.params} for call in calls]
        try:
            batch = self._client.messages.batches.create(requests=requests)  # type: ignore[arg-type]
        except Exception as e:
            return self._failed(intent, meaning(e, self._of.price.model, self._client.api_key or ""))
        self._files.submit(intent, Submitted(batch.id))
        return None

    def _failed(self, intent: Intent, error: Exception) -> NotCreated | None:
        if isinstance(error, AskAgain):
            if error.maybe_billed or error.kind not in ("429", "connection", "timeout"):
                return None
            self._files.close(intent, Fetched("not_created"))
            return NotCreated(error.retry_after_s)
        if isinstance(error, Refused | Stopped):
            self._files.close(intent, Fetched("not_created"))
        if isinstance(error, Refused):
            raise Stopped(
                "bad_request",
                f"the API refuses a batch of {intent.requests:,} requests ({error.error}: {error.detail}), for which "
                "nothing is paid. Where it is too large, lower batch_requests or batch_mb",
            )
        raise error

    def find(self, intent: Intent) -> None:
        """Looks for the batch of an intent without an id, and writes what is found out.

        Which calls a batch holds shows in its results only, so a batch that may be the one is waited for. Where none
        shows up within `settle_s`, it was not created.
        """
        known = {batch.batch_id for batch in self._files.submitted.values()}
        waiting = False
        for batch in self._reader.newest_first():
            since = intent.newest
            if since is not None and (batch.id == since.batch_id or batch.created_at < since.created_at):
                break
            counts = batch.request_counts
            size = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
            if batch.id in known or size != intent.requests:
                continue
            if batch.processing_status != "ended":
                waiting = True
                continue
            if batch.id not in self._looked:
                self._looked[batch.id] = self._reader.first_id(batch)
            if self._looked[batch.id] in intent.custom_ids:
                self._files.submit(intent, Submitted(batch.id, found=True))
                return
        deadline = self._deadlines.setdefault(intent.name, time.monotonic() + self._of.settle_s)
        if not waiting and time.monotonic() > deadline:
            self._files.close(intent, Fetched("not_created"))
