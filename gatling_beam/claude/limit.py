"""How many calls are in flight: found by trying, since a rate limit is known only by its refusals."""

import asyncio
import random
from collections import deque
from collections.abc import Callable

_START = 16
_CUT = 0.7
_LONGEST_PAUSE_S = 60.0


class NothingAdmitted(Exception):
    """A call is not admitted, and none is in flight that could make room for it."""


class Limit:
    """A number of calls in flight between 1 and `most`, for one event loop.

    It doubles every round trip, from 16 on, until the service is over its capacity (429, 529). Then, and at each
    further refusal of a call that started after the last cut, it is cut to 70 %, and no call starts before the pause is
    over: of `retry-after`, or of `pause_s`, doubled while nothing succeeds. After that it grows by 1 (3 % of `most`, if
    that is more) a round trip.

    Attributes:
      in_flight: calls now in flight.
      peak: the most that were.
      cuts: how often the limit was cut.
    """

    def __init__(self, most: int, pause_s: float) -> None:
        self._most, self._pause_s = most, pause_s
        self._value = float(min(most, _START))
        self._doubling = True
        self._failed_cuts = 0
        self._resume_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: deque[tuple[asyncio.Future[int], Callable[[], bool]]] = deque()
        self.in_flight = self.peak = self.cuts = 0

    @property
    def value(self) -> int:
        """How many calls may be in flight now."""
        return int(self._value)

    async def acquire(self, admit: Callable[[], bool], withdraw: Callable[[], object]) -> int:
        """Waits until a call may start that `admit` lets pass; a ticket, for `refused`. In the order of asking.

        `withdraw` undoes `admit` for a caller that was cancelled in the moment that it was admitted.

        Raises:
          NothingAdmitted: if `admit` refuses while no call is in flight.
        """
        waiting: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((waiting, admit))
        self._start()
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
                withdraw()
                self.released()
            raise

    def succeeded(self) -> None:
        """A call in flight was answered."""
        step = 1.0 if self._doubling else max(1.0, self._most / 32) / self._value
        self._value = min(float(self._most), self._value + step)
        self._failed_cuts = 0
        self.released()

    def refused(self, ticket: int, retry_after_s: float | None) -> None:
        """The call in flight with this ticket was refused, because the service is over its capacity."""
        if ticket == self.cuts:
            self._value = max(1.0, self._value * _CUT)
            self._doubling = False
            self.cuts += 1
            self._failed_cuts += 1
        pause = retry_after_s
        if pause is None:
            pause = min(_LONGEST_PAUSE_S, self._pause_s * 2.0 ** (self._failed_cuts - 1))
        # Later by a little, each time another: other processes were told the same.
        resume_at = asyncio.get_running_loop().time() + pause * random.uniform(1.0, 1.2)
        self._resume_at = max(self._resume_at, resume_at)
        self.released()

    def released(self) -> None:
        """A call is no longer in flight, for a reason that says nothing of the service's capacity."""
        self.in_flight -= 1
        self._start()

    def _resume(self) -> None:
        self._timer = None
        self._start()

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and self.in_flight < self.value:
            waiting, admit = self._waiting[0]
            if waiting.done():
                self._waiting.popleft()
                continue
            if (pause := self._resume_at - loop.time()) > 0:
                if self._timer is None:
                    self._timer = loop.call_later(pause, self._resume)
                return
            if not admit():
                if self.in_flight:
                    return
                self._waiting.popleft()
                waiting.set_exception(NothingAdmitted())
                continue
            self._waiting.popleft()
            waiting.set_result(self.cuts)
            self.in_flight += 1
            self.peak = max(self.peak, self.in_flight)
