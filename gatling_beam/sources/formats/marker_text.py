"""A whole chat as one text, calls after the mark `<functioncall>` (glaive-function-calling-v2)."""

import re
from typing import Any

from gatling_beam.errors import BadRow
from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import as_text, call_of, column, decoded, first_json
from gatling_beam.sources.session import Session
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import unwrap_tools

_SPEAKER = re.compile(r"^[ \t]*(USER|ASSISTANT|FUNCTION RESPONSE):", re.M)
_END = "<|endoftext|>"
_QUOTED_ARGUMENTS = re.compile(r"\"arguments\"\s*:\s*'")
_NAME = re.compile(r"\"name\"\s*:\s*\"([^\"]+)\"")


def marker_text(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Columns `system` (the tools as JSON objects one after another) and `chat`; no options."""
    session = Session()
    _, *turns = _SPEAKER.split(as_text(column(row, "chat"), "chat"))
    for speaker, text in zip(turns[::2], turns[1::2], strict=True):
        text = text.replace(_END, "\n") if speaker != "ASSISTANT" else text
        if speaker == "USER":
            session.user(text)
        elif speaker == "ASSISTANT":
            turn = session.assistant()
            parts = text.split("<functioncall>")[1:]
            session.call(*[_call(part.partition(_END)[0].strip(), turn) for part in parts])
        else:
            session.result(text.strip())
    request, calls = session.finish()
    return Extracted(request=request, calls=calls, tools=_tools(as_text(column(row, "system"), "system")))


def _call(body: str, turn: int) -> Call:
    """A call whose arguments are JSON inside single quotes, apostrophes unescaped: cut at the outer quotes."""
    quoted = _QUOTED_ARGUMENTS.search(body)
    inner = body[:-1].rstrip() if body.endswith("}") else ""
    if quoted and inner.endswith("'") and len(inner) > quoted.end():
        name = _NAME.search(body, 0, quoted.start())
        if name:
            return call_of({"name": name.group(1), "arguments": inner[quoted.end() : -1]}, turn)
    try:
        return call_of(decoded(body, "a call"), turn)
    except BadRow as e:
        raise BadRow("bad_call" if e.reason == "not_json" else e.reason, e.detail) from None


def _tools(system: str) -> list[dict[str, Any]] | None:
    tools, at = [], system.find("{")
    while at >= 0:
        tool, end = first_json(system, at, "system")
        tools.append(tool)
        at = system.find("{", end)
    return unwrap_tools(tools) if tools else None
