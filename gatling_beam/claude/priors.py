"""How long answers are and how often the cache is hit: assumed, or measured in an answers directory."""

import math
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from gatling_beam.claude.calls import PHASES, Phase
from gatling_beam.claude.store import read_answers

Mode = Literal["online", "batch"]


class OutputTokens(BaseModel):
    """Tokens of an answer, with thinking: their mean and the value that 95 % do not exceed; `answers` is from how many
    that was measured, 0 where it is assumed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: Annotated[float, Field(gt=0)]
    p95: Annotated[float, Field(gt=0)]
    answers: Annotated[int, Field(ge=0)] = 0


class Priors(BaseModel):
    """What an estimate goes by, with its date and its source. `cache_hits` is a share of 0..1 by mode."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: date
    source: str
    chars_per_token: Annotated[float, Field(gt=0)]
    cache_hits: Mapping[Mode, Annotated[float, Field(ge=0, le=1)]]
    output_tokens: Mapping[Phase, OutputTokens]


@cache
def priors() -> Priors:
    """What is assumed: `priors.yaml`."""
    return Priors.model_validate(
        yaml.safe_load(files("gatling_beam.claude").joinpath("priors.yaml").read_text("utf-8"))
    )


def priors_of(directory: str) -> Priors:
    """What the answers in `directory` show, and what is assumed for the phases and modes that have none there.

    Raises:
      CorruptFile: if a file of the directory cannot be read.
    """
    assumed = priors()
    lengths = dict(assumed.output_tokens)
    read: dict[Mode, int] = {"online": 0, "batch": 0}
    written: dict[Mode, int] = {"online": 0, "batch": 0}
    for phase in PHASES:
        found = []
        for answer in read_answers(directory, phase):
            usage = (answer.message or {}).get("usage") or {}
            found.append(usage.get("output_tokens") or 0)
            mode: Mode = "batch" if answer.batch else "online"
            read[mode] += usage.get("cache_read_input_tokens") or 0
            written[mode] += usage.get("cache_creation_input_tokens") or 0
        if any(found):
            found.sort()
            p95 = found[math.ceil(0.95 * len(found)) - 1]
            lengths[phase] = OutputTokens(mean=sum(found) / len(found), p95=max(p95, 1), answers=len(found))
    hits = {
        mode: read[mode] / (read[mode] + written[mode]) if read[mode] + written[mode] else assumed.cache_hits[mode]
        for mode in read
    }
    return assumed.model_copy(update={"output_tokens": lengths, "cache_hits": hits})
