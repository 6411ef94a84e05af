"""Which call is permitted by which entry of the warrant: one to one, as many as can be, at the least excess."""

from collections.abc import Callable
from functools import cache

from gatling_beam.energy.reading import Call, Row, same
from gatling_beam.warrant import PermittedCall

#: The excess of a call that is matched with an entry.
Cost = Callable[[Call, PermittedCall], float]
#: Beyond this many calls that compete, each takes the cheapest entry that is left.
_MOST_COMPETING = 10


def match(row: Row, cost: Cost) -> list[PermittedCall | None] | None:
    """The entry of each call, None for a call that is not permitted; None for all if every call is permitted as it is
    made, by the entry in its place."""
    calls, warrant = row.calls, row.warrant
    if len(calls) == len(warrant) and all(map(_as_written, calls, warrant)) and not any(map(cost, calls, warrant)):
        return None
    fits = [[k for k, entry in enumerate(warrant) if _fits(row, call, entry)] for call in calls]
    matched: list[PermittedCall | None] = [None] * len(calls)
    for group in _groups(fits):
        for k, chosen in _assign(row, group, fits, cost):
            matched[k] = warrant[chosen]
    return matched


def _as_written(call: Call, entry: PermittedCall) -> bool:
    """Whether the entry that stands at the call's place permits it, reference for reference."""
    if call.node.tool_name not in entry.tools:
        return False
    return all(call.arguments.get(name) == value for name, value in entry.key.items())


def _fits(row: Row, call: Call, entry: PermittedCall) -> bool:
    return call.node.tool_name in entry.tools and all(
        same(row.object_of(call.arguments.get(name)), row.permitted_object(value)) for name, value in entry.key.items()
    )


def _groups(fits: list[list[int]]) -> list[list[int]]:
    """The calls that compete for the same entries, directly or through others."""
    groups: list[tuple[set[int], list[int]]] = []
    for k, entries in enumerate(fits):
        wanted, members = set(entries), [k]
        if not entries:
            continue
        rest = []
        for other_wanted, other_members in groups:
            if other_wanted & wanted:
                wanted |= other_wanted
                members += other_members
            else:
                rest.append((other_wanted, other_members))
        groups = [*rest, (wanted, members)]
    return [sorted(members) for _, members in groups]


def _assign(row: Row, group: list[int], fits: list[list[int]], cost: Cost) -> list[tuple[int, int]]:
    """(call, entry) pairs of one group."""
    if len(group) == 1 and len(fits[group[0]]) == 1:
        return [(group[0], fits[group[0]][0])]
    costs = {k: {entry: cost(row.calls[k], row.warrant[entry]) for entry in fits[k]} for k in group}
    if len(group) > _MOST_COMPETING:
        return _greedy(costs)

    @cache
    def best(k: int, taken: int) -> tuple[int, float, tuple[tuple[int, int], ...]]:
        """(unmatched, excess, pairs) of the calls from the k-th of the group on."""
        if k == len(group):
            return 0, 0.0, ()
        left, excess, pairs = best(k + 1, taken)
        found = (left + 1, excess, pairs)
        for entry, own in costs[group[k]].items():
            if not taken >> entry & 1:
                left, excess, pairs = best(k + 1, taken | 1 << entry)
                found = min(found, (left, excess + own, ((group[k], entry), *pairs)))
        return found

    return list(best(0, 0)[2])


def _greedy(costs: dict[int, dict[int, float]]) -> list[tuple[int, int]]:
    pairs, calls, entries = [], set(costs), set[int]()
    for own, k, entry in sorted((own, k, entry) for k, line in costs.items() for entry, own in line.items()):
        if k in calls and entry not in entries and own >= 0:
            calls.discard(k)
            entries.add(entry)
            pairs.append((k, entry))
    return pairs
