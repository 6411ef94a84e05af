"""What was spent and what may still be: the cap in dollars, kept before a call is made."""

import threading
from collections.abc import Mapping
from typing import Any

from gatling_beam.claude.calls import Call
from gatling_beam.claude.prices import Price, pico_usd, upper_usd

_PICO = 10**12


class Meter:
    """Keeps the sum of what was paid and of what the calls in flight cost at most under a cap. Thread-safe.

    Args:
      cap_usd: dollars, more than 0; None for no cap.
      of: the price of the model that all calls are for.

    Raises:
      ValueError: for a cap that is not above 0.
    """

    def __init__(self, cap_usd: float | None, of: Price) -> None:
        if cap_usd is not None and not cap_usd > 0:
            raise ValueError(f"cap_usd={cap_usd!r} is not above 0; None stands for no cap")
        self.cap_usd, self.price = cap_usd, of
        self._lock = threading.Lock()
        # In 1e-12 dollars: what is taken and given back a million times leaves nothing behind.
        self._cap = float("inf") if cap_usd is None else cap_usd * _PICO
        self._paid = self._in_flight = self._maybe_billed = 0

    @property
    def spent_usd(self) -> float:
        """Dollars of the answers received, and of those that were lost on the way, at their upper bound."""
        with self._lock:
            return (self._paid + self._maybe_billed) / _PICO

    @property
    def maybe_billed_usd(self) -> float:
        """The part of `spent_usd` for answers that were lost on the way."""
        with self._lock:
            return self._maybe_billed / _PICO

    def admit(self, call: Call, batch: bool) -> bool:
        """Whether the cap has room for `call` at its upper bound: if so, it is taken until `book` or `release`."""
        most = self._most(call, batch)
        with self._lock:
            if self._paid + self._maybe_billed + self._in_flight + most > self._cap:
                return False
            self._in_flight += most
            return True

    def book(self, call: Call, usage: Mapping[str, Any], batch: bool) -> None:
        """An admitted call was answered and costs what `usage` says."""
        most, paid = self._most(call, batch), pico_usd(self.price, usage, batch)
        with self._lock:
            self._in_flight -= most
            self._paid += paid

    def release(self, call: Call, batch: bool, maybe_billed: bool) -> None:
        """An admitted call was not answered. What it costs at most counts as spent, if it `maybe_billed`."""
        most = self._most(call, batch)
        with self._lock:
            self._in_flight -= most
            if maybe_billed:
                self._maybe_billed += most

    def _most(self, call: Call, batch: bool) -> int:
        return round(upper_usd(self.price, call, batch) * _PICO)
