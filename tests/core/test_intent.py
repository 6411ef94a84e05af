import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.intent import canonical_call, canonical_order, hash_calls, intent_hash, shape_hash
from gatling_beam.plan import ExecutionPlan, ToolCallNode, TrustTier


def plan(calls, edges=(), prefix="a", tier=TrustTier.USER):
    ids = [f"{prefix}_{k}" for k in range(len(calls))]
    nodes = tuple(
        ToolCallNode(name, arguments, tier, "hash", 1, 1, own)
        for (name, arguments), own in zip(calls, ids, strict=True)
    )
    return ExecutionPlan(nodes, tuple((ids[a], ids[b]) for a, b in edges))


CALLS = [("find_train", {"to": "Pavia", "limit": 5}), ("book_train", {"seat": 1.0}), ("mail", {"body": "caf\u00e9"})]


def test_what_means_the_same_hashes_the_same():
    base = intent_hash(plan(CALLS), ())
    written_otherwise = [
        ("Find_Train", {"limit": 5.0, "to": "Pavia"}),
        ("\uff42ook_train", {"seat": 1}),
        ("mail", {"body": "cafe\u0301"}),
    ]
    assert intent_hash(plan(written_otherwise), ()) == base
    assert intent_hash(plan(CALLS, prefix="other", tier=TrustTier.UNVERIFIED_RAG), ()) == base
    assert intent_hash(plan(list(reversed(CALLS))), ()) == base
    assert intent_hash(plan(CALLS, [(0, 1), (1, 2)]), ("order", "order")) == base


@pytest.mark.parametrize(
    "other",
    [
        [("find_train", {"to": "pavia", "limit": 5}), *CALLS[1:]],
        [("find_train", {"to": "Pavia", "limit": "5"}), *CALLS[1:]],
        [("find_train", {"to": "Pavia"}), *CALLS[1:]],
        [("find_train", {"to": "Pavia", "limit": True}), *CALLS[1:]],
        [*CALLS, CALLS[0]],
        CALLS[:2],
    ],
)
def test_what_means_something_else_hashes_otherwise(other):
    assert intent_hash(plan(other), ()) != intent_hash(plan(CALLS), ())


def test_data_edges_enter_with_their_direction_and_ends():
    hashes = {
        intent_hash(plan(CALLS, edges), ("data",) * len(edges))
        for edges in ([], [(0, 1)], [(1, 0)], [(0, 2)], [(0, 1), (1, 2)], [(0, 1), (0, 2)])
    }
    assert len(hashes) == 6


def test_shape_forgets_values_and_keeps_names():
    other = [("find_train", {"to": "Rho", "limit": 9}), ("book_train", {"seat": 2}), ("mail", {"body": "x"})]
    assert shape_hash(plan(CALLS), ()) == shape_hash(plan(other), ())
    assert shape_hash(plan(CALLS), ()) != shape_hash(plan([("find_train", {"to": "Rho"}), *other[1:]]), ())
    assert shape_hash(plan(CALLS), ()) != intent_hash(plan(CALLS), ())


dags = st.integers(1, 7).flatmap(
    lambda n: st.tuples(
        st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=n, max_size=n),
        st.lists(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1]),
            max_size=10,
            unique=True,
        )
        if n > 1
        else st.just([]),
        st.integers(0, 2**32),
    )
)


@given(dags)
def test_the_hash_does_not_depend_on_how_nodes_are_listed(case):
    calls, edges, seed = case
    unlike = [f"{call}{k}" for k, call in enumerate(calls)]
    shuffled = list(range(len(calls)))
    random.Random(seed).shuffle(shuffled)
    at = {old: new for new, old in enumerate(shuffled)}
    moved = [(at[a], at[b]) for a, b in edges]
    assert hash_calls("x", [unlike[k] for k in shuffled], moved) == hash_calls("x", unlike, edges)
    order = canonical_order([calls[k] for k in shuffled], moved)
    assert sorted(order) == list(range(len(calls)))
    place = {node: k for k, node in enumerate(order)}
    assert all(place[a] < place[b] for a, b in moved)


def test_equal_calls_are_told_apart_by_their_causes():
    twice = ["A", "A", "B", "B"]
    assert hash_calls("x", twice, [(0, 2), (1, 3)]) == hash_calls("x", twice, [(0, 3), (1, 2)])
    assert hash_calls("x", twice, [(0, 2), (1, 3)]) != hash_calls("x", twice, [(0, 2), (0, 3)])
    three = ["A", "A", "A", "B", "B", "B"]
    pairs = [(0, 3), (0, 4), (1, 5), (2, 5)]
    assert hash_calls("x", three, pairs) == hash_calls("x", three, [(2, 5), (2, 3), (0, 4), (1, 4)])


def test_a_cycle_has_no_canonical_order():
    with pytest.raises(ValueError, match="cycle"):
        canonical_order(["a", "b"], [(0, 1), (1, 0)])


def test_the_hash_is_pinned():
    """A change here changes every dedup key that was ever stored."""
    assert canonical_call("Get_X", {"b": 1.0, "a": [True, None]}) == '["get_x",{"a":[true,null],"b":1}]'
    assert intent_hash(plan(CALLS[:1]), ()) == "1d0940d85a28e0d1cd8934d25d7097d5"
