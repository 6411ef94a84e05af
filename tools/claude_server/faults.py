"""Which fault an attempt has: by seed, request and attempt, so that a run can be repeated."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from .config import Config
from .errors import ApiError, rate_limited


def request_hash(body: dict[str, Any]) -> str:
    """24 hexadecimal digits that equal requests have in common: the body of /v1/messages, or the params in a batch."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:24]


def uniform(*parts: object) -> float:
    """A number in [0, 1) that depends on the parts only."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=7).digest(), "big") / 2**56


def drawn(config: Config, faults: Sequence[str], key: str, attempt: int) -> str:
    """One of the faults, at their rates in the configuration, or ""."""
    point = uniform(config.seed, faults[0], key, attempt)
    for fault in faults:
        rate: float = getattr(config, fault)
        if point < rate:
            return fault
        point -= rate
    return ""


def raise_status(fault: str, config: Config) -> None:
    """Raises the ApiError of a fault of `config.STATUS_FAULTS`; any other fault is none here."""
    match fault:
        case "rate_limit":
            raise rate_limited(config.retry_after)
        case "spend_limit":
            raise ApiError(
                429,
                "You have reached your specified API usage limits.",
                error_code="enforced_spend_limit_reached",
            )
        case "overloaded":
            raise ApiError(529, "Overloaded")
        case "server_error":
            raise ApiError(500, "Internal server error")
