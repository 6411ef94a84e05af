"""Which call of a plan is which permitted call: one to one, by tool and object.

Destinations, sets, amounts and sources are compared after matching. They only settle which of several calls of the
same tool and object is which: that which breaks the least, so that the order of the calls does not matter.
"""

from collections.abc import Callable, Iterable
from itertools import permutations
from typing import Any

from gatling_beam.grounding import REFERENCE
from gatling_beam.judge.effects import model_of
from gatling_beam.judge.row import Call, Row
from gatling_beam.warrant import PermittedCall

#: What a pair of a call and a permitted call costs: the more the call goes beyond it, the more.
Cost = Callable[[Call, PermittedCall], float]
Matched = dict[int, PermittedCall]

_MOST_PERMUTED = 5


def match(row: Row, cost: Cost) -> Matched:
    """The permitted call of each position; what has none is not there."""
    warrant = _Warrant(row)
    matched: Matched = {}
    waiting, free = list(row.calls), list(row.entries)
    # Calls about what others make are known only once those are matched.
    while waiting:
        candidates = {
            call.position: [e for e in free if call.tool.tool_id in e.tools and warrant.permits(call, e, matched)]
            for call in waiting
        }
        found = _assign([call for call in waiting if candidates[call.position]], candidates, cost)
        if not found:
            break
        matched |= found
        waiting = [call for call in waiting if call.position not in found]
        taken = {entry.call_id for entry in found.values()}
        free = [entry for entry in free if entry.call_id not in taken]
    return matched


def refers_to(row: Row, entry: PermittedCall, name: str, value: Any, matched: Matched) -> bool:
    """Whether an argument takes the very result that the permitted call's `sources` name for it."""
    said = REFERENCE.fullmatch(str(entry.sources.get(name, "")))
    here = REFERENCE.fullmatch(value) if type(value) is str else None
    if said is None or here is None or said[2] != here[2]:
        return False
    position = next((k for k, other in matched.items() if other.call_id == said[1]), None)
    return position is not None and here[1] == f"call_{position + 1}"


class _Warrant:
    """The permitted calls of a row, with the objects that they are about."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self._by_id = {entry.call_id: entry for entry in row.entries}

    def permits(self, call: Call, entry: PermittedCall, matched: Matched) -> bool:
        """Whether the object is that of the permitted call; one that it leaves open is any."""
        for name, said in entry.key.items():
            if name not in call.arguments:
                return False
            value = call.arguments[name]
            if (value != said or name in call.refs) and not self._same_object(call, name, said, matched):
                return False
        return True

    def _same_object(self, call: Call, name: str, said: Any, matched: Matched) -> bool:
        """Whether an argument means the record that a key of the warrant does.

        It does too where both take the same result of a call that is permitted, whatever its id will be.
        """
        meant, allowed = self._row.object_of(call.arguments[name]), self._object_of(said)
        if type(allowed) is not tuple and meant == allowed:
            return True
        reference = REFERENCE.fullmatch(said) if type(said) is str else None
        return reference is not None and any(
            field == reference[2] and position in matched and matched[position].call_id == reference[1]
            for position, field in call.refs.get(name, ())
        )

    def _object_of(self, value: Any) -> Any:
        """The record that a key of the warrant means; (call id, field) where its id is not known beforehand."""
        for _ in range(len(self._by_id) + 1):
            reference = REFERENCE.fullmatch(value) if type(value) is str and value[:1] == "$" else None
            entry = self._by_id.get(reference[1]) if reference else None
            if reference is None or entry is None:
                return value
            field = reference[2]
            if field in entry.key:
                value = entry.key[field]
            elif field == "about" and (about := self._about(entry)):
                return about
            else:
                return reference[1], field
        return value

    def _about(self, entry: PermittedCall) -> str | None:
        tools = self._row.domain.tools
        tool = tools.get(entry.tools[0].partition(".")[2]) if entry.tools else None
        if tool is None or tool.archetype != "read":
            return None
        key = model_of(self._row.domain.name, tool.name).keys[0]
        return self._row.about(tool.record, entry.key.get(key))


def _assign(calls: list[Call], candidates: dict[int, list[PermittedCall]], cost: Cost) -> Matched:
    """A one-to-one choice among the candidates: as many calls as possible, then at the least cost."""
    claims: dict[str, int] = {}
    for call in calls:
        for entry in candidates[call.position]:
            claims[entry.call_id] = claims.get(entry.call_id, 0) + 1
    chosen: Matched = {}
    contested = []
    for call in calls:
        own = candidates[call.position]
        if len(own) == 1 and claims[own[0].call_id] == 1:
            chosen[call.position] = own[0]
        else:
            contested.append(call)
    for group in _groups(contested, candidates):
        chosen |= _cheapest(group, candidates, cost)
    return chosen


def _groups(calls: list[Call], candidates: dict[int, list[PermittedCall]]) -> Iterable[list[Call]]:
    """The calls in groups that have no candidate in common."""
    groups: list[tuple[set[str], list[Call]]] = []
    for call in calls:
        ids, members = {entry.call_id for entry in candidates[call.position]}, [call]
        apart = []
        for other, its_calls in groups:
            if ids & other:
                ids, members = ids | other, its_calls + members
            else:
                apart.append((other, its_calls))
        groups = [*apart, (ids, members)]
    return [members for _, members in groups]


def _cheapest(calls: list[Call], candidates: dict[int, list[PermittedCall]], cost: Cost) -> Matched:
    costs = {(call.position, e.call_id): cost(call, e) for call in calls for e in candidates[call.position]}
    entries = {e.call_id: e for call in calls for e in candidates[call.position]}
    ids, at = sorted(entries), [call.position for call in calls]
    if len(costs) < len(ids) * len(at) or max(len(ids), len(at)) > _MOST_PERMUTED:
        return {position: entries[name] for position, name in _matching(costs)}
    ways: Iterable[list[tuple[int, str]]]
    if len(at) <= len(ids):
        ways = (list(zip(at, chosen, strict=True)) for chosen in permutations(ids, len(at)))
    else:
        ways = (list(zip(chosen, ids, strict=True)) for chosen in permutations(at, len(ids)))
    best = min(ways, key=lambda pairs: sum(costs[pair] for pair in pairs))
    return {position: entries[name] for position, name in best}


def _matching(costs: dict[tuple[int, str], float]) -> list[tuple[int, str]]:
    import networkx as nx

    graph = nx.Graph()
    for (position, name), price in costs.items():
        graph.add_edge(position, name, weight=-price)
    pairs = nx.max_weight_matching(graph, maxcardinality=True)
    return [(a, b) if type(a) is int else (b, a) for a, b in pairs]
