import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.graph import (
    ancestors,
    components,
    cycle,
    indexed_edges,
    plan_problem,
    reachable,
    taint,
    topological_order,
)
from gatling_beam.plan import ExecutionPlan, ToolCallNode, TrustTier

graphs = st.integers(1, 9).flatmap(
    lambda n: st.tuples(
        st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=14, unique=True)
    )
)


def plan(n, edges=(), names=None):
    names = names or [f"r_tool_{k}" for k in range(n)]
    nodes = tuple(ToolCallNode("get", {}, TrustTier.USER, "h", 1, 1, name) for name in names)
    return ExecutionPlan(nodes, tuple((names[a], names[b]) for a, b in edges))


def graph(n, edges):
    g = nx.DiGraph()
    g.add_nodes_from(range(n))
    g.add_edges_from(edges)
    return g


@given(graphs)
def test_order_exists_exactly_where_networkx_sees_no_cycle(case):
    n, edges = case
    order = topological_order(n, edges)
    assert (order is not None) == nx.is_directed_acyclic_graph(graph(n, edges))
    if order is not None:
        assert sorted(order) == list(range(n))
        at = {node: k for k, node in enumerate(order)}
        assert all(at[a] < at[b] for a, b in edges)


def test_free_nodes_keep_their_listed_order():
    assert topological_order(5, []) == [0, 1, 2, 3, 4]
    assert topological_order(4, [(3, 0)]) == [1, 2, 3, 0]


@given(graphs)
def test_components_agree_with_networkx(case):
    n, edges = case
    part = components(n, edges)
    want = {node: min(members) for members in nx.weakly_connected_components(graph(n, edges)) for node in members}
    assert part == [want[node] for node in range(n)]


@given(graphs)
def test_reachability_agrees_with_networkx(case):
    n, edges = case
    g = graph(n, edges)
    assert reachable([0], edges) == nx.descendants(g, 0) | {0}
    assert ancestors(0, edges) - {0} == nx.ancestors(g, 0)


@given(graphs, st.dictionaries(st.integers(0, 8), st.sampled_from(list(TrustTier)), max_size=4))
def test_taint_is_the_worst_tier_that_reaches_a_node(case, tiers):
    n, edges = case
    tiers = {node: tier for node, tier in tiers.items() if node < n}
    g = graph(n, edges)
    want = [max([tiers.get(m, TrustTier.USER) for m in nx.ancestors(g, node) | {node}]) for node in range(n)]
    assert taint(n, edges, tiers) == want


@given(graphs)
def test_a_plan_is_refused_exactly_where_it_is_no_simple_connected_dag(case):
    n, edges = case
    g = graph(n, edges)
    good = nx.is_directed_acyclic_graph(g) and nx.is_weakly_connected(g)
    problem = plan_problem(plan(n, edges))
    assert (problem is None) == good
    loose = plan_problem(plan(n, edges), connected=False)
    assert (loose is None) == nx.is_directed_acyclic_graph(g)


def test_the_named_cycle_is_one():
    p = plan(4, [(0, 1), (1, 2), (2, 1), (2, 3)])
    assert cycle(p) in (["r_tool_1", "r_tool_2", "r_tool_1"], ["r_tool_2", "r_tool_1", "r_tool_2"])
    reason, detail = plan_problem(p)
    assert reason == "cycle"
    assert "r_tool_1 -> r_tool_2" in detail or "r_tool_2 -> r_tool_1" in detail
    assert cycle(plan(3, [(0, 1), (1, 2)])) == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (ExecutionPlan(()), "empty_plan"),
        (plan(65, [(k, k + 1) for k in range(64)]), "too_many_nodes"),
        (plan(2, names=["a", "a"]), "duplicate_node_id"),
        (ExecutionPlan(plan(1).nodes, (("r_tool_0", "elsewhere"),)), "dangling_edge"),
        (plan(1, [(0, 0)]), "self_loop"),
        (ExecutionPlan(plan(2).nodes, (("r_tool_0", "r_tool_1"),) * 2), "duplicate_edge"),
        (plan(2), "disconnected"),
    ],
)
def test_each_fault_has_its_reason(bad, reason):
    assert plan_problem(bad)[0] == reason


def test_sixty_four_nodes_are_a_plan():
    assert plan_problem(plan(64, [(k, k + 1) for k in range(63)])) is None


def test_indexed_edges_are_positions():
    assert indexed_edges(plan(3, [(0, 2), (1, 2)])) == [(0, 2), (1, 2)]
