"""Calls that refer to each other, by `$var1.field$` (NESTFUL), `API_call_0` or `${id from search}`."""

import re
from typing import Any

from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import (
    as_list,
    as_object,
    as_text,
    call_of,
    column,
    decoded_list,
    row_id,
    with_usual_keys,
)
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import tools_of

_ANSWER = "var_result"
_BARE = re.compile(r'"(?:[^"\\]|\\.)*"|(\$\{[^{}"]*\})', re.S)


def labelled_calls(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """The lists of the columns may be JSON text. The answer, `var_result`, is not a call.

    Options: `request`, `calls`, `tools` and `id` (column names; NESTFUL's without them), `name`, `arguments` and
    `label` (keys of a call; a label may be a list), `references` (a key of `attribution.REFERENCES`).
    """
    options = spec.options
    listed = decoded_list(column(row, options.get("calls", "output")), "the calls")
    return Extracted(
        request=as_text(column(row, options.get("request", "input")), "the request"),
        calls=[call for item in listed if (call := _call(item, options)).name != _ANSWER],
        tools=tools_of(row.get(options.get("tools", "tools"))),
        original_id=row_id(row, options.get("id", "sample_id")),
        references=options.get("references", "dollar_var"),
    )


def _call(item: Any, options: dict[str, Any]) -> Call:
    value = with_usual_keys(as_object(item, "a call"), options)
    if options.get("references") == "from_call" and isinstance(value.get("arguments"), str):
        value["arguments"] = quoted_references(value["arguments"])
    call = call_of(value)
    label = item.get(options.get("label", "label"))
    parts = as_list(label, "a label") if isinstance(label, list) else [] if label is None else [label]
    call.label = " ".join(as_text(part, "a label").strip().strip("$") for part in parts)
    return call


def quoted_references(text: str) -> str:
    """JSON text in which a reference stands as a bare value, `{"id": ${id from search}}`, with the reference quoted."""
    return _BARE.sub(lambda match: f'"{match.group()}"' if match.group(1) else match.group(), text)
