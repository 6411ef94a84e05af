"""Chat in ReAct form, `Thought: ... Action: name Action Input: {...}`, one row a step (the SFT file of ToolBench)."""

import re
from typing import Any

from gatling_beam.errors import Filtered
from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.formats.marker_chat import FINISH, declared_apis, gives_answer
from gatling_beam.sources.parsing import call_of, column, row_id
from gatling_beam.sources.session import Session, messages_of, text_of
from gatling_beam.sources.spec import SourceSpec

_ACTION = re.compile(r"(?:^|\n)Action: ?([^\n]*)\nAction Input: ?")
_RETRY = "This is not the first time you try this task"


def react_text(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Column `conversations`; no options. Only a path that ends in a `Finish` with an answer is whole: all other rows
    (prefixes of paths, and paths that give up) are Filtered("unfinished").
    """
    messages = messages_of(column(row, "conversations"), "conversations")
    steps = [text_of(message) for role, message in messages if role == "assistant"]
    last = _step(steps[-1], 0) if steps and _names_finish(steps[-1]) else None
    if last is None or not gives_answer(last):
        raise Filtered("unfinished")
    session = Session()
    tools = None
    for role, message in messages:
        text = text_of(message)
        if role == "system":
            tools = declared_apis(text)
        elif role == "user":
            session.user(user_words(text))
        elif role == "assistant":
            step = _step(text, session.assistant())
            if step is not None and step.name != FINISH:
                session.call(step)
        elif role == "tool":
            session.result(text)
    request, calls = session.finish()
    return Extracted(request=request, calls=calls, tools=tools, original_id=row_id(row))


def user_words(text: str) -> str:
    """A user turn of ToolBench without its wrapper; "" for the turn that asks for another attempt."""
    text = text.strip()
    return "" if text.startswith(_RETRY) else text.removesuffix("Begin!").strip()


def _names_finish(text: str) -> bool:
    names = _ACTION.findall(text)
    return bool(names) and names[-1].strip() == FINISH


def _step(text: str, turn: int) -> Call | None:
    """The action of a turn: the last pair counts, because the thought may quote an earlier one."""
    pairs = list(_ACTION.finditer(text))
    if not pairs:
        return None
    return call_of({"name": pairs[-1].group(1).strip(), "arguments": text[pairs[-1].end() :].strip()}, turn)
