"""Messages whose content is a list of typed parts; a part of the type `tool_call` holds a call as JSON text."""

from typing import Any

from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import as_list, as_object, call_of, column, decoded_list, row_id
from gatling_beam.sources.session import Session, messages_of, text_of
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import tools_of


def content_parts(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Columns `messages` and `tools`; no options."""
    session = Session()
    for role, message in messages_of(column(row, "messages"), "messages"):
        if role == "user":
            session.user(text_of(message))
        elif role == "assistant":
            session.call(*_calls(message, session.assistant()))
        elif role == "tool":
            session.result(text_of(message))
    request, calls = session.finish()
    return Extracted(request=request, calls=calls, tools=tools_of(row.get("tools")), original_id=row_id(row))


def _calls(message: dict[str, Any], turn: int) -> list[Call]:
    parts = [as_object(part, "a part") for part in as_list(column(message, "content"), "a message's content")]
    values = [column(part, "value") for part in parts if part.get("type") == "tool_call"]
    return [call_of(item, turn) for value in values for item in decoded_list(value, "a tool_call part")]
