"""Instruction rows: a prompt and perhaps an answer, no calls."""

from typing import Any

from gatling_beam.errors import BadRow
from gatling_beam.sources.base import Extracted
from gatling_beam.sources.parsing import as_text, at_path, row_id
from gatling_beam.sources.session import messages_of, text_of
from gatling_beam.sources.spec import SourceSpec


def instruction(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Options: `prompt`, a list of alternatives of which the first that the row has counts.

    An alternative is a list of dotted paths whose texts are joined by line ends; a list of messages there counts as
    the texts of its user. `id` names the id column.
    """
    for paths in spec.options["prompt"]:
        if all(path.partition(".")[0] in row for path in paths):
            request = "\n".join(_text(at_path(row, path), path) for path in paths)
            return Extracted(request=request, calls=[], original_id=row_id(row, spec.options.get("id", "id")))
    raise BadRow("missing_column", f"none of {spec.options['prompt']}")


def _text(value: Any, path: str) -> str:
    if isinstance(value, list):
        return "\n".join(text_of(message) for role, message in messages_of(value, path) if role == "user")
    return as_text(value, path)
