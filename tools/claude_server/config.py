"""What the server does, and how often it fails."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fault = Literal[
    "", "rate_limit", "spend_limit", "overloaded", "server_error", "hang", "cut", "bad_json", "refusal", "max_tokens"
]
Rate = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]

# Faults that exclude each other: one of a group at most happens to an attempt.
STATUS_FAULTS = ("spend_limit", "rate_limit", "overloaded", "server_error")
DELIVERY_FAULTS = ("hang", "cut")
TEXT_FAULTS = ("refusal", "max_tokens", "bad_json")
BATCH_FAULTS = ("batch_invalid", "batch_errored", "batch_expired")
_GROUPS = (STATUS_FAULTS, DELIVERY_FAULTS, TEXT_FAULTS, BATCH_FAULTS)


class Config(BaseModel):
    """The server's options. Rates are in [0, 1], drawn by (seed, hash of the request, attempt); times are seconds.

    Raises:
      ValidationError: an option is unknown or out of its range, or the rates of a group of faults exceed 1 together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: str = "test-key"
    answers: str = Field(
        default="", description="module:function, text of an answer by the request's body; else by its schema"
    )
    seed: int = 0

    latency: Seconds = Field(default=0.0, description="seconds of an answer")
    jitter: Rate = Field(default=0.0, description="share of the latency by which it varies, either way")
    capacity: Count = Field(default=0, description="requests in flight above which the server answers 529; 0: no limit")
    rpm: Count = Field(default=0, description="requests a minute above which it answers 429; 0: no limit")
    itpm: Count = Field(default=0, description="input tokens a minute, cache reads not counted; 0: no limit")
    otpm: Count = Field(
        default=0, description="output tokens a minute, max_tokens reserved until the answer; 0: no limit"
    )

    script: tuple[Fault, ...] = Field(
        default=(), description="faults of the first requests in order of arrival, '' for none"
    )
    rate_limit: Rate = Field(default=0.0, description="429 with retry-after")
    spend_limit: Rate = Field(default=0.0, description="429 enforced_spend_limit_reached, without retry-after")
    overloaded: Rate = Field(default=0.0, description="529")
    server_error: Rate = Field(default=0.0, description="500")
    hang: Rate = Field(default=0.0, description="the answer is made, and comes hang_seconds late")
    cut: Rate = Field(default=0.0, description="200, and half of the body")
    refusal: Rate = Field(default=0.0, description="stop_reason refusal")
    max_tokens: Rate = Field(default=0.0, description="text cut in the middle, stop_reason max_tokens")
    bad_json: Rate = Field(default=0.0, description="a text around the JSON, whose last character is missing")
    retry_after: Seconds = Field(default=1.0, description="retry-after of the fault rate_limit")
    hang_seconds: Seconds = 60.0
    refusal_category: Literal["cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms"] = "frontier_llm"

    batch_seconds: Seconds = Field(default=0.2, description="time until a batch has ended")
    batch_invalid: Rate = Field(default=0.0, description="of a batch's requests: errored, invalid_request_error")
    batch_errored: Rate = Field(default=0.0, description="of a batch's requests: errored, api_error")
    batch_expired: Rate = Field(default=0.0, description="of a batch's requests: expired")
    batch_overloaded: Rate = Field(default=0.0, description="of creates: 529, nothing created")
    batch_slow_create: Rate = Field(
        default=0.0, description="of creates: created, the answer comes slow_create_seconds late"
    )
    slow_create_seconds: Seconds = 5.0
    batch_cut_results: Rate = Field(default=0.0, description="of downloads: the results end in the middle of a line")

    @model_validator(mode="after")
    def _rates_add_up(self) -> "Config":
        for group in _GROUPS:
            if (total := sum(getattr(self, name) for name in group)) > 1 + 1e-9:
                raise ValueError(f"the rates of {', '.join(group)} add up to {total:g}; at most 1 is possible")
        return self
