"""What a request may say, by the API's documented rules."""

import json
from typing import Any

from .errors import ApiError
from .models import MODELS, Model
from .schema_rules import check_schema
from .shapes import PREVIOUS_VERSION, VERSION, CountedRequest, MessageRequest, SamplingRequest, shaped
from .tokens import blocks_of, tokens_of

_SAMPLING = ("temperature", "top_p", "top_k")
_MAX_BREAKPOINTS = 4
# With thinking off, the efforts above these are refused. Which ones the API refuses is not documented.
_EFFORTS_WITHOUT_THINKING = ("low", "medium")


def check_version(version: str | None) -> str:
    """The version that the header `anthropic-version` names.

    Raises:
      ApiError: 400, there is none or it is not known.
    """
    if not version:
        raise ApiError(400, "anthropic-version: header is required")
    if version not in (VERSION, PREVIOUS_VERSION):
        raise ApiError(400, f"anthropic-version: {version!r} is not a valid version")
    return version


def find_model(id_: str) -> Model:
    """The model of an id, retired ones too.

    Raises:
      ApiError: 404, there is none.
    """
    if id_ not in MODELS:
        raise ApiError(404, f"model: {id_}")
    return MODELS[id_]


def check_message(body: dict[str, Any], version: str) -> Model:
    """The model of a request of /v1/messages.

    Raises:
      ApiError: 400, the request breaks a rule; 404, the model is unknown or retired.
    """
    shaped(MessageRequest if version == VERSION else SamplingRequest, body)
    model = _check_common(body)
    if body["max_tokens"] > model.max_tokens:
        raise ApiError(
            400,
            f"max_tokens: {body['max_tokens']} > {model.max_tokens}, which is the maximum allowed number of output "
            f"tokens for {model.id}",
        )
    thinking = body.get("thinking") or {}
    if thinking.get("type") == "enabled" and thinking["budget_tokens"] >= body["max_tokens"]:
        raise ApiError(400, "max_tokens: must be greater than `thinking.budget_tokens`")
    if not model.samples and any(body.get(name) not in (None, 1) for name in _SAMPLING):
        raise ApiError(400, "`temperature`, `top_p` and `top_k` may only be set to their defaults for this model")
    if body.get("stream"):
        raise ApiError(400, "stream: this server does not stream")
    return model


def check_counted(body: dict[str, Any]) -> Model:
    """The model of a request of /v1/messages/count_tokens; raises as `check_message` does."""
    shaped(CountedRequest, body)
    return _check_common(body)


def _check_common(body: dict[str, Any]) -> Model:
    model = find_model(body["model"])
    if model.lifecycle == "retired":
        raise ApiError(404, f"model: {model.id}")
    _check_content(body, model)
    _check_thinking(body, model)
    _check_tools(body, model)
    _check_cache_control(body)
    if format_ := (body.get("output_config") or {}).get("format"):
        check_schema(format_["schema"])
    length = tokens_of(sum(len(block.text) for block in blocks_of(body)))
    if length > model.max_input_tokens:
        raise ApiError(400, f"prompt is too long: {length} tokens > {model.max_input_tokens} maximum")
    return model


def _check_content(body: dict[str, Any], model: Model) -> None:
    messages = body["messages"]
    if messages[0]["role"] == "assistant":
        raise ApiError(400, 'messages: first message must use the "user" role')
    for i, message in enumerate(messages):
        if not message["content"]:
            raise ApiError(400, f"messages.{i}: all messages must have non-empty content")
    if messages[-1]["role"] == "assistant" and not model.prefill:
        raise ApiError(
            400,
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        )
    system = body.get("system") or ""
    for where, contents in (("messages", [message["content"] for message in messages]), ("system", [system])):
        texts = [
            block["text"]
            for content in contents
            if not isinstance(content, str)
            for block in content
            if block["type"] == "text"
        ] + [content for content in contents if isinstance(content, str) and content]
        if any(not text for text in texts):
            raise ApiError(400, f"{where}: text content blocks must be non-empty")
        if any(not text.strip() for text in texts):
            raise ApiError(400, f"{where}: text content blocks must contain non-whitespace text")


def _check_thinking(body: dict[str, Any], model: Model) -> None:
    thinking = body.get("thinking")
    if not thinking:
        return
    kind = thinking["type"]
    if kind not in model.thinking:
        raise ApiError(
            400,
            f'"thinking.type.{kind}" is not supported for this model. Use "thinking.type.adaptive" and '
            '"output_config.effort" to control thinking behavior.',
        )
    if kind == "enabled" and thinking.get("budget_tokens") is None:
        raise ApiError(400, "thinking.enabled.budget_tokens: Field required")
    if kind != "enabled" and "budget_tokens" in thinking:
        raise ApiError(400, f"thinking.{kind}.budget_tokens: Extra inputs are not permitted")
    effort = (body.get("output_config") or {}).get("effort") or model.default_effort
    if kind == "disabled" and not model.samples and effort not in _EFFORTS_WITHOUT_THINKING:
        raise ApiError(400, f'output_config.effort: "{effort}" is not supported with "thinking.type.disabled"')


def _check_tools(body: dict[str, Any], model: Model) -> None:
    choice = (body.get("tool_choice") or {}).get("type")
    if choice in ("any", "tool"):
        if not model.forced_tools:
            raise ApiError(400, f'tool_choice: forced tool use ("{choice}") is not supported for this model')
        raise ApiError(400, f'tool_choice: this server answers with text only; "{choice}" is not offered')
    for i, tool in enumerate(body.get("tools") or ()):
        if tool.get("strict"):
            check_schema(tool["input_schema"], f"tools.{i}.input_schema")


def _check_cache_control(body: dict[str, Any]) -> None:
    lifetimes = [block.ttl for block in blocks_of(body) if block.ttl]
    if len(lifetimes) > _MAX_BREAKPOINTS:
        raise ApiError(
            400, f"A maximum of {_MAX_BREAKPOINTS} blocks with cache_control may be provided. Found {len(lifetimes)}."
        )
    if lifetimes != sorted(lifetimes):  # "1h" < "5m"
        raise ApiError(400, "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")


def parsed(raw: bytes) -> dict[str, Any]:
    """The object that a body holds.

    Raises:
      ApiError: 400, the body is not JSON or not an object.
    """
    try:
        body = json.loads(raw)
    except ValueError as e:
        raise ApiError(400, f"The request body is not valid JSON: {e}") from None
    if not isinstance(body, dict):
        raise ApiError(400, "The request body is not a JSON object")
    return body
