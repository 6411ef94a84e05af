"""Rows that answer an instruction by one line of library code (APIBench)."""

import re
from typing import Any

from gatling_beam.errors import BadRow, Filtered
from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import as_object, as_text, column
from gatling_beam.sources.python_text import closing, loose_arguments, python_calls
from gatling_beam.sources.spec import SourceSpec

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\Z")
_ASSIGNMENT = re.compile(r"\A[A-Za-z_]\w*\s*=\s*(?=[A-Za-z_][\w.]*\()")
_INSTRUCTION = re.compile(r"#{2,}[ \t]*Instruction:?")
_OUTPUT = re.compile(r"#{2,}[ \t]*Output")
_PLACEHOLDER = re.compile(r"\*{1,2}\w+\Z")


def api_call(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """The call of the column `api_call`; the called function is the tool. Rows of the catalogues are filtered."""
    if "code" not in row and "api_name" in row:
        raise Filtered("not_a_plan")
    calls = _calls(as_text(column(row, "api_call"), "api_call"))
    described = as_object(column(row, "api_data"), "api_data")
    description = described.get("description")
    return Extracted(
        request=_instruction(as_text(column(row, "code"), "code")),
        calls=calls,
        tools=[{"name": name, "description": description} for name in dict.fromkeys(call.name for call in calls)],
    )


def _calls(text: str) -> list[Call]:
    """The calls of `text`; BadRow("bad_call") for shell commands, chained calls and prose."""
    text = text.strip()
    if len(text) > 1 and text[0] in "'\"" and text[-1] == text[0]:
        text = text[1:-1].strip()
    text = _ASSIGNMENT.sub("", text.rstrip(". "))
    try:
        found = python_calls(text)
    except BadRow as e:
        if e.reason != "bad_arguments":
            raise
        found = [_nearly_python(text)]
    if not found or not all(_DOTTED.match(name) for name, _ in found):
        raise BadRow("bad_call", text[:200])
    return [Call(name, _without_placeholders(arguments)) for name, arguments in found]


def _nearly_python(text: str) -> tuple[str, dict[str, Any]]:
    opens = text.index("(")
    end = closing(text, opens)
    if end < 0 or text[end:].strip():
        raise BadRow("bad_call", text[:200])
    return text[:opens].strip(), loose_arguments(text[opens + 1 : end - 1])


def _without_placeholders(arguments: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in arguments.items() if not (isinstance(v, str) and _PLACEHOLDER.match(v))}


def _instruction(code: str) -> str:
    """The instruction inside `code`, which is neither JSON nor Python: its quotes are not escaped."""
    begins = _INSTRUCTION.search(code)
    if begins:
        ends = _OUTPUT.search(code, begins.end())
        return code[begins.end() : ends.start() if ends else len(code)].strip()
    if code.startswith("{'Instruction':"):
        return code.removeprefix("{'Instruction':").partition("'Output':")[0].strip().rstrip(",").strip().strip("'\"")
    return ""
