"""One text a row, an attack or not: for retrieved contexts, never a plan."""

from typing import Any

from gatling_beam.errors import Filtered
from gatling_beam.sources.base import Extracted
from gatling_beam.sources.parsing import as_text, column, row_id
from gatling_beam.sources.spec import SourceSpec

_LABELS: dict[int | None, str] = {0: "harmless", 1: "injection"}


def text_label(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """The text is the `request`; the label is the `category`: injection, harmless or unlabelled.

    Options: `text` and `id` (column names), `label` (a column of 0 and 1, 1 is an attack) or `category` (of every
    row), `only` (column -> value; other rows are Filtered("not_a_plan")).
    """
    options = spec.options
    for name, value in options.get("only", {}).items():
        if row.get(name) != value:
            raise Filtered("not_a_plan")
    category = options.get("category")
    if category is None:
        category = _LABELS.get(_label(column(row, options["label"])), "unlabelled")
    text = as_text(column(row, options["text"]), options["text"])
    return Extracted(request=text, calls=[], original_id=row_id(row, options.get("id", "id")), category=category)


def _label(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if value in ("0", "1") else None
    return int(value) if isinstance(value, bool | int) else None
