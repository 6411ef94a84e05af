"""Calls that carry a label and refer to each other by it, `$var1.field$` (NESTFUL)."""

from typing import Any

from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import as_object, as_text, call_of, column, decoded_list, row_id
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import tools_of

_ANSWER = "var_result"


def labelled_calls(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Columns `input`, `output`, `tools`; the lists may be JSON text. The answer, `var_result`, is not a call."""
    calls = [_call(item) for item in decoded_list(column(row, "output"), "output")]
    return Extracted(
        request=as_text(column(row, "input"), "input"),
        calls=[call for call in calls if call.name != _ANSWER],
        tools=tools_of(row.get("tools")),
        original_id=row_id(row, "sample_id"),
        references="dollar_var",
    )


def _call(item: Any) -> Call:
    call = call_of(as_object(item, "a call"))
    label = item.get("label")
    call.label = as_text(label, "a label").strip().strip("$") if label is not None else ""
    return call
