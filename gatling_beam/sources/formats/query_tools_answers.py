"""A query beside two JSON texts, the offered tools and the calls that answer it (xLAM and its relatives)."""

from typing import Any

from gatling_beam.sources.base import Extracted
from gatling_beam.sources.parsing import as_text, call_of, column, decoded_list, row_id
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import tools_of


def query_tools_answers(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Options: `query` and `answers` (column names), `variants` (language -> column of the same request)."""
    options = spec.options
    answers = column(row, options.get("answers", "answers"))
    variants = [(language, row.get(name)) for language, name in options.get("variants", {}).items()]
    return Extracted(
        request=as_text(column(row, options.get("query", "query")), "query"),
        calls=[call_of(answer) for answer in decoded_list(answers, "answers")],
        tools=tools_of(row.get("tools")),
        original_id=row_id(row),
        variants=[(language, text) for language, text in variants if isinstance(text, str) and text],
    )
