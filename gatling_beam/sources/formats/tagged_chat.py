"""Chat whose assistant writes `<tool_call>{...}</tool_call>` into its text (Hermes and its relatives)."""

from typing import Any

from gatling_beam.errors import BadRow
from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import call_of, column, decoded, row_id, without_thoughts
from gatling_beam.sources.session import Session, messages_of, text_of
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import tools_of, unwrap_tools


def tagged_chat(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Options: `messages` (column name). Tools come from the column `tools`, else from the system's `<tools>` block."""
    messages = messages_of(column(row, spec.options.get("messages", "conversations")), "the conversation")
    session = Session()
    for role, message in messages:
        text = text_of(message)
        if role == "user":
            session.user(text)
        elif role == "assistant":
            session.call(*tagged_calls(text, session.assistant()))
        elif role == "tool":
            for response in _responses(text):
                session.result(response)
    request, calls = session.finish()
    tools = tools_of(row.get("tools"))
    return Extracted(
        request=request,
        calls=calls,
        tools=tagged_tools(messages) if tools is None else tools,
        original_id=row_id(row),
    )


def tagged_calls(text: str, turn: int) -> list[Call]:
    """The calls in the `<tool_call>` tags of an assistant's text, thoughts left out; a closing tag may be missing.

    A tag holds one call, a list of calls, or a call on each line, as JSON or as a Python literal.
    """
    calls = []
    for part in without_thoughts(text).split("<tool_call>")[1:]:
        body = part.partition("</tool_call>")[0].strip()
        calls += [call_of(item, turn) for item in _items(body, "bad_call")]
    return calls


def tagged_tools(messages: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]] | None:
    """The tools of the first `<tools>` block that holds any; prompts also mention the empty tag."""
    for role, message in messages:
        if role != "assistant":
            for part in text_of(message).split("<tools>")[1:]:
                body = part.partition("</tools>")[0].strip()
                if body.startswith(("[", "{")):
                    return unwrap_tools(_items(body, "not_json"))
    return None


def _items(body: str, reason: str) -> list[Any]:
    """The items of `body`: one value, a list, or one value a line."""
    try:
        value = decoded(body, "a tag")
        return value if isinstance(value, list) else [value]
    except BadRow as e:
        lines = [line for line in body.splitlines() if line.strip()]
        if len(lines) < 2 or e.reason != "not_json":
            raise BadRow(reason if e.reason == "not_json" else e.reason, e.detail) from None
    try:
        return [decoded(line, "a line of a tag") for line in lines]
    except BadRow:
        raise BadRow(reason, body[:200]) from None


def _responses(text: str) -> list[str]:
    parts = text.split("<tool_response>")[1:]
    return [part.partition("</tool_response>")[0].strip() for part in parts] or [text]
