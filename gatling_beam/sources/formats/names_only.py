"""Rows that name the tools a request needs, without arguments."""

from typing import Any

from gatling_beam.errors import BadRow, Filtered
from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import as_list, as_object, as_text, column, row_id
from gatling_beam.sources.spec import SourceSpec


def names_only(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Options: `names` (column), `request` (columns, the first that holds text counts), `tools` (column of
    `{tool_name, api_name}`; a name is then a pair of both), `id`, `harmful` (the rows ask for harm: all filtered).
    """
    options = spec.options
    if options.get("harmful"):
        raise Filtered("harmful")
    names = [_name(item) for item in as_list(column(row, options["names"]), options["names"])]
    request = next((row[name] for name in options["request"] if row.get(name)), None)
    return Extracted(
        request=as_text(request, "the request"),
        calls=[Call(name, {}) for name in names],
        tools=_tools(column(row, options["tools"])) if "tools" in options else None,
        original_id=row_id(row, options.get("id", "id")),
        names_only=True,
    )


def _name(item: Any) -> str:
    parts = item if isinstance(item, list) else [item]
    if not parts or not all(isinstance(part, str) and part for part in parts):
        raise BadRow("bad_call", f"a tool name of type {type(item).__name__}")
    return "/".join(parts)


def _tools(value: Any) -> list[dict[str, Any]]:
    tools = [as_object(item, "an api") for item in as_list(value, "the tools")]
    return [{**tool, "name": _name([tool.get("tool_name"), tool.get("api_name")])} for tool in tools]
