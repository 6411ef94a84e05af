"""Prompts without a plan of their own, each asked once: what stands behind `ClaudeModelHandler`."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gatling_beam.claude.calls import Call
from gatling_beam.claude.counts import Counts
from gatling_beam.claude.engine import Engine
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.online import ask_all
from gatling_beam.claude.store import AnswerStore, read_part
from gatling_beam.files import join, list_files

SHARD = "inference"
# What concerns one prompt, or comes after others were paid for. The rest is wrong for every prompt.
_OF_ONE_PROMPT = ("budget", "spend_limit", "exhausted")


class Failure(msgspec.Struct, frozen=True):
    """Why a prompt has no answer: the API's type of error, or budget, spend_limit or exhausted; and a sentence."""

    reason: str
    detail: str


class SharedStore(AnswerStore):
    """The answers of plain prompts in a directory. `load` again reads what others have added since.

    For many threads: their parts have different names, and what is read twice is read to the same effect.
    """

    def __init__(self, directory: str) -> None:
        super().__init__(directory, SHARD)
        self._parts: set[str] = set()

    def load(self) -> "SharedStore":
        folder = join(self.directory, f"responses/{SHARD}/{SHARD}")
        for name in list_files(folder):
            if name.endswith(".jsonl") and name not in self._parts:
                for custom_id, line in read_part(join(folder, name)):
                    self._answers.setdefault(custom_id, line)
                self._parts.add(name)
        return self


def prompt_call(prompt: object, params: Mapping[str, Any]) -> Call:
    """The call for a prompt: a text, the messages of a conversation, or parameters that go before `params`.

    Raises:
      TypeError: if it is none of these.
    """
    if isinstance(prompt, str):
        own: Mapping[str, Any] = {"messages": [{"role": "user", "content": prompt}]}
    elif isinstance(prompt, Mapping):
        own = prompt
    elif isinstance(prompt, Sequence) and not isinstance(prompt, bytes):
        own = {"messages": list(prompt)}
    else:
        raise TypeError(f"a prompt of type {type(prompt).__name__}: give a text, a list of messages, or parameters")
    merged = {**params, **own}
    if isinstance(merged.get("system"), str):
        merged["system"] = [{"type": "text", "text": merged["system"]}]
    return Call("inference", merged)


def infer(
    calls: Sequence[Call], store: SharedStore | None, engine: Engine, counts: Counts
) -> list[dict[str, Any] | Failure]:
    """The message of each call, or why there is none, in their order.

    Raises:
      Stopped: if no call can be answered, because of the key, the model or the address.
    """
    if store is not None:
        store.load()
    return [_inference(answer) for answer in ask_all(calls, store, engine, counts)]


def _inference(answer: Any) -> dict[str, Any] | Failure:
    if isinstance(answer, Stopped):
        if answer.reason not in _OF_ONE_PROMPT:
            raise answer
        return Failure(answer.reason, answer.detail)
    if answer.message is None:
        return Failure(answer.error, answer.detail)
    message: dict[str, Any] = answer.message
    return message
