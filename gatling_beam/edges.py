"""The edges of a plan, each with the evidence it rests on."""

from gatling_beam.attribution import Results, Wording, leaves, referenced_calls
from gatling_beam.graph import components
from gatling_beam.sources.base import Call, Extracted

#: Which argument, as (position of the call, JSON Pointer), carries values of which calls.
Attributed = dict[tuple[int, str], list[int]]


def plan_edges(calls: list[Call], extracted: Extracted, request: str) -> tuple[list[tuple[int, int, str]], Attributed]:
    """The edges of a plan as (from, to, evidence), sorted, and which argument carries a value from which call.

    In this order, each pair of calls once: what the row states, references in arguments, values of an earlier result
    that come back in a later argument, turns, and the listed order where the plan would fall apart.
    """
    found: dict[tuple[int, int], str] = {}
    attributed: Attributed = {}
    if len(calls) == 1:
        return [], attributed
    for source, target, evidence in extracted.edges:
        found.setdefault((source, target), evidence)
    if extracted.references:
        for source, target, pointer in referenced_calls(calls, extracted.references):
            found.setdefault((source, target), "data")
            attributed.setdefault((target, pointer), []).append(source)
    if any(call.result is not None for call in calls):
        _value_edges(calls, request, found, attributed)
    _turn_edges(calls, found)
    if not found:
        return [(k - 1, k, "order") for k in range(1, len(calls))], attributed
    for k in range(1, len(calls)):
        part = components(len(calls), list(found))
        if part[k - 1] != part[k]:
            found[k - 1, k] = "order"
    return sorted((source, target, evidence) for (source, target), evidence in found.items()), attributed


def _value_edges(calls: list[Call], request: str, found: dict[tuple[int, int], str], attributed: Attributed) -> None:
    """Edges of evidence `data` from the call that first returned a value to the calls that pass it on.

    A value that the user said, or that an earlier call was given, proves nothing: it was known before.
    """
    said = Wording(request)
    results = Results()
    known: set[str] = set()
    turn_start = 0
    for k, call in enumerate(calls):
        if call.turn != calls[turn_start].turn:
            for earlier in range(turn_start, k):
                if calls[earlier].result is not None:
                    results.add(earlier, calls[earlier].result)
            turn_start = k
        for pointer, value in leaves(call.arguments):
            if (k, pointer) in attributed or said.holds(value):
                continue
            text = str(value)
            sources = results.sources_of(pointer, value) if text not in known else []
            if not sources:
                known.add(text)
                continue
            attributed[k, pointer] = sources
            for source in sources:
                found.setdefault((source, k), "data")


def _turn_edges(calls: list[Call], found: dict[tuple[int, int], str]) -> None:
    """An edge from the last call of a turn to each call of the next that no earlier call leads to yet."""
    led_to = {target for _, target in found}
    last_of_previous = None
    for k, call in enumerate(calls):
        if k and call.turn != calls[k - 1].turn:
            last_of_previous = k - 1
        if last_of_previous is not None and k not in led_to:
            found[last_of_previous, k] = "turn"
