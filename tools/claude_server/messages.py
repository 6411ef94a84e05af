"""Answers to requests of /v1/messages, as the model would give them."""

import secrets
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .answers import Answerer
from .config import Config
from .models import Model
from .tokens import InputTokens, tokens_of

# Tokens of thinking by effort: guesses.
_THINKING = {"low": 40, "medium": 150, "high": 400, "xhigh": 800, "max": 1600}
_CHARS = 2.7


@dataclass(frozen=True)
class Generated:
    """An answer, its tokens by the names of `stats.TOKENS`, and whether it can be used."""

    message: dict[str, Any]
    tokens: Counter[str]
    usable: bool


def generate(
    body: dict[str, Any], model: Model, billed: InputTokens, answer: Answerer, fault: str, config: Config, tier: str
) -> Generated:
    """The message that answers `body`; `fault` is one of `config.TEXT_FAULTS` or another, which is none here."""
    thinking, shown = (0, None) if fault == "refusal" else _thinking(body, model)
    text, stop = ("", "refusal") if fault == "refusal" else (answer(body), "end_turn")
    if fault == "max_tokens":
        text, stop = text[: len(text) // 2], "max_tokens"
    elif fault == "bad_json":
        text = f"Here is the JSON:\n{text[:-1]}"
    room = body["max_tokens"] - thinking
    if tokens_of(len(text)) > room:
        text, stop = text[: int(room * _CHARS)], "max_tokens"
    content = [block for block in (shown, {"type": "text", "text": text} if text else None) if block]
    # An answer without content has a token too.
    output = max(1, thinking + tokens_of(len(text)))
    refusal = {"type": "refusal", "category": config.refusal_category, "explanation": None}
    message = {
        "id": f"msg_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": model.id,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "stop_details": refusal if stop == "refusal" else None,
        "usage": {
            "input_tokens": billed.plain,
            "cache_creation_input_tokens": sum(billed.written.values()),
            "cache_read_input_tokens": billed.read,
            "cache_creation": {f"ephemeral_{ttl}_input_tokens": count for ttl, count in billed.written.items()},
            "output_tokens": output,
            "output_tokens_details": {"thinking_tokens": thinking},
            "service_tier": tier,
        },
    }
    tokens = Counter(
        {
            "input": billed.plain,
            "cache_read": billed.read,
            **{f"cache_write_{ttl}": count for ttl, count in billed.written.items()},
            "output": output,
            "thinking": thinking,
        }
    )
    return Generated(message, tokens, usable=stop == "end_turn" and fault != "bad_json")


def _thinking(body: dict[str, Any], model: Model) -> tuple[int, dict[str, Any] | None]:
    """Tokens of thinking, and the block that stands before the text; 0 and None where there is none."""
    thinking = body.get("thinking") or {"type": model.default_thinking}
    if thinking["type"] not in ("adaptive", "enabled"):
        return 0, None
    effort = (body.get("output_config") or {}).get("effort") or model.default_effort
    tokens = min(_THINKING[effort], thinking.get("budget_tokens") or _THINKING[effort], body["max_tokens"])
    shown = "" if thinking.get("display") == "omitted" else "The request wants an answer; here is how it is built."
    return tokens, {"type": "thinking", "thinking": shown, "signature": secrets.token_urlsafe(24)}
