"""x_f: data that reaches somebody who is not cleared for it."""

from math import log1p
from typing import Any

from gatling_beam.energy.provenance import source_name, source_tier
from gatling_beam.energy.reading import Call, Row
from gatling_beam.facts import groups_of
from gatling_beam.warrant import PermittedCall

_SINK, _TRANSFORM, _LAUNDER = 2.0, 1.5, 2.5
_BY_SENSITIVITY = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0)
#: A call that hides what it passes on, on the way to such a sink.
_HIDDEN = 5.0
#: A path that hides and then sends: two hiding calls or more before the sink.
_HIDING_PATH = 8.0
#: (tier that the data has, tier that a call claims) -> weight.
_CLAIMS = {(3, 1): 5.0, (3, 2): 2.0}
#: Destination risk of what leaves for the outside.
_RISK = 1.0
#: Of stores and strangers, about whom the policy says nothing: they get what the request sends them, and nothing else.
_NO_CLEARANCE = (0, 5)


def flow_excess(row: Row, call: Call, entry: PermittedCall | None, why: list[str]) -> float:
    """What an egress call lets out; `entry` is its permission, None if it has none."""
    if not call.data:
        return 0.0
    feeding = [other for other in row.calls if call.data >> other.at & 1]
    sensitivity = max([other.view.tool.worst_sensitivity for other in feeding if other.view.tool.cls == "read"] or [0])
    wrong = [
        f"{place!r} ({group}, up to {clearance})"
        for place, group, clearance in _clearances(row, call, entry)
        if sensitivity > clearance
    ]
    if not wrong:
        return 0.0
    named = "" if entry else ", by a call that is not permitted"
    why.append(
        f"{call.node_id}: data of class {sensitivity} reaches {', '.join(wrong)}{named}, by "
        + ", ".join(f"edge {other.node_id} -> {call.node_id}" for other in feeding)
    )
    hidden = [other for other in feeding if other.view.is_obfuscating]
    x = _SINK * (_RISK * _BY_SENSITIVITY[sensitivity] * log1p(_volume(feeding)) + _HIDDEN * len(hidden))
    x += _TRANSFORM * _HIDING_PATH * (len(hidden) > 1)
    return x + _LAUNDER * sum(_laundered(row, other, why) for other in (*feeding, call))


def _clearances(row: Row, call: Call, entry: PermittedCall | None) -> list[tuple[Any, str, int]]:
    """(destination, group, the field class that may reach it) of every destination of the call."""
    named = entry.destinations if entry else ()
    if call.view.store:
        store = call.arguments.get(call.view.store)
        return [(store, "a store", _NO_CLEARANCE[store in named])]
    people = call.arguments.get(call.view.people)
    people = people if type(people) is list else [people]
    known, clearance = call.view.domain.world.group_of, row.policy.clearance
    if not all(person in known for person in people):
        known = {**known, **groups_of(row.facts)}
    groups = [known.get(person, "") for person in people]
    return [
        (person, group or "unknown", clearance.get(group, _NO_CLEARANCE)[person in named])
        for person, group in zip(people, groups, strict=True)
    ]


def _volume(feeding: list[Call]) -> int:
    """The most records that one of the calls gives."""
    most = 1
    for call in feeding:
        for size in call.view.sizes:
            if size.dimension == "rows" and type(asked := call.arguments.get(size.name, size.default)) is int:
                most = max(most, min(asked, 10**12))
    return most


def _laundered(row: Row, call: Call, why: list[str]) -> float:
    """What a call weighs that claims a better tier than its own text and its authority arguments have."""
    if not row.is_tainted:
        return 0.0
    authority = call.view.authority
    tiers = [source_tier(row, call, s) for s in row.sources(call.node_id) if source_name(s) in authority]
    derived, claimed = max([row.tiers[call.at], *tiers]), int(call.node.provenance_tier)
    if weight := _CLAIMS.get((derived, claimed), 0.0):
        why.append(f"{call.node_id}: claims tier {claimed}, its sources have tier {derived}")
    return weight
