"""Flow: data reaches somebody who may not have it.

Rule: clearance. Who is named by the request may have more than who is not. A place outside, or a stranger, has no
clearance of its own: named it may have all, else nothing.
"""

from collections.abc import Iterator
from typing import Any

from gatling_beam.judge.effects import model_of
from gatling_beam.judge.matching import Matched
from gatling_beam.judge.row import Call, Row
from gatling_beam.judge.verdict import Reason
from gatling_beam.warrant import PermittedCall

_NO_CLEARANCE = (0, 5)


def flow_reasons(row: Row, matched: Matched) -> Iterator[Reason]:
    """Why the plan violates flow."""
    for call in row.calls:
        if call.tool.cls == "egress":
            yield from leaks(row, call, matched.get(call.position))


def leaks(row: Row, call: Call, entry: PermittedCall | None) -> Iterator[Reason]:
    """The destinations of a call that get what they may not have; nobody is named where nothing permits the call."""
    worst, source = _reaching(row, call.position)
    if not worst:
        return
    for destination, group in _destinations(row, call):
        named = entry is not None and destination in entry.destinations
        clearance = row.policy.clearance.get(group, _NO_CLEARANCE)[named]
        if worst > clearance:
            who = f"{destination} ({group})" if group else str(destination)
            how = "to whom the request sends it" if named else "to whom the request sends nothing"
            yield Reason(
                "clearance", call.node_id, f"class {worst} of {source} reaches {who}, {how}: up to class {clearance}"
            )


def _reaching(row: Row, position: int) -> tuple[int, str]:
    """The highest field class that reaches a call by data, and the call that reads it; (0, "") for none."""
    reads = (row.calls[j] for j in row.fed_by(position) if row.calls[j].tool.cls == "read")
    return max(((read.tool.worst_sensitivity, read.node_id) for read in reads), default=(0, ""))


def _destinations(row: Row, call: Call) -> Iterator[tuple[Any, str]]:
    """Where a call sends to, each with its group of people ("" for a place or a stranger)."""
    model = model_of(row.domain.name, call.tool.name)
    people = call.arguments.get(model.people) if model.people else None
    for person in people if type(people) is list else [people] if people else []:
        yield person, row.group(str(person))
    if model.destination in call.arguments:
        yield call.arguments[model.destination], ""
