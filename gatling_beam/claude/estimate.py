"""What a run would cost, before it is paid for."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from gatling_beam.claude.calls import Call, Phase
from gatling_beam.claude.prices import Price, cache_ttl, upper_usd, usd
from gatling_beam.claude.priors import Priors, priors
from gatling_beam.json_value import json_bytes, json_text
from gatling_beam.render import table

if TYPE_CHECKING:  # it takes a second to import
    import anthropic

# The fields of a call that its tokens are counted by.
_COUNTED = ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control")


class PhasePlan(msgspec.Struct, frozen=True):
    """How many calls a phase makes, and some of them (1 or more) by which they are judged."""

    phase: Phase
    calls: int
    sample: Sequence[Call]


class PhaseEstimate(msgspec.Struct, frozen=True):
    """A phase, in tokens and dollars.

    usd: with answers of the expected length; high_usd: all of them as long as 95 % do not exceed; worst_usd: all as
    long as `max_tokens`, and nothing read from a cache. `cached_tokens`, part of `input_tokens`, is what is read from
    the cache. `batches` is 0 online. `answers` is from how many the length was measured, 0 where it is assumed.
    """

    phase: str
    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    batches: int
    usd: float
    high_usd: float
    worst_usd: float
    answers: int = 0


class Estimate(msgspec.Struct, frozen=True):
    """Rows by phase, and what they go by; `chars_per_token` is 0 where tokens were counted by the API."""

    model: str
    batch: bool
    prices_as_of: str
    chars_per_token: float
    assumed: str
    rows: tuple[PhaseEstimate, ...]

    @property
    def total(self) -> PhaseEstimate:
        """The sums of all rows."""
        names = PhaseEstimate.__struct_fields__[1:-1]
        return PhaseEstimate("total", *(sum(getattr(row, name) for row in self.rows) for name in names))

    def render(self) -> str:
        """A table, and what it goes by."""
        header = ("phase", "calls", "batches", "input", "cached", "output", "expected", "high", "at most")
        mode = "message batches" if self.batch else "online"
        tokens = f"{self.chars_per_token:g} characters a token" if self.chars_per_token else "tokens counted by the API"
        assumed = [row.phase for row in self.rows if not row.answers]
        measured = [f"{row.phase} on {row.answers:,} answers" for row in self.rows if row.answers]
        lines = [
            table([header, *map(_cells, (*self.rows, self.total))]),
            f"{self.model}, {mode}, prices of {self.prices_as_of}; {tokens}.",
        ]
        if assumed:
            lines.append(f"Length of answers for {', '.join(assumed)}: {self.assumed}.")
        if measured:
            lines.append(f"Length of answers measured: {', '.join(measured)}.")
        lines.append("high: 95 % of the answers are shorter; at most: all as long as max_tokens, no cache.")
        return "\n".join(lines)


def estimate(
    plan: Sequence[PhasePlan],
    of: Price,
    batch: bool,
    known: Priors | None = None,
    count: Callable[[Call], int] | None = None,
    batch_requests: int = 10_000,
    batch_mb: float = 200.0,
) -> Estimate:
    """What the calls of `plan` cost.

    Args:
      plan: the phases.
      of: the price of the model that the calls are for.
      batch: by Message Batches, or online.
      known: lengths of answers and hits of the cache; None for what is assumed. `priors_of` measures them.
      count: the tokens of a call, as `token_counter` gives them; None to go by characters.
      batch_requests: requests in a batch.
      batch_mb: megabytes in a batch.

    Raises:
      ValueError: if a phase with calls has no sample.
    """
    known = known or priors()
    rows = []
    for phase in plan:
        if phase.calls and not phase.sample:
            raise ValueError(f"the plan of phase {phase.phase!r} has {phase.calls:,} calls and no sample of them")
        if phase.calls:
            rows.append(_row(phase, of, batch, known, count, batch_requests, batch_mb * (1 << 20)))
    per_token = 0.0 if count else known.chars_per_token
    assumed = f"{known.source} ({known.as_of})"
    return Estimate(of.model, batch, str(of.as_of), per_token, assumed, tuple(rows))


def token_counter(client: "anthropic.Anthropic") -> Callable[[Call], int]:
    """A function that asks the API how many tokens a call has, which is free of charge."""

    def count(call: Call) -> int:
        body: dict[str, Any] = {name: call.params[name] for name in _COUNTED if name in call.params}
        return client.messages.count_tokens(**body).input_tokens

    return count


def _row(
    plan: PhasePlan,
    of: Price,
    batch: bool,
    known: Priors,
    count: Callable[[Call], int] | None,
    batch_requests: int,
    batch_bytes: float,
) -> PhaseEstimate:
    calls, sample, lengths = plan.calls, plan.sample, known.output_tokens[plan.phase]
    chars = [len(json_text(call.params)) for call in sample]
    tokens = [count(call) if count else n / known.chars_per_token for call, n in zip(sample, chars, strict=True)]
    hits = known.cache_hits["batch" if batch else "online"]
    expected = high = cached = output = 0.0
    for call, n, prompt in zip(sample, chars, tokens, strict=True):
        shared = prompt * _shared_chars(call) / n
        if shared < of.min_cacheable_tokens:
            shared = 0.0
        mean, p95 = (min(length, call.params["max_tokens"]) for length in (lengths.mean, lengths.p95))
        usage = _usage(prompt - shared, shared, hits, cache_ttl(call.params))
        expected += usd(of, usage | {"output_tokens": mean}, batch)
        high += usd(of, usage | {"output_tokens": p95}, batch)
        cached += shared * hits
        output += mean
    each = calls / len(sample)
    worst = each * sum(upper_usd(of, call, batch) for call in sample)
    size = each * sum(len(json_bytes(call.params)) + 100 for call in sample)
    return PhaseEstimate(
        phase=plan.phase,
        calls=calls,
        input_tokens=round(each * sum(tokens)),
        cached_tokens=round(each * cached),
        output_tokens=round(each * output),
        batches=max(math.ceil(calls / batch_requests), math.ceil(size / batch_bytes)) if batch else 0,
        usd=each * expected,
        high_usd=each * high,
        worst_usd=worst,
        answers=lengths.answers,
    )


def _shared_chars(call: Call) -> int:
    """The characters of a call that its cache holds: format, tools, and system; none where it does not ask for it."""
    fields = [call.params[name] for name in ("output_config", "tools", "system") if name in call.params]
    return sum(len(json_text(field)) for field in fields) if cache_ttl(call.params) else 0


def _usage(plain: float, shared: float, hits: float, ttl: str) -> dict[str, Any]:
    written = shared * (1 - hits)
    return {
        "input_tokens": plain,
        "cache_read_input_tokens": shared * hits,
        "cache_creation_input_tokens": written,
        "cache_creation": {f"ephemeral_{ttl}_input_tokens": written} if ttl else {},
    }


def _cells(row: PhaseEstimate) -> tuple[str, ...]:
    counts = (row.calls, row.batches, row.input_tokens, row.cached_tokens, row.output_tokens)
    return row.phase, *(f"{n:,}" for n in counts), *(f"${x:,.2f}" for x in (row.usd, row.high_usd, row.worst_usd))
