"""The service behind the routes: checks, faults, generation and bookkeeping of single requests."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .answers import Answerer, answerer
from .config import DELIVERY_FAULTS, STATUS_FAULTS, TEXT_FAULTS, Config
from .errors import ApiError
from .faults import drawn, raise_status, request_hash, uniform
from .limits import RateLimits
from .messages import Generated, generate
from .models import Model
from .rules import check_message
from .stats import Stats
from .tokens import PromptCache, blocks_of

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Reply:
    """An answer to send; `cut`: only the first half of it."""

    message: dict[str, Any]
    cut: bool
    headers: dict[str, str]


class Claude:
    """The state of a server: its configuration, counts, prompt cache and limits."""

    def __init__(self, config: Config, answer: Answerer | None = None) -> None:
        self.config = config
        self.stats = Stats()
        self._own_answer = answer
        self._answer = answer or answerer(config.answers)
        self._cache = PromptCache()
        self._limits = RateLimits(config, time.monotonic())
        self._script = list(config.script)

    def configure(self, changes: dict[str, Any]) -> None:
        """Changes options from now on; a given script starts anew.

        Raises:
          ValueError: an option is unknown or out of its range; nothing is changed.
        """
        config = Config.model_validate({**self.config.model_dump(), **changes})
        self._answer = self._own_answer or answerer(config.answers)
        if {"rpm", "itpm", "otpm"} & changes.keys():
            self._limits = RateLimits(config, time.monotonic())
        if "script" in changes:
            self._script = list(config.script)
        self.config = config

    def reset(self) -> None:
        """Forgets the counts, so that attempts are numbered from 0 again; the prompt cache and the batches stay."""
        self.stats.clear()

    async def reply(self, body: dict[str, Any], version: str, gone: Callable[[], bool]) -> Reply:
        """Answers a request of /v1/messages; `gone` says whether the client has hung up.

        Raises:
          ApiError: the request breaks a rule, a limit is reached, or a fault is drawn.
        """
        config, stats = self.config, self.stats
        stats.begin()
        try:
            model = check_message(body, version)
            stats.max_tokens[body["max_tokens"]] += 1
            key = request_hash(body)
            attempt = stats.attempts[key]
            stats.attempts[key] += 1
            faults = self._faults(key, attempt)
            raise_status(faults[0], config)
            if config.capacity and stats.in_flight > config.capacity:
                raise ApiError(529, "Overloaded")
            billed, prefixes = self._cache.look_up(model.id, model.cache_minimum, blocks_of(body), time.monotonic())
            self._limits.take(billed.total, body["max_tokens"], time.monotonic())
            spread = 1 + config.jitter * (2 * uniform(config.seed, "latency", key, attempt) - 1)
            await asyncio.sleep(config.latency * spread)
            generated = generate(body, model, billed, self._answer, faults[2], config, "standard")
            self._cache.keep(prefixes, time.monotonic())
            self._limits.give_back(billed.read, body["max_tokens"] - generated.tokens["output"])
            stats.book(key, model.id, "standard", generated.tokens)
            if faults[1] == "hang":
                await self._hang(config.hang_seconds, gone)
            self._book_outcome(key, generated, faults[1], gone(), stats)
            return Reply(generated.message, faults[1] == "cut", self._limits.headers())
        finally:
            stats.end()

    def _faults(self, key: str, attempt: int) -> tuple[str, str, str]:
        """The faults of status, delivery and text."""
        groups = (STATUS_FAULTS, DELIVERY_FAULTS, TEXT_FAULTS)
        if self._script:
            planned = self._script.pop(0)
            found: list[str] = [planned if planned in group else "" for group in groups]
        else:
            found = [drawn(self.config, group, key, attempt) for group in groups]
        return found[0], found[1], found[2]

    async def _hang(self, seconds: float, gone: Callable[[], bool]) -> None:
        until = time.monotonic() + seconds
        while not gone() and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _POLL_SECONDS))

    @staticmethod
    def _book_outcome(key: str, generated: Generated, delivery: str, gone: bool, stats: Stats) -> None:
        stats.outcomes["gone" if gone else "cut" if delivery == "cut" else "whole"] += 1
        stats.outcomes[generated.message["stop_reason"]] += 1
        if generated.usable and not gone and delivery != "cut":
            stats.arrived(key)

    def batch_message(self, params: dict[str, Any], model: Model, attempt: int) -> dict[str, Any]:
        """The message of a batch's request, booked at the tier `batch`."""
        key = request_hash(params)
        now = time.monotonic()
        billed, prefixes = self._cache.look_up(model.id, model.cache_minimum, blocks_of(params), now)
        fault = drawn(self.config, TEXT_FAULTS, key, attempt)
        generated = generate(params, model, billed, self._answer, fault, self.config, "batch")
        self._cache.keep(prefixes, now)
        tokens: Counter[str] = generated.tokens
        self.stats.book(key, model.id, "batch", tokens)
        self.stats.outcomes[generated.message["stop_reason"]] += 1
        if generated.usable:
            self.stats.arrived(key)
        return generated.message
