"""Rate limits: requests, input tokens and output tokens a minute."""

from datetime import datetime, timedelta, timezone

from .config import Config
from .errors import rate_limited


class _Bucket:
    """Holds at most `size`, and gains `per_minute` a minute."""

    def __init__(self, per_minute: float, size: float, now: float) -> None:
        self.per_minute, self.size = per_minute, size
        self.level, self._at = size, now

    def fill(self, now: float) -> None:
        self.level = min(self.size, self.level + (now - self._at) * self.per_minute / 60)
        self._at = now

    def wait(self, amount: float) -> float:
        """Seconds until so much is there."""
        return max(0.0, (amount - self.level) * 60 / self.per_minute)


class RateLimits:
    """The limits of a configuration. `now` is seconds of any steady clock."""

    def __init__(self, config: Config, now: float) -> None:
        # Requests are spread over the minute, tokens may be used at once.
        sizes = {
            "requests": (config.rpm, max(1.0, config.rpm / 60)),
            "input-tokens": (config.itpm, float(config.itpm)),
            "output-tokens": (config.otpm, float(config.otpm)),
        }
        self._buckets = {name: _Bucket(limit, size, now) for name, (limit, size) in sizes.items() if limit}

    def take(self, input_tokens: int, output_tokens: int, now: float) -> None:
        """Takes a request's share.

        Raises:
          ApiError: 429 with retry-after, a limit is reached; nothing is taken.
        """
        amounts = {"requests": 1, "input-tokens": input_tokens, "output-tokens": output_tokens}
        for name, bucket in self._buckets.items():
            bucket.fill(now)
            if seconds := bucket.wait(amounts[name]):
                error = rate_limited(
                    max(1, round(seconds + 0.5)),
                    f"This request would exceed the rate limit of {bucket.per_minute} {name} per minute.",
                )
                error.headers.update(self.headers())
                raise error
        for name, bucket in self._buckets.items():
            bucket.level -= amounts[name]

    def give_back(self, input_tokens: int, output_tokens: int) -> None:
        """Gives back what was reserved and not used, such as cache reads."""
        for name, amount in (("input-tokens", input_tokens), ("output-tokens", output_tokens)):
            if bucket := self._buckets.get(name):
                bucket.level += amount

    def headers(self) -> dict[str, str]:
        """anthropic-ratelimit-{requests,input-tokens,output-tokens}-{limit,remaining,reset} of the limits there are."""
        headers = {}
        for name, bucket in self._buckets.items():
            full = datetime.now(timezone.utc) + timedelta(seconds=bucket.wait(bucket.size))
            headers[f"anthropic-ratelimit-{name}-limit"] = f"{bucket.per_minute:g}"
            headers[f"anthropic-ratelimit-{name}-remaining"] = f"{max(0, int(bucket.level))}"
            headers[f"anthropic-ratelimit-{name}-reset"] = full.strftime("%Y-%m-%dT%H:%M:%SZ")
        return headers
