"""Evaluation rows: a conversation, the tools, and the one assistant message that is right."""

from typing import Any

from gatling_beam.errors import Filtered
from gatling_beam.sources.base import Extracted
from gatling_beam.sources.formats.openai_messages import message_calls, read_messages
from gatling_beam.sources.parsing import as_object, column, row_id
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import tools_of


def target_message(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """The calls of `target_message`. Rows of the other tasks of the set (no tools) are Filtered("not_a_plan")."""
    if "tools" not in row and "target_message" not in row:
        raise Filtered("not_a_plan")
    request, _ = read_messages(column(row, "messages"))
    return Extracted(
        request=request,
        calls=message_calls(as_object(column(row, "target_message"), "target_message"), turn=0),
        tools=tools_of(row.get("tools")),
        original_id=row_id(row, "deliverable_id") or row_id(row),
    )
