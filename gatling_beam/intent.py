"""Hashes of what a plan does: equal for two plans that make the same calls, whatever their row, language or data set.

The canonical form is the list of calls in canonical topological order (tool name NFKC-casefolded, arguments sorted,
values canonical) with the edges that carry something: `order` edges only keep a plan connected and do not enter, nor do
ids, source, request and language.
"""

import heapq
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from gatling_beam.graph import Edges, indexed_edges, topological_order
from gatling_beam.hashing import digest
from gatling_beam.json_value import canonical_value, json_text
from gatling_beam.plan import ExecutionPlan


@lru_cache(maxsize=1 << 16)
def canonical_name(tool_name: str) -> str:
    """The tool name in NFKC and without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", tool_name).casefold())


def canonical_call(tool_name: str, arguments: dict[str, Any]) -> str:
    """One call as a text that is equal for equal calls."""
    return json_text([canonical_name(tool_name), canonical_value(arguments)])


def call_shape(tool_name: str, arguments: dict[str, Any]) -> str:
    """One call without its values: the tool and the names of its arguments."""
    return json_text([canonical_name(tool_name), sorted(arguments)])


def canonical_order(calls: Sequence[str], edges: Edges) -> list[int]:
    """A topological order of `calls` that does not depend on the order in which they are listed.

    Among the calls that are free, the least by (its text and those of all its causes, those of all its effects) comes
    first.

    Raises:
      ValueError: if the edges form a cycle.
    """
    if not edges:
        return sorted(range(len(calls)), key=calls.__getitem__)
    order = topological_order(len(calls), edges)
    if order is None:
        raise ValueError("the edges form a cycle")
    parents: list[list[int]] = [[] for _ in calls]
    children: list[list[int]] = [[] for _ in calls]
    for source, target in edges:
        parents[target].append(source)
        children[source].append(target)
    causes, effects = [""] * len(calls), [""] * len(calls)
    for node in order:
        causes[node] = digest(calls[node], *sorted(causes[p] for p in parents[node]))
    for node in reversed(order):
        effects[node] = digest(calls[node], *sorted(effects[c] for c in children[node]))
    waiting = [len(p) for p in parents]
    heap: list[tuple[str, str, list[int], int]] = [(causes[n], effects[n], [], n) for n in order if not waiting[n]]
    heapq.heapify(heap)
    result: list[int] = []
    place: dict[int, int] = {}
    while heap:
        node = heapq.heappop(heap)[3]
        place[node] = len(result)
        result.append(node)
        for child in children[node]:
            waiting[child] -= 1
            if not waiting[child]:
                # equal calls with equal causes are told apart by which of these stand first
                heapq.heappush(heap, (causes[child], effects[child], sorted(place[p] for p in parents[child]), child))
    return result


def hash_calls(purpose: str, calls: Sequence[str], edges: Edges) -> str:
    """The hash of canonical calls and the edges between them, 32 hexadecimal digits."""
    if not edges:
        return digest(purpose, *sorted(calls))
    order = canonical_order(calls, edges)
    rank = {node: k for k, node in enumerate(order)}
    links = sorted((rank[source], rank[target]) for source, target in edges)
    return digest(purpose, *(calls[node] for node in order), json_text(links))


def carrying_edges(plan: ExecutionPlan, edge_evidence: Sequence[str]) -> list[tuple[int, int]]:
    """The edges that carry a value or influence, as positions: all but those of evidence `order`."""
    return [edge for edge, evidence in zip(indexed_edges(plan), edge_evidence, strict=True) if evidence != "order"]


def intent_hash(plan: ExecutionPlan, edge_evidence: Sequence[str]) -> str:
    """The dedup key: 32 hexadecimal digits, equal for plans that make the same calls with the same values.

    Args:
      plan: an acyclic plan.
      edge_evidence: one of `sample.EDGE_EVIDENCE` for each edge.
    """
    calls = [canonical_call(node.tool_name, node.arguments) for node in plan.nodes]
    return hash_calls("intent", calls, carrying_edges(plan, edge_evidence))


def shape_hash(plan: ExecutionPlan, edge_evidence: Sequence[str]) -> str:
    """The looser key: equal for plans that call the same tools with the same argument names, whatever the values."""
    calls = [call_shape(node.tool_name, node.arguments) for node in plan.nodes]
    return hash_calls("shape", calls, carrying_edges(plan, edge_evidence))
