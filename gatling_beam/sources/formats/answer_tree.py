"""A search tree of attempts with the path that answered in `train_messages` (the raw answers of ToolBench)."""

from typing import Any

from gatling_beam.errors import Filtered
from gatling_beam.sources.base import Extracted
from gatling_beam.sources.formats.marker_chat import FINISH
from gatling_beam.sources.formats.openai_messages import read_messages
from gatling_beam.sources.formats.react_text import user_words
from gatling_beam.sources.parsing import as_list, as_object, column
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import tools_of


def answer_tree(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """The last list of `train_messages` is the path; the tree's failed branches are no plan. A row that did not win is
    Filtered("unfinished").
    """
    answer = as_object(column(row, "answer_generation"), "answer_generation")
    paths = as_list(answer.get("train_messages") or [], "train_messages")
    if row.get("win") is not True or answer.get("finish_type") != "give_answer" or not paths:
        raise Filtered("unfinished")
    messages = [_unwrapped(as_object(message, "a message")) for message in as_list(paths[-1], "the path")]
    request, calls = read_messages(messages)
    return Extracted(
        request=request,
        calls=[call for call in calls if call.name != FINISH],
        tools=tools_of(answer.get("function")),
    )


def _unwrapped(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if message.get("role") == "user" and isinstance(content, str):
        return {**message, "content": "" if message.get("valid") is False else user_words(content)}
    return message
