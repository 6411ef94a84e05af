"""Tokens and dollars of paid answers, summed by phase, model and mode; sums can be added in any order."""

from collections.abc import Iterable
from typing import Any

import msgspec

from gatling_beam.claude.calls import Answer
from gatling_beam.claude.prices import Price, pico_usd


class UsageRow(msgspec.Struct, frozen=True):
    """The sums of one phase, model and mode: paid answers, their tokens, and 1e-12 dollars.

    `input_tokens` are those outside the cache; `thinking_tokens` are part of `output_tokens`.
    """

    phase: str
    model: str
    batch: bool
    calls: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int = 0
    pico_usd: int = 0

    @property
    def usd(self) -> float:
        return self.pico_usd / 1e12


class Usage(msgspec.Struct, frozen=True):
    """Rows sorted by phase, model and mode, one each; `+` adds two of them."""

    rows: tuple[UsageRow, ...] = ()

    def __add__(self, other: "Usage") -> "Usage":
        return _sum([*self.rows, *other.rows])

    @property
    def usd(self) -> float:
        """Dollars of all rows."""
        return sum(row.pico_usd for row in self.rows) / 1e12

    @property
    def calls(self) -> int:
        """Paid answers of all rows."""
        return sum(row.calls for row in self.rows)


def usage_of(phase: str, answer: Answer, of: Price) -> Usage:
    """The usage that one answer reports; nothing for an answer without a message."""
    if answer.message is None:
        return Usage()
    usage: dict[str, Any] = answer.message.get("usage") or {}
    details = usage.get("output_tokens_details") or {}
    row = UsageRow(
        phase=phase,
        model=of.model,
        batch=answer.batch,
        calls=1,
        input_tokens=usage.get("input_tokens") or 0,
        cache_read_tokens=usage.get("cache_read_input_tokens") or 0,
        cache_write_tokens=usage.get("cache_creation_input_tokens") or 0,
        output_tokens=usage.get("output_tokens") or 0,
        thinking_tokens=details.get("thinking_tokens") or 0,
        pico_usd=pico_usd(of, usage, answer.batch),
    )
    return Usage((row,))


def total(usages: Iterable[Usage]) -> Usage:
    """The sum of many."""
    return _sum(row for usage in usages for row in usage.rows)


_COUNTS = [name for name in UsageRow.__struct_fields__ if name not in ("phase", "model", "batch")]


def _sum(rows: Iterable[UsageRow]) -> Usage:
    sums: dict[tuple[str, str, bool], dict[str, int]] = {}
    for row in rows:
        counts = sums.setdefault((row.phase, row.model, row.batch), dict.fromkeys(_COUNTS, 0))
        for name in _COUNTS:
            counts[name] += getattr(row, name)
    return Usage(
        tuple(
            UsageRow(phase=phase, model=model, batch=batch, **counts)
            for (phase, model, batch), counts in sorted(sums.items())
        )
    )
