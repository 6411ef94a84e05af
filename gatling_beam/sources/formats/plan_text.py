"""Plans as numbered lines, `3. send_sms(["$1"], "hi")`, that refer to earlier steps by number (TinyAgent)."""

import re
from itertools import islice
from typing import Any

from gatling_beam.errors import BadRow
from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import as_list, as_object, as_text, column, row_id
from gatling_beam.sources.python_text import MAX_CALLS, closing, loose_arguments, python_arguments
from gatling_beam.sources.spec import SourceSpec

#: The positional parameters of TinyAgent's sixteen tools.
SIGNATURES = {
    "get_phone_number": ("name",),
    "get_email_address": ("name",),
    "create_calendar_event": ("title", "start_date", "end_date", "location", "invitees", "notes", "calendar"),
    "open_and_get_file_path": ("file_name",),
    "summarize_pdf": ("pdf_path",),
    "compose_new_email": ("recipients", "cc", "subject", "context", "attachments"),
    "reply_to_email": ("cc", "context", "attachments"),
    "forward_email": ("recipients", "cc", "context", "attachments"),
    "maps_open_location": ("location",),
    "maps_show_directions": ("start_location", "end_location", "transport"),
    "create_note": ("name", "content", "folder"),
    "open_note": ("name", "folder"),
    "append_note_content": ("name", "content", "folder"),
    "create_reminder": ("name", "due_date", "notes", "list_name", "priority", "all_day"),
    "send_sms": ("recipients", "message"),
    "get_zoom_meeting_link": ("topic", "start_time", "duration", "meeting_invitees"),
}
_JOIN = "join"
_STEP = re.compile(r"^[ \t]*(\d{1,9})\. ?(\w+)\(", re.M)
_CALL_LINE = re.compile(r""""[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'|\n|["']""", re.S)


def plan_text(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Columns `input` and `output`; no options. Of several plans the last counts: it was carried out."""
    outputs = [as_object(item, "an output") for item in as_list(column(row, "output"), "output")]
    plans = [output for output in outputs if output.get("type") in ("plan", "replan")]
    steps = _steps_of(plans[-1]) if plans else []
    return Extracted(
        request=as_text(column(row, "input"), "input"),
        calls=[Call(name, named(name, values), label=str(number)) for number, name, values in steps],
        original_id=row_id(row, "uuid"),
        references="dollar_step",
    )


def named(name: str, values: list[Any]) -> dict[str, Any]:
    """Positional values by the parameter names of the tool, where their number fits; else by `_0`, `_1`, ..."""
    signature = SIGNATURES.get(name, ())
    if len(signature) != len(values):
        signature = tuple(f"_{k}" for k in range(len(values)))
    return dict(zip(signature, values, strict=True))


Step = tuple[int, str, list[Any]]


def _steps_of(plan: dict[str, Any]) -> list[Step]:
    """The steps of a plan. Its text is better than its parsed form, which drops numbers and stops at a slip."""
    if plan.get("raw_output"):
        return steps_of_text(as_text(plan["raw_output"], "raw_output"))
    steps: list[Step] = []
    for k, item in enumerate(as_list(column(plan, "parsed_output"), "parsed_output")):
        step = as_object(item, "a step")
        name = as_text(column(step, "tool_name"), "tool_name")
        if name == _JOIN:
            break
        steps.append((k + 1, name, as_list(column(step, "tool_args"), "tool_args")))
    return steps


def steps_of_text(text: str) -> list[Step]:
    """The numbered calls of a plan text as (number, name, positional values), up to `join`.

    Numbers may skip; where they start again, the plan starts again. A missing bracket ends with its line.
    """
    text = text.rpartition("Current Plan:")[2]
    steps: list[Step] = []
    matches = list(islice(_STEP.finditer(text), MAX_CALLS + 1))
    if len(matches) > MAX_CALLS:
        raise BadRow("too_many_nodes", f"more than {MAX_CALLS} steps")
    ends = [match.start() for match in matches[1:]] + [len(text)]
    for match, end in zip(matches, ends, strict=False):
        number, name = int(match.group(1)), match.group(2)
        if steps and number <= steps[-1][0]:
            steps = []
        if name == _JOIN:
            break
        values = _values(text[match.end() : end])
        steps.append((number, name, values))
    return steps


def _values(text: str) -> list[Any]:
    """The positional values of a call, from the text after its opening bracket."""
    line_end = len(text)
    for match in _CALL_LINE.finditer(text):
        if match.group() == "\n":
            line_end = match.start()
            break
        if match.group() in ('"', "'"):
            # A lone quote after the bracket is prose; `closing` finds out.
            line_end = text.find("\n", match.start()) if "\n" in text[match.start() :] else len(text)
            break
    line = text[:line_end]
    end = closing("(" + line, 0)
    if end < 0 and _lone_quote(line):
        raise BadRow("bad_arguments", line[:200])
    inner = line[: end - 2] if end > 0 else line.rstrip().removesuffix(")")
    inner = inner.replace("\n", "\\n")  # all line ends that are left stand inside quotes
    try:
        return list(python_arguments(inner).values())
    except BadRow:
        return list(loose_arguments(inner).values())


def _lone_quote(line: str) -> bool:
    return any(match.group() in ('"', "'") for match in _CALL_LINE.finditer(line))
