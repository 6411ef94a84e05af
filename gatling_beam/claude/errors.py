"""Why a run that asks Claude stops before it is done."""

from typing import Literal

StopReason = Literal["budget", "spend_limit", "authentication", "model", "exhausted", "bad_request", "canceled"]


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
