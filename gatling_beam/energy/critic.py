"""The raw energies of a plan: 0.0 exactly where nothing exceeds, else by how much, with the reasons."""

import msgspec

from gatling_beam.energy.flow import flow_excess
from gatling_beam.energy.hierarchy import hierarchy_excess
from gatling_beam.energy.matching import match
from gatling_beam.energy.provenance import provenance_excess
from gatling_beam.energy.reading import Call, Row
from gatling_beam.energy.scope import UNMATCHED_READ, scope_excess
from gatling_beam.sample import Sample
from gatling_beam.warrant import PermittedCall


class Critique(msgspec.Struct, frozen=True):
    """`raw` holds the raw energies >= 0 and finite, `why` the reasons, both in the order of `sample.ENERGY_TERMS`."""

    raw: tuple[float, float, float, float]
    why: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]


#: The raw energies that one call adds, with the reasons of each term.
_Excess = tuple[tuple[float, float, float, float], tuple[list[str], ...]]
_PERMITTED = Critique((0.0, 0.0, 0.0, 0.0), ((), (), (), ()))


def criticise(sample: Sample) -> Critique:
    """The critique of a row that has a warrant, a policy and tools of a domain.

    Raises:
      NoCritique: for a row that lacks one of these.
    """
    row = Row(sample)
    seen: dict[tuple[int, int], _Excess] = {}

    def cost(call: Call, entry: PermittedCall) -> float:
        excess = seen[call.at, id(entry)] = _excess(row, call, entry)
        return sum(excess[0])

    matched = match(row, cost)
    if matched is None:
        return _PERMITTED
    raw = [0.0, 0.0, 0.0, 0.0]
    why: tuple[list[str], ...] = ([], [], [], [])
    for call, entry in zip(row.calls, matched, strict=True):
        own, reasons = seen.get((call.at, id(entry))) or _excess(row, call, entry)
        for term in range(4):
            raw[term] += own[term]
            why[term].extend(reasons[term])
    return Critique((raw[0], raw[1], raw[2], raw[3]), (tuple(why[0]), tuple(why[1]), tuple(why[2]), tuple(why[3])))


def _excess(row: Row, call: Call, entry: PermittedCall | None) -> _Excess:
    """What one call adds to each term. Of a call outside the warrant only what it is and where it sends counts."""
    view = call.view
    why: tuple[list[str], ...] = ([], [], [], [])
    flow = flow_excess(row, call, entry, why[3]) if view.tool.cls == "egress" else 0.0
    if entry is not None:
        provenance = provenance_excess(row, call, entry, why[2]) if view.is_effectful else 0.0
        return (scope_excess(row, call, entry, why[0]), 0.0, provenance, flow), why
    if view.is_effectful:
        return (0.0, hierarchy_excess(row, call, why[1]), 0.0, flow), why
    why[0].append(f"{call.node_id}: {view.tool.name} reads what nobody asked for")
    return (UNMATCHED_READ, 0.0, 0.0, 0.0), why
