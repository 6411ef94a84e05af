"""Messages with structured calls: `tool_calls` or the older `function_call`, arguments as text or as an object."""

from typing import Any

from gatling_beam.errors import BadRow
from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import at_path, call_of, decoded, decoded_list, row_id
from gatling_beam.sources.session import Session, messages_of, text_of
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import tools_of


def openai_messages(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Options: `messages` and `tools` (dotted paths), `split_column` with `splits` (its word -> split)."""
    options = spec.options
    messages = decoded(at_path(row, options.get("messages", "messages")), "messages")
    request, calls = read_messages(messages)
    word = row.get(options["split_column"]) if "split_column" in options else None
    return Extracted(
        request=request,
        calls=calls,
        tools=tools_of(at_path(row, options["tools"]) if "tools" in options else row.get("tools")),
        original_id=row_id(row, options.get("id", "id")),
        split=options["splits"].get(word, word) if isinstance(word, str) else "",
    )


def read_messages(messages: Any) -> tuple[str, list[Call]]:
    """The request and the calls of a list of messages; BadRow where it is none."""
    session = Session()
    for role, message in messages_of(messages, "messages"):
        if role == "user":
            session.user(text_of(message))
        elif role == "assistant":
            turn = session.assistant()
            session.call(*message_calls(message, turn))
        elif role == "tool":
            content = message.get("content")
            session.result(text_of(message) if isinstance(content, list) else content, message.get("tool_call_id"))
        elif role == "call":
            raise BadRow("wrong_type", "a message of the role function_call among OpenAI messages")
    return session.finish()


def message_calls(message: dict[str, Any], turn: int) -> list[Call]:
    """The calls of one assistant message; `tool_calls` may be null, empty or missing."""
    calls = [call_of(item, turn) for item in decoded_list(message.get("tool_calls"), "tool_calls")]
    legacy = message.get("function_call")
    return calls + [call_of(item, turn) for item in decoded_list(legacy or None, "function_call")]
