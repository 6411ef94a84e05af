"""Drives groups through the Message Batches API: half the price, answers within a day, nothing paid for twice.

Rounds: what all groups wait for is asked in batches, and when all of them have ended the groups go on. Whatever stops
a run, also between two of its steps, the next run goes on from what is written in the answers directory.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Generic

import anthropic
import msgspec

from gatling_beam.claude.batch_create import BatchCreator, NotCreated
from gatling_beam.claude.batch_files import BatchFiles, Fetched, Intent, Part
from gatling_beam.claude.batch_groups import Groups, MakeGroup, Result
from gatling_beam.claude.batch_read import BatchReader
from gatling_beam.claude.batch_settings import BatchProgress, BatchSettings
from gatling_beam.claude.batch_writer import BatchWriter
from gatling_beam.claude.calls import Call, Phase
from gatling_beam.claude.errors import MOST_REFUSED, Stopped, all_refused
from gatling_beam.claude.prices import upper_usd
from gatling_beam.claude.usage import Usage
from gatling_beam.json_value import json_bytes

# A batch that the cap makes smaller than what waits is made while more than this share of the cap is free: what is free
# grows with each batch that costs less than it might, but ever smaller batches are not worth their hours.
_LEAST_SHARE = 0.05
# Creations in a row that the service puts off while no batch is open.
_MOST_PUT_OFF = 20


def run_batches(
    groups: Mapping[str, Sequence[MakeGroup[Result]]],
    directory: str,
    client: anthropic.Anthropic,
    settings: BatchSettings,
    progress: Callable[[BatchProgress], None] | None = None,
) -> dict[str, list[Result]]:
    """The results of all groups by shard, in their order.

    One run at a time may use `directory`, and the groups are deterministic: they run again from their start in the
    next run. Batches that an earlier run left are fetched first; what they cost is booked in this run.

    Args:
      groups: by shard (a name as `AnswerStore` takes it); each makes a generator anew, which yields the calls it needs
        and is sent their answers in that order.
      directory: the answers directory, a path or fsspec URL.
      client: its key is that of one workspace. How often it asks again is set here.
      settings: sizes, times and the cap.
      progress: called after each look at the batches, and at the end.

    Raises:
      Stopped: no further call is made; what was paid for is stored, or in a batch that the next run fetches.
      CorruptFile: a file of the directory cannot be read.
    """
    run = _Run(directory, groups, client, settings)
    try:
        run.fetch_open(progress)
        while waiting := run.waiting():
            run.ask(waiting, progress)
        return run.groups.results()
    finally:
        if progress is not None:
            progress(run.progress())


class _Asked(msgspec.Struct):
    """A call that is waited for: the shards that do, its bytes in a batch, what it costs at most, and how often it was
    sent."""

    call: Call
    shards: list[str]
    bytes: int
    upper_usd: float
    sent: int = 0


class _Run(Generic[Result]):
    def __init__(
        self,
        directory: str,
        groups: Mapping[str, Sequence[MakeGroup[Result]]],
        client: anthropic.Anthropic,
        settings: BatchSettings,
    ) -> None:
        self._of = settings
        self._files = BatchFiles(directory)
        self.groups = Groups(directory, groups, self._files.refused)
        self._reader = BatchReader(client, self._files, settings.price.model)
        self._creator = BatchCreator(client, self._reader, self._files, settings)
        self._usage, self._lost_usd = Usage(), 0.0
        self._counts: Counter[str] = Counter()
        self._stop: Stopped | None = None
        self._put_off, self._put_off_until = 0, 0.0

    def waiting(self) -> dict[str, _Asked]:
        """What the groups wait for, by custom_id, in their order."""
        waiting: dict[str, _Asked] = {}
        for shard, call in self.groups.waiting():
            if call.custom_id in waiting:
                shards = waiting[call.custom_id].shards
                shards += [] if shard in shards else [shard]
                continue
            size = len(json_bytes({"custom_id": call.custom_id, "params": call.params})) + 1
            waiting[call.custom_id] = _Asked(call, [shard], size, upper_usd(self._of.price, call, batch=True))
        return waiting

    def fetch_open(self, progress: Callable[[BatchProgress], None] | None) -> None:
        """Waits for the batches that an earlier run left."""
        if self._files.open:
            self.ask({}, progress)

    def ask(self, waiting: dict[str, _Asked], progress: Callable[[BatchProgress], None] | None) -> None:
        """Returns when there is an answer to all that is waited for, and no batch is open."""
        to_send = list(waiting)
        while True:
            if self._stop is None:
                to_send = self._send(to_send, waiting)
            to_send += self._look(waiting)
            if progress is not None:
                progress(self.progress())
            if not self._files.open:
                if self._stop is not None:
                    raise self._stop
                if not to_send:
                    return
                if time.monotonic() >= self._put_off_until:
                    continue
            time.sleep(self._of.poll_s)

    def progress(self) -> BatchProgress:
        """How far the run has come."""
        groups, done = self.groups.counts()
        counts = self._counts
        return BatchProgress(
            groups=groups,
            groups_done=done,
            batches=counts["batches"],
            open_batches=len(self._files.open),
            open_requests=sum(intent.requests for intent in self._files.open.values()),
            answered=self._usage.calls,
            resent=counts["resent"],
            refused=counts["refused"],
            lost=counts["lost"],
            usage=self._usage,
            spent_usd=self._usage.usd + self._lost_usd,
        )

    def _send(self, to_send: list[str], waiting: dict[str, _Asked]) -> list[str]:
        """Creates batches of what is to be sent, as far as cap and service allow; what is left."""
        while to_send and time.monotonic() >= self._put_off_until:
            n = self._fitting([waiting[custom_id] for custom_id in to_send])
            if n == 0:
                break
            batch = [waiting[custom_id] for custom_id in to_send[:n]]
            try:
                created = self._create(batch)
            except Stopped as e:
                self._stop = e
                break
            if isinstance(created, NotCreated):
                self._wait_to_create(created)
                break
            to_send = to_send[n:]
            self._put_off = 0
            self._counts["batches"] += 1
            for asked in batch:
                self._counts["resent"] += asked.sent > 0
                asked.sent += 1
        return to_send

    def _fitting(self, asked: Sequence[_Asked]) -> int:
        """How many calls go into the next batch; none where the cap has no room now. Then, if no batch is open, the
        run stops."""
        spent = self._usage.usd + self._lost_usd
        at_most = spent + sum(intent.upper_usd for intent in self._files.open.values())
        cap, most_bytes = self._of.cap_usd, self._of.batch_mb * (1 << 20)
        n, size, full = 0, 64, False
        for call in asked:
            size += call.bytes
            full = n >= self._of.batch_requests or (n > 0 and size > most_bytes)
            if full or (cap is not None and at_most + call.upper_usd > cap):
                break
            at_most += call.upper_usd
            n += 1
        if n == len(asked) or full or cap is None:
            return n
        if self._files.open:
            return 0
        if n and cap - spent > _LEAST_SHARE * cap:
            return n
        self._stop = Stopped(
            "budget",
            f"${spent:,.4f} of ${cap:,.2f} are spent, and {len(asked):,} calls wait, each of which costs up to "
            f"${max(call.upper_usd for call in asked):,.4f}. Run again with the same settings to spend as much again "
            "on the rest, or with another budget",
        )
        return 0

    def _create(self, batch: Sequence[_Asked]) -> NotCreated | None:
        by_part: dict[tuple[str, Phase], list[Call]] = defaultdict(list)
        for asked in batch:
            for shard in asked.shards:
                by_part[shard, asked.call.phase].append(asked.call)
        for (shard, _), calls in by_part.items():
            self.groups.store(shard).add_requests(calls)
        parts = [Part(*key, tuple(call.custom_id for call in calls)) for key, calls in by_part.items()]
        return self._creator.create(parts, [a.call for a in batch], sum(a.upper_usd for a in batch))

    def _wait_to_create(self, put_off: NotCreated) -> None:
        self._put_off += not self._files.open
        self._put_off_until = time.monotonic() + max(self._of.poll_s, put_off.after_s or 0.0)
        if self._put_off >= _MOST_PUT_OFF:
            self._stop = Stopped(
                "exhausted", f"the API has put off a batch {_MOST_PUT_OFF} times, while none was open. Run again later"
            )

    def _look(self, waiting: Mapping[str, _Asked]) -> list[str]:
        """Fetches the batches that have ended; what is to be sent again."""
        again: list[str] = []
        for intent in list(self._files.open.values()):
            if intent.name not in self._files.submitted:
                self._creator.find(intent)
            if intent.name in self._files.submitted:
                batch = self._reader.batch(intent)
                if batch.processing_status != "ended":
                    continue
                self._fetch(intent, kept=bool(batch.results_url))
            if intent.name not in self._files.open:
                again += self._unanswered(intent, waiting)
        return again

    def _fetch(self, intent: Intent, kept: bool) -> None:
        """Stores the results of a batch that has ended, unless they were not `kept`."""
        if not kept:
            self._counts["lost"] += intent.requests
            self._lost_usd += intent.upper_usd
            self._files.close(intent, Fetched("lost"))
            return
        writer = BatchWriter(intent, self.groups, self._of.price)
        try:
            results = self._reader.results(intent, writer.keep)
        finally:
            writer.flush()
            self._usage += writer.usage
        self._counts["refused"] += len(results.refused)
        self._stop = self._stop or results.stop
        refused = tuple(results.refused)
        if refused and not self._usage.calls and self._counts["refused"] >= MOST_REFUSED:
            self._stop = self._stop or all_refused("requests of a batch", f"{refused[-1].error}: {refused[-1].detail}")
            refused = ()  # other settings may make the same calls good
        self._files.close(intent, Fetched("fetched", dict(results.counts), refused))

    def _unanswered(self, intent: Intent, waiting: Mapping[str, _Asked]) -> list[str]:
        ids = dict.fromkeys(custom_id for part in intent.parts for custom_id in part.custom_ids)
        again = [i for i in ids if i in waiting and i not in self.groups.known(waiting[i].shards[0])]
        tired = [custom_id for custom_id in again if waiting[custom_id].sent >= self._of.attempts]
        if tired and self._stop is None:
            self._stop = Stopped(
                "exhausted",
                f"{len(tired):,} calls have expired or failed by a fault of the service {self._of.attempts} times, "
                f"such as {tired[0]}. Run again later: it asks for what is missing",
            )
        return again
