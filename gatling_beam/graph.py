"""Directed graphs over a plan: order, cycles, components, reachability and the spread of taint.

The hot functions work on node positions (0-based) and lists of `(from, to)` positions. Kahn's algorithm (A. B. Kahn,
"Topological sorting of large networks", CACM 5(11), 1962) decides; networkx only names a cycle that was found.
"""

from collections.abc import Iterable, Mapping, Sequence

from gatling_beam.plan import MAX_NODES, ExecutionPlan, TrustTier

Edges = Sequence[tuple[int, int]]


def topological_order(nodes: int, edges: Edges) -> list[int] | None:
    """All positions 0..nodes-1, causes before effects, ties in listed order; None if there is a cycle."""
    if not edges:
        return list(range(nodes))
    following: list[list[int]] = [[] for _ in range(nodes)]
    waiting = [0] * nodes
    for source, target in edges:
        following[source].append(target)
        waiting[target] += 1
    order = [node for node in range(nodes) if not waiting[node]]
    for node in order:
        for target in following[node]:
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    return order if len(order) == nodes else None


def components(nodes: int, edges: Edges) -> list[int]:
    """The weak component of every node, named by its least member."""
    least = list(range(nodes))

    def find(node: int) -> int:
        while least[node] != node:
            least[node] = least[least[node]]
            node = least[node]
        return node

    for source, target in edges:
        a, b = find(source), find(target)
        if a != b:
            least[max(a, b)] = min(a, b)
    return [find(node) for node in range(nodes)]


def reachable(start: Iterable[int], edges: Edges) -> set[int]:
    """The nodes that a path leads to from any node of `start`, which belong to the result themselves."""
    following: dict[int, list[int]] = {}
    for source, target in edges:
        following.setdefault(source, []).append(target)
    seen = set(start)
    stack = list(seen)
    while stack:
        for target in following.get(stack.pop(), ()):
            if target not in seen:
                seen.add(target)
                stack.append(target)
    return seen


def ancestors(node: int, edges: Edges) -> set[int]:
    """The nodes from which a path leads to `node`, without `node` itself unless it lies on a cycle."""
    reversed_edges = [(target, source) for source, target in edges]
    parents = {source for source, target in edges if target == node}
    return reachable(parents, reversed_edges)


def taint(nodes: int, edges: Edges, tiers: Mapping[int, TrustTier]) -> list[TrustTier]:
    """The worst trust tier that reaches each node: its own (USER where `tiers` has none) or that of an ancestor."""
    worst = [tiers.get(node, TrustTier.USER) for node in range(nodes)]
    for tier in (TrustTier.PARTNER, TrustTier.UNVERIFIED_RAG):
        for node in reachable([n for n, own in tiers.items() if own == tier], edges):
            worst[node] = max(worst[node], tier)
    return worst


def positions(plan: ExecutionPlan) -> dict[str, int]:
    """The position of each node id."""
    return {node.node_id: k for k, node in enumerate(plan.nodes)}


def indexed_edges(plan: ExecutionPlan) -> list[tuple[int, int]]:
    """The plan's edges as positions.

    Raises:
      KeyError: for an edge to a node that the plan does not have.
    """
    at = positions(plan)
    return [(at[source], at[target]) for source, target in plan.edges]


def plan_problem(plan: ExecutionPlan, *, connected: bool = True) -> tuple[str, str] | None:
    """What is wrong with the plan's structure, as (reason code, detail); None if nothing is.

    Checked in this order: empty_plan, too_many_nodes (64), duplicate_node_id, dangling_edge, self_loop,
    duplicate_edge, cycle, and, with `connected`, disconnected.
    """
    nodes, edges = plan.nodes, plan.edges
    if not nodes:
        return "empty_plan", "the plan has no nodes"
    if len(nodes) == 1 and not edges:
        return None
    if len(nodes) > MAX_NODES:
        return "too_many_nodes", f"{len(nodes)} nodes, at most {MAX_NODES} are allowed"
    at: dict[str, int] = {}
    for k, node in enumerate(nodes):
        if at.setdefault(node.node_id, k) != k:
            return "duplicate_node_id", f"nodes {at[node.node_id]} and {k} are both called {node.node_id!r}"
    seen = set()
    indexed = []
    for edge in edges:
        source, target = at.get(edge[0]), at.get(edge[1])
        if source is None or target is None:
            return "dangling_edge", f"edge {edge!r} names a node that is not there"
        if source == target:
            return "self_loop", f"edge {edge!r}"
        if edge in seen:
            return "duplicate_edge", f"edge {edge!r}"
        seen.add(edge)
        indexed.append((source, target))
    forward = all(source < target for source, target in indexed)  # then there is no cycle
    if not forward and topological_order(len(nodes), indexed) is None:
        return "cycle", " -> ".join(cycle(plan))
    if connected and len(nodes) > 1:
        parts = components(len(nodes), indexed)
        if any(parts):
            return "disconnected", f"{len(set(parts))} parts, the second begins at {nodes[max(parts)].node_id!r}"
    return None


def cycle(plan: ExecutionPlan) -> list[str]:
    """The node ids of one cycle, first and last the same; [] if there is none."""
    import networkx as nx

    graph = nx.DiGraph(list(plan.edges))
    try:
        found = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return []
    return [found[0][0], *(target for _, target in found)]
