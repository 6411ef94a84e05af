"""Chat whose assistant writes a list of calls after `Function Call:`; `Finish` is its answer, not a call (DTA-Tool)."""

from typing import Any

from gatling_beam.errors import BadRow, Filtered
from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import as_list, call_of, column, decoded, decoded_list
from gatling_beam.sources.python_text import closing
from gatling_beam.sources.session import Session, messages_of, text_of
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import unwrap_tools

FINISH = "Finish"
_MARK = "Function Call:"
_APIS = "you have access to the following APIs: "


def marker_chat(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Column `conversations`; no options. A path that ends in giving up is Filtered("unfinished")."""
    session = Session()
    tools = None
    for role, message in messages_of(column(row, "conversations"), "conversations"):
        text = text_of(message)
        if role == "system":
            tools = declared_apis(text)
        elif role == "user":
            session.user(text)
        elif role == "assistant":
            found = _calls(text, session.assistant())
            if any(not gives_answer(call) for call in found if call.name == FINISH):
                raise Filtered("unfinished")
            session.call(*[call for call in found if call.name != FINISH])
        elif role == "tool":
            session.result(text)
    request, calls = session.finish()
    return Extracted(request=request, calls=calls, tools=tools)


def gives_answer(finish: Call) -> bool:
    """Whether a `Finish` pseudo-call gives an answer (and does not give up)."""
    return finish.arguments.get("return_type") == "give_answer"


def declared_apis(system: str) -> list[dict[str, Any]] | None:
    """The tools of a system text that ends in a Python literal, the pseudo-tool `Finish` among them; None without."""
    begins = system.rfind(_APIS)
    start = system.find("[", begins) if begins >= 0 else -1
    if start < 0:
        return None
    end = closing(system, start)
    return unwrap_tools(as_list(decoded(system[start : end if end > 0 else None], "the APIs"), "the APIs"))


def _calls(text: str, turn: int) -> list[Call]:
    body = text.partition(_MARK)[2].lstrip()
    if not body:
        return []
    end = closing(body, 0) if body[0] in "[{" else -1
    if end < 0:
        raise BadRow("bad_call", body[:200])
    return [call_of(item, turn) for item in decoded_list(body[:end], "a function call")]
