"""Why a run that asks Claude stops before it is done."""

from typing import Literal

StopReason = Literal["budget", "spend_limit", "authentication", "model", "exhausted", "bad_request", "canceled"]


#: Refusals of the API after which a run stops, if it has had no answer to a call of that phase.
MOST_REFUSED = 5


class Stopped(Exception):
    """No further call is made. What was paid is stored: the same run goes on from there.

    Args:
      reason: what stops the run.
      detail: a sentence for the user, with the cure; it never holds the key.
    """

    def __init__(self, reason: StopReason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return self.detail


def all_refused(calls: str, error: str) -> Stopped:
    """What stops a run whose `calls` the API refuses one and all, with the `error` of the last one."""
    return Stopped(
        "bad_request",
        f"the API refuses all {calls} ({error}); nothing is paid for them. Compare --model, --api_version and "
        "--temperatures with what the API takes",
    )
