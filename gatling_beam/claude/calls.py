"""A call of the Messages API, its answer, and what of an answer can be used."""

import json
import re
from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError

from gatling_beam.hashing import digest
from gatling_beam.json_value import json_text

Phase = Literal["requests", "graphs", "compliance", "reword", "inference"]
PHASES: tuple[Phase, ...] = ("requests", "graphs", "compliance", "reword")

Model = TypeVar("Model", bound=BaseModel)

_WORD = re.compile(r"[A-Za-z0-9_]{1,40}")
# More tokens than any answer has are no count.
_Tokens = Annotated[int, msgspec.Meta(ge=0, le=10**9)] | None


class _CacheCreation(msgspec.Struct):
    ephemeral_5m_input_tokens: _Tokens = None
    ephemeral_1h_input_tokens: _Tokens = None


class _OutputDetails(msgspec.Struct):
    thinking_tokens: _Tokens = None


class _Usage(msgspec.Struct):
    input_tokens: _Tokens = None
    cache_read_input_tokens: _Tokens = None
    cache_creation_input_tokens: _Tokens = None
    cache_creation: _CacheCreation | None = None
    output_tokens: _Tokens = None
    output_tokens_details: _OutputDetails | None = None


class _Message(msgspec.Struct):
    usage: _Usage


class Call(msgspec.Struct, frozen=True, dict=True):
    """What `messages.create` gets (`params`, plain JSON), and the phase that it is booked under."""

    phase: Phase
    params: dict[str, Any]

    @cached_property
    def custom_id(self) -> str:
        """32 hexadecimal digits: the hash of the parameters, so that equal calls have one answer.

        How long the prefix is cached does not enter: it changes the price, not the answer.
        """
        system = [{**block, "cache_control": None} for block in self.params.get("system", ())]
        return digest("claude", json_text({**self.params, "system": system}))


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to the call `custom_id`: a `message` as the API gives it, or the `error` that stays.

    `batch` says whether it was made at the price of batches. An answer with a message is paid for and never asked for
    again; `error` is the type of an API error that asking again does not mend, such as invalid_request_error.
    """

    custom_id: str
    message: dict[str, Any] | None = None
    error: str = ""
    detail: str = ""
    batch: bool = False


def is_message(value: object) -> bool:
    """Whether `value` is a message that can be booked and stored: an object of valid text, with countable tokens."""
    try:
        msgspec.convert(value, _Message)
        json_text(value)
    except (msgspec.ValidationError, UnicodeEncodeError, OverflowError, RecursionError):
        return False
    return True


class Unusable(Exception):
    """An answer that holds nothing to use. `reason` is one word and, for a refusal, its category."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


def read_answer(answer: Answer, schema: type[Model]) -> Model:
    """The content of an answer, by its schema.

    Raises:
      Unusable: error (the API refused the call), refusal:<category>, max_tokens or another reason to stop, no_text,
        bad_json, or schema.
    """
    message = answer.message
    if message is None:
        raise Unusable("error", f"{answer.error}: {answer.detail}")
    stop = message.get("stop_reason")
    if stop == "refusal":
        details = message.get("stop_details")
        raise Unusable(f"refusal:{_word(details.get('category') if isinstance(details, dict) else None)}")
    if stop not in ("end_turn", "stop_sequence"):
        raise Unusable(_word(stop))
    blocks: Any = message.get("content")
    if not isinstance(blocks, list):
        raise Unusable("no_text")
    # Thinking stands before the text.
    texts = [block.get("text") for block in blocks if isinstance(block, dict) and block.get("type") == "text"]
    if not texts or not isinstance(texts[0], str):
        raise Unusable("no_text")
    try:
        content = json.loads(texts[0])
    except (ValueError, RecursionError) as e:
        raise Unusable("bad_json", str(e)) from None
    try:
        return schema.model_validate(content)
    except ValidationError as e:
        raise Unusable("schema", f"{e.error_count()} faults, the first: {e.errors()[0]['msg']}") from None


def _word(value: object) -> str:
    """A value of the API's that is counted by: one word, or "unknown"."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "unknown"
