"""Message batches: created, processed after a while, and their results."""

import asyncio
import json
import secrets
import traceback
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from .claude import Claude
from .config import BATCH_FAULTS
from .errors import ApiError
from .faults import drawn, request_hash, uniform
from .rules import check_message
from .shapes import BatchRequest, shaped

_KINDS = ("succeeded", "errored", "canceled", "expired")
_AT_A_TIME = 100


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


@dataclass
class Batch:
    """A batch and, once it has ended, its results in any order."""

    requests: list[dict[str, Any]]
    version: str
    seconds: float
    id: str = field(default_factory=lambda: f"msgbatch_{secrets.token_hex(12)}")
    created: datetime = field(default_factory=_now)
    cancelled: datetime | None = None
    ended: datetime | None = None
    results: list[dict[str, Any]] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def view(self, base: str) -> dict[str, Any]:
        """What the API shows of it; results_url begins with `base`."""
        counts = dict.fromkeys(_KINDS, 0)
        for result in self.results if self.ended else ():
            counts[result["result"]["type"]] += 1
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": "ended" if self.ended else "canceling" if self.cancelled else "in_progress",
            "request_counts": {"processing": 0 if self.ended else len(self.requests), **counts},
            "created_at": _text(self.created),
            "expires_at": _text(self.created + timedelta(hours=24)),
            "ended_at": _text(self.ended),
            "archived_at": None,
            "cancel_initiated_at": _text(self.cancelled),
            "results_url": f"{base}/v1/messages/batches/{self.id}/results" if self.ended else None,
        }


class Batches:
    """The batches of a server, newest first in lists."""

    def __init__(self, claude: Claude) -> None:
        self._claude = claude
        self._batches: dict[str, Batch] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def create(self, body: dict[str, Any], version: str) -> Batch:
        """Creates a batch and begins its processing.

        Raises:
          ApiError: 400, the requests break a rule; 529, by a fault.
        """
        shaped(BatchRequest, body)
        ids = [request["custom_id"] for request in body["requests"]]
        if len(set(ids)) != len(ids):
            twice = Counter(ids).most_common(1)[0][0]
            raise ApiError(400, f"requests: custom_id must be unique within a batch, {twice!r} is not")
        config, stats = self._claude.config, self._claude.stats
        key = request_hash({"custom_ids": sorted(ids)})
        attempt = stats.attempts[key]
        stats.attempts[key] += 1
        if drawn(config, ("batch_overloaded",), key, attempt):
            raise ApiError(529, "Overloaded")
        batch = Batch(body["requests"], version, config.batch_seconds)
        self._batches[batch.id] = batch
        stats.batches.append({"id": batch.id, "requests": len(ids)})
        task = asyncio.create_task(self._process(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if drawn(config, ("batch_slow_create",), key, attempt):
            await asyncio.sleep(config.slow_create_seconds)
        return batch

    def get(self, id_: str) -> Batch:
        """The batch of an id.

        Raises:
          ApiError: 404, there is none.
        """
        if id_ not in self._batches:
            raise ApiError(404, f"batch {id_!r} was not found")
        return self._batches[id_]

    def page(self, limit: int, after_id: str | None, before_id: str | None) -> tuple[list[Batch], bool]:
        """At most `limit` batches after or before one of the list, and whether there are more.

        Raises:
          ApiError: 400, the limit is not in 1..1000; 404, there is no such batch.
        """
        if not 1 <= limit <= 1000:
            raise ApiError(400, f"limit: {limit} is not in 1..1000")
        batches = [*reversed(self._batches.values())]
        if after_id:
            batches = batches[batches.index(self.get(after_id)) + 1 :]
        if before_id:
            batches = batches[: batches.index(self.get(before_id))]
            return batches[-limit:], len(batches) > limit
        return batches[:limit], len(batches) > limit

    def cancel(self, id_: str) -> Batch:
        """Cancels what is not processed yet; an ended batch stays as it is."""
        batch = self.get(id_)
        if not batch.ended and not batch.cancelled:
            batch.cancelled = _now()
            batch.stop.set()
        return batch

    def lines(self, id_: str) -> list[bytes]:
        """The results of an ended batch as JSON lines; by a fault, they end in the middle of one.

        Raises:
          ApiError: 404, there is no such batch or it has not ended.
        """
        batch = self.get(id_)
        if not batch.ended:
            raise ApiError(404, f"batch {id_!r} has no results yet")
        stats = self._claude.stats
        key = request_hash({"results": sorted(request["custom_id"] for request in batch.requests)})
        attempt = stats.attempts[key]
        stats.attempts[key] += 1
        lines = [f"{json.dumps(result)}\n".encode() for result in batch.results]
        if drawn(self._claude.config, ("batch_cut_results",), key, attempt):
            half = lines[: len(lines) // 2 + 1]
            return [*half[:-1], half[-1][: len(half[-1]) // 2]]
        return lines

    async def _process(self, batch: Batch) -> None:
        done = len(batch.requests)
        try:
            await asyncio.wait_for(batch.stop.wait(), batch.seconds)
            # A cancelled batch has answers to the requests that were processed until then.
            done = int(done * (_now() - batch.created).total_seconds() / batch.seconds)
        except asyncio.TimeoutError:
            pass
        for i, request in enumerate(batch.requests):
            if i % _AT_A_TIME == 0:
                await asyncio.sleep(0)
            result = {"type": "canceled"} if i >= done else self._result(request, batch.version)
            batch.results.append({"custom_id": request["custom_id"], "result": result})
        seed = self._claude.config.seed
        batch.results.sort(key=lambda result: uniform(seed, "order", result["custom_id"]))
        batch.ended = _now()

    def _result(self, request: dict[str, Any], version: str) -> dict[str, Any]:
        config, stats, params = self._claude.config, self._claude.stats, request["params"]
        key = request_hash(params)
        attempt = stats.attempts[key]
        stats.attempts[key] += 1
        fault = drawn(config, BATCH_FAULTS, key, attempt)
        try:
            model = check_message(params, version)
            stats.max_tokens[params["max_tokens"]] += 1
            if fault == "batch_expired":
                return {"type": "expired"}
            if fault == "batch_invalid":
                raise ApiError(400, "params: invalid by a fault")
            if fault == "batch_errored":
                raise ApiError(500, "Internal server error")
            return {"type": "succeeded", "message": self._claude.batch_message(params, model, attempt)}
        except ApiError as e:
            return {"type": "errored", "error": e.body(None)}
        except Exception as e:
            # The answering function is the caller's: what it raises belongs to this request only.
            traceback.print_exc()
            return {"type": "errored", "error": ApiError(500, f"{type(e).__name__}: {e}").body(None)}
