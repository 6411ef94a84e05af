"""How a process asks Claude; apart from the engine, so that who only describes a job needs no client."""

import os

import msgspec

from gatling_beam.claude.errors import Stopped

KEY_VARIABLE = "ANTHROPIC_API_KEY"


def read_key() -> str:
    """The key in ANTHROPIC_API_KEY; "" where there is none.

    Raises:
      Stopped: authentication, for what cannot be a key.
    """
    key = os.environ.get(KEY_VARIABLE, "")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise Stopped(
            "authentication",
            f"{KEY_VARIABLE} holds a blank, a line break or another character that no key has: set it to the key alone",
        )
    return key


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a process asks Claude. It travels to workers, so it holds no key: that is read there from ANTHROPIC_API_KEY.

    Attributes:
      model: the model of all calls; the price goes by it.
      base_url: of the API; "" for ANTHROPIC_BASE_URL or, where that is unset, Anthropic's own.
      in_flight: the most calls in flight of this process, 1-4096.
      timeout_s: seconds that an answer may take. One that takes longer is lost, but may be billed.
      attempts: how often a call is tried before the run stops, 1 or more.
      backoff_s: the first wait after a failure; it doubles with every attempt, up to 30 s.
      cap_usd: what this process may spend, in dollars; None for no cap.
      prices: a file of prices, path or URL; "" for the package's own.
      api_version: the header anthropic-version; "" for that of the client.

    Raises:
      ValueError: for a value out of its range.
    """

    model: str
    base_url: str = ""
    in_flight: int = 128
    timeout_s: float = 600.0
    attempts: int = 8
    backoff_s: float = 0.5
    cap_usd: float | None = None
    prices: str = ""
    api_version: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.in_flight <= 4096:
            raise ValueError(f"in_flight={self.in_flight!r} is not between 1 and 4096")
        if not self.timeout_s > 0:
            raise ValueError(f"timeout_s={self.timeout_s!r} is not above 0")
        if self.attempts < 1:
            raise ValueError(f"attempts={self.attempts!r} is not 1 or more")
        if not self.backoff_s >= 0:
            raise ValueError(f"backoff_s={self.backoff_s!r} is not 0 or more")
        if self.cap_usd is not None and not self.cap_usd > 0:
            raise ValueError(f"cap_usd={self.cap_usd!r} is not above 0; None stands for no cap")
