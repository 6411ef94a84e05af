"""A conversation as the adapters see it: who speaks, which calls are made, and which result answers which call."""

from typing import Any

import msgspec

from gatling_beam.errors import BadRow
from gatling_beam.json_value import MAX_BYTES
from gatling_beam.sources.base import Call
from gatling_beam.sources.parsing import as_list, as_object, decoded

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "environment": "tool",
    "ipython": "tool",
    "function_call": "call",
}


def messages_of(value: Any, what: str) -> list[tuple[str, dict[str, Any]]]:
    """The messages of a conversation as (system, user, assistant, tool or call; message). BadRow for other shapes."""
    messages = []
    for item in as_list(value, what):
        message = as_object(item, f"a message of {what}")
        name = message["role"] if "role" in message else message.get("from")
        role = ROLES.get(name) if isinstance(name, str) else None
        if role is None:
            shown = repr(name[:50]) if isinstance(name, str) else f"of type {type(name).__name__}"
            raise BadRow("wrong_type", f"a message of {what} has a role that nobody knows: {shown}")
        messages.append((role, message))
    return messages


def text_of(message: dict[str, Any]) -> str:
    """The text of a message: its `content` or `value`, a string, null (no text) or a list of parts.

    Raises:
      BadRow: "wrong_type" for anything else.
    """
    content = message["content"] if "content" in message else message.get("value")
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    texts = []
    for part in as_list(content, "a message's content"):
        if isinstance(part, dict):
            part = part.get("text", part.get("value"))
        if isinstance(part, str):
            texts.append(part)
    return "\n".join(texts)


def result_value(content: Any) -> Any:
    """What a tool message says a call returned: a JSON value where its text is one, else the text.

    `{name, content}` and `{name, results}` are wrappers that some data sets put around it.
    """
    value = _json_or_text(content)
    if isinstance(value, dict) and "name" in value and len(value) <= 3:
        for member in ("content", "results"):
            if member in value:
                return _json_or_text(value[member])
    return value


def _json_or_text(content: Any) -> Any:
    if isinstance(content, str) and content.lstrip()[:1] in ("{", "[") and len(content) <= MAX_BYTES:
        try:
            return decoded(content, "a result")
        except BadRow:
            return content
    return content


class Session:
    """Gathers requests, calls and results while a conversation is read from its first message to its last.

    A result belongs to the call whose id it names; the others are paired in order, and only where there are as many
    results as calls that wait for one.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._requests: list[str] = []
        self._turn = -1
        self._waiting: list[Call] = []
        self._results: list[Any] = []

    def user(self, text: str) -> None:
        """The user speaks: what no result has come for will get none."""
        self._pair()
        self._waiting = []
        if text.strip():
            self._requests.append(text.strip())

    def assistant(self) -> int:
        """The assistant speaks; returns the number of its message."""
        if self._results:
            self._pair()
        self._turn += 1
        return self._turn

    def call(self, *calls: Call) -> None:
        """Calls that the current message of the assistant makes."""
        self.calls.extend(calls)
        self._waiting.extend(calls)

    def result(self, content: Any, call_id: Any = "") -> None:
        """A tool's answer, with the id of the call where the row gives it."""
        for call in self._waiting:
            if call_id and call.call_id == call_id:
                call.result = result_value(content)
                self._waiting.remove(call)
                return
        self._results.append(content)

    def finish(self) -> tuple[str, list[Call]]:
        """The request (the user's turns, joined by line ends) and the calls, results filled in."""
        self._pair()
        return "\n".join(self._requests), self.calls

    def _pair(self) -> None:
        results, waiting = self._results, self._waiting
        if len(results) == 1 and len(waiting) != 1:
            results = _parts(results[0])
        if len(results) == len(waiting):
            for call, content in zip(waiting, results, strict=True):
                value = result_value(content)
                single = value[0] if isinstance(value, list) and len(value) == 1 else None
                call.result = result_value(single) if isinstance(single, dict) and "name" in single else value
        self._results, self._waiting = [], []


def _parts(content: Any) -> list[Any]:
    """The results of parallel calls that one message holds: the items of a list, or a JSON value on each line."""
    value = result_value(content)
    if isinstance(value, list):
        return value
    if not isinstance(value, str):
        return [value]
    parts = []
    for line in value.splitlines():
        if line.strip():
            try:
                parts.append(msgspec.json.decode(line))
            except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
                return [value]
    return parts
