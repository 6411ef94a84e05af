"""Chat where a call is a turn of its own: `from` = function_call, answered by `from` = observation."""

from typing import Any

from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import call_of, column, decoded_list, row_id
from gatling_beam.sources.session import Session, messages_of, text_of
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import tools_of


def typed_turns(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Options: `messages` (column name), `pseudo_tools` (tools that do nothing: their calls are left out)."""
    pseudo_tools = spec.options.get("pseudo_tools", ())
    session = Session()
    for role, message in messages_of(column(row, spec.options.get("messages", "conversations")), "the conversation"):
        if role == "user":
            session.user(text_of(message))
        elif role == "assistant":
            session.assistant()
        elif role == "call":
            session.call(*_calls(message, session.assistant()))
        elif role == "tool":
            session.result(text_of(message))
    request, calls = session.finish()
    return Extracted(
        request=request,
        calls=[call for call in calls if call.name not in pseudo_tools],
        tools=tools_of(row.get("tools")),
        original_id=row_id(row),
    )


def _calls(message: dict[str, Any], turn: int) -> list[Call]:
    return [call_of(item, turn) for item in decoded_list(text_of(message), "a function_call turn")]
