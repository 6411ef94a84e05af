"""Chat whose assistant writes its calls as Python text, in its words or in a field of their own."""

from typing import Any

from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import as_list, as_text, column, first_json, row_id
from gatling_beam.sources.python_text import python_calls
from gatling_beam.sources.session import Session, messages_of, text_of
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import tools_of, unwrap_tools

Messages = list[tuple[str, dict[str, Any]]]


def python_call_chat(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Options: `messages` (column name), `calls` (the message field that holds the calls).

    Without `calls` an assistant's text in square brackets is its calls, and the tools stand as JSON in the prose of
    the column `system`; with it they stand as JSON text in the messages' field `functions`.
    """
    field = spec.options.get("calls")
    messages = messages_of(column(row, spec.options.get("messages", "messages")), "the conversation")
    tools = _tools_of_messages(messages) if field else _tools_of_prose(as_text(column(row, "system"), "system"))
    names = [tool["name"] for tool in tools or [] if isinstance(tool.get("name"), str)]
    session = Session()
    for role, message in messages:
        if role == "user":
            session.user(text_of(message))
        elif role == "assistant":
            turn = session.assistant()
            text = message.get(field) if field else _bracketed(text_of(message))
            lines = text if isinstance(text, list) else [text or ""]
            for line in lines:
                found = python_calls(as_text(line, "the calls"), names)
                session.call(*[Call(name, arguments, turn) for name, arguments in found])
        elif role == "tool":
            session.result(text_of(message))
    request, calls = session.finish()
    return Extracted(request=request, calls=calls, tools=tools, original_id=row_id(row))


def _bracketed(text: str) -> str:
    text = text.strip()
    return text if text.startswith("[") and text.endswith("]") else ""


def _tools_of_messages(messages: Messages) -> list[dict[str, Any]] | None:
    declared = [tools for _, message in messages if (tools := tools_of(message.get("functions"))) is not None]
    return [tool for tools in declared for tool in tools] if declared else None


def _tools_of_prose(system: str) -> list[dict[str, Any]] | None:
    start = system.find("[{")
    return None if start < 0 else unwrap_tools(as_list(first_json(system, start, "system")[0], "the tools"))
