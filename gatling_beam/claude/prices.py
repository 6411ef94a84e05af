"""What a call costs: a dated table of prices, and dollars from the usage that an answer reports."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gatling_beam.claude.calls import Call
from gatling_beam.files import read_bytes
from gatling_beam.json_value import json_bytes

#: Of any file of prices that ships with the package.
PRICES_FILE = str(Path(__file__).with_name("prices.yaml"))

# The least bytes of JSON that make a token, for bounds that are to hold; 2.7 is what is expected.
_BYTES_PER_TOKEN = 2.0
# Tokens that the API adds to a prompt, such as those that ask for a schema.
_ADDED_TOKENS = 500
_DATED = re.compile(r"-20\d{6}$")

Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class LongPrompt(BaseModel):
    """A prompt of more than `above_tokens` tokens makes the whole call `factor` times as dear."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    above_tokens: Annotated[int, Field(ge=1)]
    factor: Annotated[float, Field(ge=1, allow_inf_nan=False)]


class ModelPrice(BaseModel):
    """USD per million tokens, and the least prompt that a cache keeps."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Usd
    output: Usd
    cache_read: Usd
    cache_write_5m: Usd
    cache_write_1h: Usd
    min_cacheable_tokens: Annotated[int, Field(ge=0)]
    long_prompt: LongPrompt | None = None


class PriceTable(BaseModel):
    """A file of prices: from when they are, where they were read, and the prices by model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: date
    source: str
    batch_factor: Annotated[float, Field(gt=0, le=1)]
    models: dict[str, ModelPrice]


class Price(ModelPrice):
    """The price of one model, with its name, the factor of batches, and the date of the table."""

    model: str
    batch_factor: float
    as_of: date


@cache
def prices(path: str = PRICES_FILE) -> PriceTable:
    """The table in the file at `path` (or fsspec URL), read once.

    Raises:
      ValueError: if the file does not have the form of `prices.yaml`; names the first field at fault.
      FileNotFoundError: if it is not there.
    """
    try:
        return PriceTable.model_validate(yaml.safe_load(read_bytes(path)))
    except yaml.YAMLError as e:
        raise ValueError(f"prices={path!r} is not YAML: {e}") from None
    except ValidationError as e:
        fault = e.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "the file"
        raise ValueError(
            f"prices={path!r}: {where}: {fault['msg']}; a file of prices has the form of {PRICES_FILE}"
        ) from None


def price(model: str, path: str = PRICES_FILE) -> Price:
    """The price of `model`, which may end in a date (`-20261001`), by the table at `path`.

    Raises:
      ValueError: if the table does not hold the model: what has no price is not called. Also as `prices`.
    """
    table = prices(path)
    found = table.models.get(model) or table.models.get(_DATED.sub("", model))
    if found is None:
        raise ValueError(
            f"model={model!r} has no price in {path} (of {table.as_of}), which knows {', '.join(table.models)}; copy "
            "that file, add the model with what Anthropic's price page says, and give the copy as `prices`"
        )
    return Price(model=model, batch_factor=table.batch_factor, as_of=table.as_of, **found.model_dump())


def pico_usd(of: Price, usage: Mapping[str, Any], batch: bool) -> int:
    """The cost of an answer in 1e-12 dollars, whose sums do not depend on their order.

    `usage` is the field of that name of a message: input_tokens, cache_creation_input_tokens (all at the price of
    1 hour, unless `cache_creation` says which were written for 5 minutes), cache_read_input_tokens, output_tokens.
    """
    plain, read, output = (usage.get(k) or 0 for k in ("input_tokens", "cache_read_input_tokens", "output_tokens"))
    split = usage.get("cache_creation") or {}
    written_5m = split.get("ephemeral_5m_input_tokens") or 0
    written_1h = split.get("ephemeral_1h_input_tokens") or 0
    written_1h += max(0, (usage.get("cache_creation_input_tokens") or 0) - written_5m - written_1h)
    # Dollars per million tokens are 1e-6 dollars a token.
    cost = (
        plain * of.input
        + read * of.cache_read
        + written_5m * of.cache_write_5m
        + written_1h * of.cache_write_1h
        + output * of.output
    )
    return round(1e6 * cost * _factor(of, plain + read + written_5m + written_1h, batch))


def usd(of: Price, usage: Mapping[str, Any], batch: bool) -> float:
    """The cost of an answer in dollars; see `pico_usd`."""
    return pico_usd(of, usage, batch) / 1e12


def upper_usd(of: Price, call: Call, batch: bool) -> float:
    """What `call` costs at most, in dollars: two bytes of JSON a token at the dearest price of input, and an output
    of `max_tokens`.

    Raises:
      ValueError: if the call has no `max_tokens`.
    """
    limit = call.params.get("max_tokens")
    if not isinstance(limit, int) or limit < 1:
        raise ValueError(f"max_tokens={limit!r} of a call in phase {call.phase!r} is not a positive integer")
    tokens = round(len(json_bytes(call.params)) / _BYTES_PER_TOKEN) + _ADDED_TOKENS
    ttl = cache_ttl(call.params)
    dearest = max(of.input, {"": 0.0, "5m": of.cache_write_5m, "1h": of.cache_write_1h}[ttl])
    return (tokens * dearest + limit * of.output) * _factor(of, tokens, batch) / 1e6


def cache_ttl(params: Any) -> str:
    """The longest time for which the parameters of a call ask to cache: "1h", "5m", or "" where they do not."""
    if isinstance(params, dict):
        control = params.get("cache_control")
        own = [control.get("ttl", "5m")] if isinstance(control, dict) else []
        found = own + [cache_ttl(member) for member in params.values()]
    elif isinstance(params, list):
        found = [cache_ttl(item) for item in params]
    else:
        return ""
    return "1h" if "1h" in found else "5m" if "5m" in found else ""


def _factor(of: Price, prompt_tokens: int, batch: bool) -> float:
    long = of.long_prompt
    factor = long.factor if long is not None and prompt_tokens > long.above_tokens else 1.0
    return factor * of.batch_factor if batch else factor
