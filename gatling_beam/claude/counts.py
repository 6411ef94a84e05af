"""What one run counts, by phase, for Beam's metrics and for people."""

import threading
from collections import Counter
from typing import Literal

from gatling_beam.claude.calls import Answer, Phase
from gatling_beam.claude.prices import Price
from gatling_beam.claude.usage import Usage, usage_of

CountName = Literal["calls", "replayed", "attempts", "retries", "throttled", "maybe_billed", "refused"]


class Counts:
    """Counts of a run; thread-safe.

    calls: answers that were asked for and received; replayed: those that were stored before; attempts: requests sent;
    retries: attempts that were made again; throttled: attempts refused with 429 or 529; maybe_billed: attempts whose
    answer was lost on the way; refused: calls that the API says are wrong.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[Phase, str]] = Counter()
        self._usage = Usage()

    def add(self, phase: Phase, name: CountName, n: int = 1) -> None:
        with self._lock:
            self._counts[phase, name] += n

    def paid(self, phase: Phase, answer: Answer, of: Price) -> None:
        """Adds the usage of an answer that was received."""
        usage = usage_of(phase, answer, of)
        with self._lock:
            self._usage += usage

    @property
    def usage(self) -> Usage:
        """Tokens and dollars of the answers received."""
        with self._lock:
            return self._usage

    def total(self, name: CountName) -> int:
        """The count of all phases."""
        with self._lock:
            return sum(n for (_, counted), n in self._counts.items() if counted == name)

    def by_phase(self) -> dict[str, dict[str, int]]:
        """Every count, and input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, thinking_tokens and
        cost_micro_usd, by phase."""
        with self._lock:
            counts, rows = Counter(self._counts), self._usage.rows
        found: dict[str, dict[str, int]] = {}
        for (phase, name), n in counts.items():
            found.setdefault(phase, {})[name] = n
        for row in rows:
            of_phase = found.setdefault(row.phase, {})
            for field in ("input", "output", "cache_read", "cache_write", "thinking"):
                name = f"{field}_tokens"
                of_phase[name] = of_phase.get(name, 0) + getattr(row, name)
            of_phase["cost_micro_usd"] = of_phase.get("cost_micro_usd", 0) + round(row.pico_usd / 1e6)
        return found
