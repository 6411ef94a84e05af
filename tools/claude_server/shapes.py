"""The shapes of requests. Fields that are not here are refused."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import ApiError

PREVIOUS_VERSION = "2023-06-01"
VERSION = "2026-10-21"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _CacheControl(_Shape):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class _Text(_Shape):
    type: Literal["text"]
    text: str
    cache_control: _CacheControl | None = None


class _Thinking(_Shape):
    type: Literal["thinking"]
    thinking: str
    signature: str


class _ToolUse(_Shape):
    type: Literal["tool_use"]
    id: str
    name: str
    input: dict[str, Any]
    cache_control: _CacheControl | None = None


class _ToolResult(_Shape):
    type: Literal["tool_result"]
    tool_use_id: str
    content: str | list[_Text] = ""
    is_error: bool = False
    cache_control: _CacheControl | None = None


_Block = Annotated[_Text | _Thinking | _ToolUse | _ToolResult, Field(discriminator="type")]


class _Message(_Shape):
    role: Literal["user", "assistant", "system"]
    content: str | list[_Block]


class _Tool(_Shape):
    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")
    input_schema: dict[str, Any]
    description: str = ""
    strict: bool = False
    type: Literal["custom"] | None = None
    cache_control: _CacheControl | None = None


class _ToolChoice(_Shape):
    type: Literal["auto", "none", "any", "tool"]
    name: str | None = None
    disable_parallel_tool_use: bool = False


class _ThinkingConfig(_Shape):
    type: Literal["adaptive", "between_tools", "disabled", "enabled"]
    budget_tokens: int | None = Field(default=None, ge=1024)
    display: Literal["summarized", "omitted"] | None = None


class _Format(_Shape):
    type: Literal["json_schema"]
    # The field's name is an attribute of BaseModel.
    schema_: dict[str, Any] = Field(alias="schema")


class _OutputConfig(_Shape):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: _Format | None = None


class _Metadata(_Shape):
    user_id: str | None = None


class CountedRequest(_Shape):
    """The body of /v1/messages/count_tokens."""

    model: str = Field(min_length=1)
    messages: list[_Message] = Field(min_length=1, max_length=100_000)
    system: str | list[_Text] | None = None
    tools: list[_Tool] | None = None
    tool_choice: _ToolChoice | None = None
    thinking: _ThinkingConfig | None = None
    output_config: _OutputConfig | None = None
    cache_control: _CacheControl | None = None


class MessageRequest(CountedRequest):
    """The body of /v1/messages."""

    max_tokens: int = Field(ge=1)
    metadata: _Metadata | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    stop_sequences: list[str] | None = None
    stream: bool = False


class SamplingRequest(MessageRequest):
    """The body of /v1/messages as it was in the version 2023-06-01."""

    temperature: float | None = Field(default=None, ge=0, le=1, strict=False)
    top_p: float | None = Field(default=None, ge=0, le=1, strict=False)
    top_k: int | None = Field(default=None, ge=0)


class _BatchItem(_Shape):
    custom_id: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    params: dict[str, Any]


class BatchRequest(_Shape):
    """The body of POST /v1/messages/batches; the parameters are checked when the batch is processed."""

    requests: list[_BatchItem] = Field(min_length=1, max_length=100_000)


def shaped(shape: type[BaseModel], body: object) -> None:
    """Checks the fields of a body.

    Raises:
      ApiError: 400, naming the first field that is wrong.
    """
    try:
        shape.model_validate(body)
    except ValidationError as e:
        # Of a union's branches, the one that went deepest is meant.
        error = max(e.errors(include_url=False), key=lambda error: len(error["loc"]))
        raise ApiError(400, f"{'.'.join(map(str, error['loc']))}: {error['msg']}") from None
