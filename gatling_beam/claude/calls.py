"""A call of the Messages API, its answer, and what of an answer can be used."""

import json
from functools import cached_property
from typing import Any, Literal, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError

from gatling_beam.hashing import digest
from gatling_beam.json_value import json_text

Phase = Literal["requests", "graphs", "compliance", "reword", "inference"]
PHASES: tuple[Phase, ...] = ("requests", "graphs", "compliance", "reword")

Model = TypeVar("Model", bound=BaseModel)


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
        raise Unusable(f"refusal:{(message.get('stop_details') or {}).get('category') or 'unknown'}")
    if stop not in ("end_turn", "stop_sequence"):
        raise Unusable(str(stop))
    # Thinking stands before the text.
    text = next((block["text"] for block in message.get("content", ()) if block.get("type") == "text"), None)
    if text is None:
        raise Unusable("no_text")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise Unusable("bad_json", str(e)) from None
    try:
        return schema.model_validate(content)
    except ValidationError as e:
        raise Unusable("schema", f"{e.error_count()} faults, the first: {e.errors()[0]['msg']}") from None
