"""Asks Claude: one client, one event loop and one limit of calls in flight for a process."""

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import anthropic
import httpx2
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from gatling_beam.claude.calls import Answer, Call, is_message
from gatling_beam.claude.counts import Counts
from gatling_beam.claude.engine_settings import KEY_VARIABLE, EngineSettings, read_key
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.faults import AskAgain, Refused, meaning
from gatling_beam.claude.limit import Limit, NothingAdmitted
from gatling_beam.claude.meter import Meter
from gatling_beam.claude.prices import PRICES_FILE, price
from gatling_beam.hashing import digest

_LONGEST_WAIT_S = 30.0
_CONNECT_S = 10.0

T = TypeVar("T")
Keep = Callable[[Call, Answer], Awaitable[None]]


class Engine:
    """Turns calls into answers, for all threads of a process; `engine_of` gives the one of some settings.

    Raises:
      Stopped: authentication, where ANTHROPIC_API_KEY is not set.
      ValueError: if the model has no price.
    """

    def __init__(self, settings: EngineSettings) -> None:
        key = read_key()
        if not key:
            raise Stopped("authentication", f"{KEY_VARIABLE} is not set where the calls are made. Set it and run again")
        self.settings = settings
        self.meter = Meter(settings.cap_usd, price(settings.model, settings.prices or PRICES_FILE))
        self._key = key
        self.limit = Limit(settings.in_flight, settings.backoff_s)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="claude", daemon=True)
        self._thread.start()
        self._client = self.run(self._make_client(key))

    def __repr__(self) -> str:
        return f"Engine({self.settings!r})"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine on the engine's loop, and waits for it. From any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    async def ask(self, call: Call, counts: Counts, keep: Keep | None = None) -> Answer:
        """The answer to `call`, on the engine's loop. It is asked again for as long as that may help.

        Cancelled while a request is in flight, it still waits for the answer, since that is paid for, and gives it;
        else nothing more is asked. A call counts as in flight until `keep` has put its paid answer away.

        Raises:
          Stopped: no call can be made any more.
        """
        model = call.params.get("model")
        if model != self.settings.model:
            raise ValueError(f"a call for the model {model!r} was given to an engine for {self.settings.model!r}")
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(AskAgain),
            stop=stop_after_attempt(self.settings.attempts),
            wait=self._wait,
            reraise=True,
        )
        try:
            return await attempts(self._attempt, call, counts, keep)
        except AskAgain as e:
            raise Stopped(
                "exhausted",
                f"a call failed {self.settings.attempts} times, at last with {e.kind}. Look at "
                "https://status.claude.com, and run again later",
            ) from None
        finally:
            counts.add(call.phase, "retries", attempts.statistics.get("attempt_number", 1) - 1)

    def close(self) -> None:
        """Closes the connections, and ends the loop and its thread. Calls in flight are given up."""
        if self.loop.is_closed():
            return
        self.run(self._close_client())
        self.run(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _make_client(self, key: str) -> anthropic.AsyncAnthropic:
        limits = httpx2.Limits(
            max_connections=self.settings.in_flight + 8, max_keepalive_connections=self.settings.in_flight + 8
        )
        version = self.settings.api_version
        # Every attempt is made, counted and paid for here: the client itself never tries again.
        return anthropic.AsyncAnthropic(
            api_key=key,
            base_url=self.settings.base_url or None,
            max_retries=0,
            timeout=httpx2.Timeout(self.settings.timeout_s, connect=_CONNECT_S),
            http_client=anthropic.DefaultAioHttpClient(limits=limits),
            default_headers={"anthropic-version": version} if version else None,
        )

    async def _close_client(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    def _wait(self, state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        if isinstance(failure, AskAgain) and failure.over_capacity:
            return 0.0  # the pause of the limit is for all
        return wait_random_exponential(multiplier=self.settings.backoff_s, max=_LONGEST_WAIT_S)(state)

    async def _attempt(self, call: Call, counts: Counts, keep: Keep | None) -> Answer:
        try:
            ticket = await self.limit.acquire(
                lambda: self.meter.admit(call, batch=False),
                lambda: self.meter.release(call, batch=False, maybe_billed=False),
            )
        except NothingAdmitted:
            raise Stopped("budget", self._no_budget()) from None
        sending = asyncio.ensure_future(self._send(call, ticket, counts, keep))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            await asyncio.wait([sending])
            if sending.cancelled() or sending.exception() is not None:
                raise
            return sending.result()

    async def _send(self, call: Call, ticket: int, counts: Counts, keep: Keep | None) -> Answer:
        """One request, booked as what it turned out to be."""
        counts.add(call.phase, "attempts")
        try:
            answer = await self._receive(call)
        except AskAgain as e:
            self.meter.release(call, batch=False, maybe_billed=e.maybe_billed)
            if e.maybe_billed:
                counts.add(call.phase, "maybe_billed")
            if e.over_capacity:
                counts.add(call.phase, "throttled")
                self.limit.refused(ticket, e.retry_after_s)
            else:
                self.limit.released()
            raise
        except BaseException as e:
            self.meter.release(call, batch=False, maybe_billed=isinstance(e, asyncio.CancelledError))
            self.limit.released()
            if isinstance(e, Refused):
                counts.add(call.phase, "refused")
                return Answer(call.custom_id, error=e.error, detail=e.detail)
            raise
        assert answer.message is not None
        self.meter.book(call, answer.message["usage"], batch=False)
        counts.add(call.phase, "calls")
        counts.paid(call.phase, answer, self.meter.price)
        try:
            if keep is not None:
                await keep(call, answer)
        finally:
            self.limit.succeeded()
        return answer

    async def _receive(self, call: Call) -> Answer:
        try:
            # `messages.create` names its parameters, and would lose those that it does not know.
            response = await self._client.post("/v1/messages", body=call.params, cast_to=httpx2.Response)
            message = response.json()
        except Exception as e:
            found = meaning(e, self.settings.model, self._key)
            raise found from (None if found is not e else e.__cause__)
        if not is_message(message):
            raise AskAgain("cut_body", maybe_billed=True)
        return Answer(call.custom_id, message)

    def _no_budget(self) -> str:
        cap, spent = self.meter.cap_usd or 0.0, self.meter.spent_usd
        return (
            f"the cap of ${cap:g} is reached: ${spent:.4f} is spent, and the next call might cost more than what is "
            "left. What was answered is stored: run again with a higher cap"
        )


_lock = threading.Lock()
_engines: dict[tuple[int, str, EngineSettings], Engine] = {}
_users: list[int] = []


def engine_of(settings: EngineSettings) -> Engine:
    """The engine of this process for these settings, made at the first call; its meter goes on from run to run."""
    # Another key is another engine. A process that was forked makes its own.
    access = digest("key", os.environ.get(KEY_VARIABLE, ""), os.environ.get("ANTHROPIC_BASE_URL", ""))
    which = (os.getpid(), access, settings)
    with _lock:
        if which not in _engines:
            _engines[which] = Engine(settings)
        return _engines[which]


def use_engines() -> None:
    """Notes one more user of this process's engines, who ends with `leave_engines`."""
    _users.append(os.getpid())


def leave_engines() -> None:
    """One user less: with the last one of this process its engines are closed."""
    with _lock:
        _users.remove(os.getpid())
        is_last = os.getpid() not in _users
    if is_last:
        close_engines()


@atexit.register
def close_engines() -> None:
    """Closes the engines of this process and forgets what they spent."""
    with _lock:
        mine = [key for key in _engines if key[0] == os.getpid()]
        engines = [_engines.pop(key) for key in mine]
    for engine in engines:
        engine.close()
