"""Preference pairs: the calls of the chosen response, after the conversation that it answers."""

from typing import Any

from gatling_beam.sources.base import Extracted
from gatling_beam.sources.formats.openai_messages import message_calls
from gatling_beam.sources.formats.tagged_chat import tagged_calls, tagged_tools
from gatling_beam.sources.parsing import as_list, column, row_id
from gatling_beam.sources.session import Session, messages_of, text_of
from gatling_beam.sources.spec import SourceSpec


def chosen_response(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Two layouts: `chat_history` with `chosen_response`, or `chosen`, whose last message is the response."""
    if "chosen_response" in row:
        chat = [*as_list(column(row, "chat_history"), "chat_history"), _as_message(row["chosen_response"])]
    else:
        chat = as_list(column(row, "chosen"), "chosen")
    messages = messages_of(chat, "the conversation")
    session = Session()
    for role, message in messages[:-1]:
        if role == "user":
            session.user(text_of(message))
        elif role == "assistant":
            session.assistant()
    for _, response in messages[-1:]:
        turn = session.assistant()
        session.call(*tagged_calls(text_of(response), turn), *message_calls(response, turn))
    request, calls = session.finish()
    return Extracted(request=request, calls=calls, tools=tagged_tools(messages), original_id=row_id(row, "uuid"))


def _as_message(response: Any) -> Any:
    return {"role": "assistant", "content": response} if isinstance(response, str) else response
