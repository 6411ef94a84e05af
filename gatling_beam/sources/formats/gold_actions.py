"""Scenario rows with the gold actions of the agent; argument objects are filled with nulls to one common shape."""

from typing import Any

from gatling_beam.errors import BadRow
from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import as_list, at_path, call_of, row_id, with_usual_keys, without_nulls
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import tools_of


def gold_actions(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Options: `actions` (dotted path), `request` (dotted paths of texts, joined by line ends; null ones left out),
    `name` and `arguments` (keys of an action).
    """
    actions = as_list(at_path(row, spec.options["actions"]), "actions")
    texts = [at_path(row, path) for path in spec.options["request"]]
    if not all(text is None or isinstance(text, str) for text in texts):
        raise BadRow("wrong_type", "a text of the scenario is not a string")
    return Extracted(
        request="\n".join(text for text in texts if text),
        calls=[_call(with_usual_keys(action, spec.options), turn) for turn, action in enumerate(actions)],
        tools=tools_of(row.get("tools")),
        original_id=row_id(row),
    )


def _call(action: Any, turn: int) -> Call:
    call = call_of(action, turn)
    call.arguments = without_nulls(call.arguments)
    return call
