"""What a failed attempt means: ask again, never ask this again, or stop."""

import json

import aiohttp
import anthropic

from gatling_beam.claude.errors import Stopped

_DETAIL = 300
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class AskAgain(Exception):
    """An attempt failed for a reason that passes.

    Args:
      kind: for counts and messages: 429, 529, timeout, connection, cut_body, ...
      maybe_billed: the request may have been answered, and paid for, without the answer arriving.
      over_capacity: the service asks to slow down.
      retry_after_s: for how long, where it says so.
    """

    def __init__(
        self, kind: str, *, maybe_billed: bool = False, over_capacity: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(kind)
        self.kind, self.maybe_billed = kind, maybe_billed
        self.over_capacity, self.retry_after_s = over_capacity, retry_after_s


class Refused(Exception):
    """The API refuses this call, and will again: `error` is the type of its error."""

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(error, detail)
        self.error, self.detail = error, detail

    def __str__(self) -> str:
        return f"{self.error}: {self.detail}"


def meaning(error: Exception, model: str, key: str) -> Exception:
    """The exception to raise in the place of one that the client raised, when it asked `model`: `AskAgain`, `Refused`,
    `Stopped`, or the error itself, which then is a bug. `key` is struck out of what the server says."""
    if isinstance(error, anthropic.APIStatusError):
        return _of_status(error, model, key)
    if isinstance(error, anthropic.APIConnectionError):
        cause = error.__cause__
        # A client that is used on two event loops; asking again would pay again.
        if isinstance(cause, RuntimeError):
            return cause
        kind = "timeout" if isinstance(error, anthropic.APITimeoutError) else "connection"
        # httpx2 has one ConnectError for a connection that was not made and for one that broke after the request.
        never_sent = cause is not None and isinstance(cause.__cause__, _NEVER_SENT)
        return AskAgain(kind, maybe_billed=not never_sent)
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return AskAgain("cut_body", maybe_billed=True)
    return error


def _of_status(error: anthropic.APIStatusError, model: str, key: str) -> Exception:
    status, kind = error.status_code, without_key(error.type or "", key)
    says = without_key(error.api_message or f"HTTP {error.status_code}", key)[:_DETAIL].rstrip(".")
    # A prepaid account without credit used to be told so by an invalid_request_error, and gateways still do.
    if status == 402 or kind == "billing_error" or "credit balance is too low" in says:
        return Stopped(
            "spend_limit", f"the account has no credit: {says}. Add credit in the Anthropic Console and run again"
        )
    if status == 429 and (error.error_code or "").endswith("spend_limit_reached"):
        return Stopped(
            "spend_limit",
            f"the spend limit of the organization or workspace is reached: {says}. Raise it in the Anthropic Console, "
            "or wait for the next month, and run again",
        )
    if status in (408, 409, 429) or status >= 500:
        return AskAgain(str(status), over_capacity=status in (429, 529), retry_after_s=_retry_after(error))
    if status in (401, 403):
        return Stopped(
            "authentication",
            f"the API does not accept the key ({status}: {says}). Set ANTHROPIC_API_KEY to a key that may use {model} "
            "and run again",
        )
    if status == 404:
        return Stopped(
            "model",
            f"the API does not know the model {model!r} ({says}): the name is wrong, the model is retired, or the key "
            "has no access to it. Choose another model",
        )
    if status in (400, 413, 422):
        return Refused(kind or f"http_{status}", says)
    return Stopped("bad_request", f"the API answers {status}: {says}. Compare the base URL with Anthropic's API")


def without_key(text: str, key: str | None) -> str:
    """What a server says, in one line of printable characters, without the key."""
    said = text.replace(key, "***") if key else text
    return "".join(c if c.isprintable() else " " for c in said)


def _retry_after(error: anthropic.APIStatusError) -> float | None:
    headers = error.response.headers
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    return None
