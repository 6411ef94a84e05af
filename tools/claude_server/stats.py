"""What the server has seen and booked."""

import time
from collections import Counter
from typing import Any

TOKENS = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output", "thinking")


class Stats:
    """Counts since the start or since `clear`; `summary` names them."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.clear()

    def clear(self) -> None:
        """Forgets all but what is in flight."""
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self.max_tokens: Counter[int] = Counter()
        self.attempts: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self.paid_again = 0
        self.max_in_flight = self.in_flight
        self.tokens: dict[str, dict[str, Counter[str]]] = {}
        self.batches: list[dict[str, Any]] = []
        self._good: set[str] = set()
        self._first = self._last = 0.0

    def begin(self) -> None:
        """A request of /v1/messages has arrived."""
        self._first = self._first or time.monotonic()
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def end(self) -> None:
        """A request of /v1/messages is done with."""
        self.in_flight -= 1

    def book(self, key: str, model: str, tier: str, tokens: Counter[str]) -> None:
        """An answer to the request `key` was generated, and is paid for whether or not it arrives."""
        self.paid[key] += 1
        self.paid_again += key in self._good
        self.tokens.setdefault(model, {}).setdefault(tier, Counter()).update({**tokens, "answers": 1})
        self._last = time.monotonic()
        self._first = self._first or self._last

    def arrived(self, key: str) -> None:
        """A usable answer to the request `key` was sent whole."""
        self._good.add(key)

    def summary(self, hashes: bool = True) -> dict[str, Any]:
        """All counts as JSON; without `hashes`, `paid` is left out."""
        return {
            "requests": dict(self.requests),
            "statuses": dict(self.statuses),
            "outcomes": dict(self.outcomes),
            "versions": dict(self.versions),
            "retries": dict(self.retries),
            "max_tokens": {str(limit): count for limit, count in self.max_tokens.items()},
            "paid_answers": self.paid.total(),
            "paid_requests": len(self.paid),
            "duplicates": self.paid.total() - len(self.paid),
            "paid_again": self.paid_again,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "seconds": round(max(0.0, self._last - self._first), 3),
            "tokens": {
                model: {tier: dict(sums) for tier, sums in tiers.items()} for model, tiers in self.tokens.items()
            },
            "batches": self.batches,
            **({"paid": dict(self.paid)} if hashes else {}),
        }
