"""What `gold --oracle claude` and `--oracle reword` may be told."""

from typing import Any, Literal, cast

import msgspec
from pydantic import Field, field_validator

from gatling_beam.claude.calls import PHASES, Phase
from gatling_beam.claude.engine_settings import EngineSettings
from gatling_beam.claude.settings import DEFAULT_MODEL, OLD_API_VERSION, ModelSettings
from gatling_beam.pipelines.options import Options
from gatling_beam.pipelines.place import Place

_FROM_ZERO_TO_ONE = "numbers from 0 to 1, as requests=0.8,graphs=0.3,compliance=0"


class ClaudeOptions(Options):
    """Claude, for --oracle=claude (texts and plans) and --oracle=reword (texts alone); the key is ANTHROPIC_API_KEY."""

    mode: Literal["online", "batches"] = Field(
        "online",
        description="online: calls at once, for pilots and up to some 100,000 traces; batches: Message Batches, at "
        "half the price, done within a day",
    )
    model: str = Field(DEFAULT_MODEL, description="model id", min_length=1, json_schema_extra={"metavar": "ID"})
    answers: Place | None = Field(
        None,
        min_length=1,
        description="folder of requests and answers; what is there is not paid for again; default: OUTPUT-answers, "
        "which --overwrite leaves alone",
        json_schema_extra={"metavar": "DIR"},
    )
    dry_run: bool = Field(False, description="say what it would cost, and make no call that costs anything")
    max_cost_usd: float | None = Field(
        None,
        gt=0,
        description="dollars that this run may spend; no call is made that could exceed it",
        json_schema_extra={"metavar": "USD"},
    )
    in_flight: int = Field(
        128, ge=1, le=4096, description="calls at the same time, of all callers", json_schema_extra={"metavar": "N"}
    )
    callers: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="worker processes that ask at the same time, over which --in_flight and --max_cost_usd are "
        "divided; default: --workers, or 1",
        json_schema_extra={"metavar": "N"},
    )
    tries: int = Field(
        10,
        ge=1,
        le=100,
        description="times that a trace is asked for until it is valid",
        json_schema_extra={"metavar": "N"},
    )
    second_reading: float = Field(
        0.02,
        ge=0,
        le=1,
        description="share of the traces that the model reads once more for compliance, after the validators",
        json_schema_extra={"metavar": "SHARE"},
    )
    allow_short: bool = Field(False, description="write what there is where traces stay missing; else the run fails")
    timeout_s: float = Field(
        600, gt=0, le=3_600, description="seconds that an answer may take", json_schema_extra={"metavar": "S"}
    )
    poll_s: float = Field(
        60, gt=0, le=3_600, description="seconds between two looks at a batch", json_schema_extra={"metavar": "S"}
    )
    prices: Place | None = Field(
        None, min_length=1, description="file of prices; default: the package's", json_schema_extra={"metavar": "FILE"}
    )
    temperatures: str | None = Field(
        None,
        description=f"by phase, for an old model with --api_version={OLD_API_VERSION}: {_FROM_ZERO_TO_ONE}; today's "
        "API takes none",
        json_schema_extra={"metavar": "PHASE=T,..."},
    )
    api_version: str | None = Field(
        None, description="header anthropic-version; default: that of the client", json_schema_extra={"metavar": "DATE"}
    )

    @field_validator("temperatures")
    @classmethod
    def _readable(cls, text: str | None) -> str | None:
        temperatures_of(text or "")
        return text

    def model_settings(self) -> ModelSettings:
        """How the model is asked."""
        return ModelSettings(
            model=self.model,
            temperatures=temperatures_of(self.temperatures or ""),
            cache_ttl="1h" if self.mode == "batches" else "5m",
        )

    def engine_settings(self, callers: int) -> EngineSettings:
        """How a process asks, of `callers` that ask at once.

        Raises:
          ValueError: for more callers than calls in flight.
        """
        if callers > self.in_flight:
            raise ValueError(
                f"--in_flight={self.in_flight} is less than one call for each of {callers} callers; raise it"
            )
        return EngineSettings(
            model=self.model,
            in_flight=self.in_flight // callers,
            timeout_s=self.timeout_s,
            cap_usd=self.max_cost_usd / callers if self.max_cost_usd else None,
            prices=self.prices or "",
            api_version=self.api_version or "",
        )


def temperatures_of(text: str) -> dict[Phase, float]:
    """The temperatures of `requests=0.8,graphs=0.3`.

    Raises:
      ValueError: for an unknown phase or what is no number from 0 to 1.
    """
    found: dict[Phase, float] = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if name.strip() not in PHASES or not 0 <= number <= 1:
            raise ValueError(f"{part!r} is no phase with its temperature; write {_FROM_ZERO_TO_ONE}")
        found[cast(Phase, name.strip())] = number
    return found


def given_without_use(options: ClaudeOptions) -> list[str]:
    """The flags that were given and say nothing to the template oracle."""
    return [f"--{name}" for name in ClaudeOptions.model_fields if name in options.model_fields_set]


def settings_recipe(settings: ModelSettings) -> dict[str, Any]:
    """What of the settings decides the answers."""
    recipe: dict[str, Any] = msgspec.to_builtins(settings)
    del recipe["cache_ttl"]
    return recipe
