"""How batches are made, and how far a run of them has come."""

import msgspec

from gatling_beam.claude.prices import Price
from gatling_beam.claude.usage import Usage

#: The API takes at most so many requests and bytes in a batch.
MAX_REQUESTS = 100_000
MAX_MB = 256


class BatchSettings(msgspec.Struct, frozen=True):
    """Settings of a run of batches.

    Args:
      price: of the model that all calls are for.
      cap_usd: the most that this run may spend, in dollars; None for no cap.
      batch_requests: requests in a batch, 1..100,000.
      batch_mb: megabytes (2**20 bytes) in a batch, above 0 and below 256.
      poll_s: seconds between two questions whether batches have ended.
      settle_s: seconds after which a batch whose creation was not answered, and that is in no list, was not created.
      create_timeout_s: seconds that the creation of a batch may take.
      attempts: how often a request is sent that expires or fails by a fault of the service, 1 or more.

    Raises:
      ValueError: for a value out of its range.
    """

    price: Price
    cap_usd: float | None = None
    batch_requests: int = 10_000
    batch_mb: float = 200.0
    poll_s: float = 60.0
    settle_s: float = 300.0
    create_timeout_s: float = 600.0
    attempts: int = 4

    def __post_init__(self) -> None:
        if self.cap_usd is not None and not self.cap_usd > 0:
            raise ValueError(f"cap_usd={self.cap_usd!r} is not above 0; None stands for no cap")
        if not 1 <= self.batch_requests <= MAX_REQUESTS:
            raise ValueError(
                f"batch_requests={self.batch_requests!r} is not in 1..{MAX_REQUESTS:,}, what the API takes"
            )
        if not 0 < self.batch_mb < MAX_MB:
            raise ValueError(f"batch_mb={self.batch_mb!r} is not above 0 and below {MAX_MB}, what the API takes")
        if self.attempts < 1:
            raise ValueError(f"attempts={self.attempts!r} is not 1 or more")
        for name in ("poll_s", "settle_s", "create_timeout_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)!r} is not above 0 seconds")


class BatchProgress(msgspec.Struct, frozen=True):
    """How far a run has come.

    groups, groups_done: of all shards. batches: created by this run. open_batches, open_requests: under way now.
    answered: paid answers that this run stored. resent: requests that were sent again. refused: calls that the
    API refuses. lost: requests of batches whose results were not kept until they were fetched. usage: tokens and
    dollars of this run's answers. spent_usd: these dollars, and those of what was lost, at most.
    """

    groups: int = 0
    groups_done: int = 0
    batches: int = 0
    open_batches: int = 0
    open_requests: int = 0
    answered: int = 0
    resent: int = 0
    refused: int = 0
    lost: int = 0
    usage: Usage = Usage()
    spent_usd: float = 0.0
