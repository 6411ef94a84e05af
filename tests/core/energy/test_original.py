"""The original's formulas: the values that its own code gave."""

from math import log1p

import msgspec
import pytest

from gatling_beam.energy.original import flow, hierarchy, original, provenance, scope
from gatling_beam.plan import ExecutionPlan, ToolCallNode, TrustTier
from gatling_beam.sample import MinimalScope

LEAST = MinimalScope(1, 1, 1, False)


def plan(*nodes, edges=()):
    """`nodes` are (name, arguments, tier, volume, sensitivity)."""
    made = tuple(
        ToolCallNode(name, arguments, TrustTier(tier), "", volume, sensitivity, str(k))
        for k, (name, arguments, tier, volume, sensitivity) in enumerate(nodes)
    )
    return ExecutionPlan(made, tuple((str(a), str(b)) for a, b in edges))


def one(arguments, volume=1, sensitivity=1, name="get_x", tier=1):
    return plan((name, arguments, tier, volume, sensitivity))


def chain(*nodes):
    return plan(*nodes, edges=[(k, k + 1) for k in range(len(nodes) - 1)])


@pytest.mark.parametrize(("sensitivity", "floor"), [(1, 0.08), (2, 0.32), (3, 0.72), (4, 1.28), (5, 2.00)])
def test_the_floor_of_sensitivity(sensitivity, floor):
    assert scope(one({}, sensitivity=sensitivity), LEAST) == pytest.approx(floor)
    assert scope(one({}, sensitivity=sensitivity), MinimalScope(1, 1, 1, True)) == 0.0


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        ({"limit": 10_000}, 9_999**2),
        ({"limit": "500"}, 0.0),  # a text is no number to it
        ({"page_size": 500}, 0.0),
        ({"rows": 500}, 0.0),
        ({"account_id": 4711}, 4710**2),  # "count"
        ({"discount": 3}, 4.0),
        ({"topic_id": 3}, 4.0),  # "top"
        ({"limit": True}, 0.0),  # counts as 1
        ({"days": 365}, 0.5 * 364**2),
        ({"since": "2026-01-01"}, 0.0),
        ({"max_depth": 999}, 0.3 * 998**2),
        ({"level": 3}, 0.3 * 4),
        ({"days": 9, "last_days": 2}, 0.5),  # the last one stands
    ],
)
def test_arguments_as_the_original_read_them(arguments, want):
    assert scope(one(arguments), LEAST) == pytest.approx(want + 0.08)


def test_its_own_bands_of_scope():
    assert scope(one({"limit": 10_000}), LEAST) > 10_000
    assert scope(one({"recursion_depth": 999}), LEAST) > 10
    assert scope(one({"days": 365}), MinimalScope(1, 7, 1, False)) > 5
    assert scope(one({"limit": 100}, 100), MinimalScope(100, 1, 1, True)) == 0.0
    assert scope(one({"limit": 10**300}), LEAST) == pytest.approx(1e24)


@pytest.mark.parametrize(("tier", "h", "p"), [(1, 0.0, 0.0), (2, 0.5, 3.0), (3, 10.0, 12.0)])
def test_hierarchy_and_provenance_by_tier(tier, h, p):
    run = one({}, name="execute_script", tier=tier)  # control flow 1, privilege 6
    assert (hierarchy(run), provenance(run)) == (h, p)


def parts(a, b):
    """The rise of (hierarchy, provenance, scope, flow)."""
    before, after = ((hierarchy(x), provenance(x), scope(x, LEAST), flow(x)) for x in (a, b))
    return tuple(round(y - x, 9) for x, y in zip(before, after, strict=True))


def two(first=(1, 5, 3), second=(1, 5, 3), arguments=None):
    """get -> render, each (tier, volume, sensitivity)."""
    return chain(("get_item", arguments or {}, *first), ("render_item", {}, *second))


def test_what_each_mutation_moves():
    base = two()
    assert parts(base, two(arguments={"limit": 10})) == (0, 0, 9**2 - 4**2, 0)
    assert parts(base, two(arguments={"days": 10})) == (0, 0, 0.5 * 81, 0)
    assert parts(base, two(first=(1, 10, 3))) == (0, 0, 9**2 - 4**2, 0)
    # render shows to the user: no sink cost, a neutral growth of more than 1.5
    assert parts(base, two(second=(1, 10, 3))) == (0, 0, 65, 1.5 * 1.5)
    assert parts(base, two(first=(1, 10, 3), second=(1, 10, 3))) == (0, 0, 65, 0)
    assert parts(base, two(first=(3, 5, 3), second=(3, 5, 3))) == (0, 4, 0, 0)
    assert parts(base, two(first=(3, 5, 3))) == (0, 2, 0, 2.5 * 5.0)
    assert parts(base, two(second=(3, 5, 3))) == (0, 2, 0, 2.5 * 1.0)
    assert parts(base, two(first=(2, 5, 3))) == (0, 0.5, 0, 0)
    assert parts(base, two(first=(1, 5, 4)))[2] == pytest.approx(0.56)
    assert parts(two(first=(1, 5, 2), second=(1, 5, 2)), two(second=(1, 5, 2)))[2] == pytest.approx(0.40)


def test_sinks():
    send = one({}, volume=100, sensitivity=5, name="send_email")
    assert flow(send) == pytest.approx(2.0 * 5.0 * log1p(100))
    assert flow(one({}, volume=100, sensitivity=5, name="show_table")) == 0.0
    assert flow(one({}, name="compress_table")) == 2.0 * 5.0


def test_topology():
    parallel = plan(*[("get_x", {}, 1, 1, 1)] * 5)
    assert flow(parallel) == 24.0  # six for each further part
    loop = plan(*[("get_x", {}, 1, 1, 1)] * 2, edges=[(0, 1), (1, 0)])
    assert flow(loop) == 2.0 * 1.0 + 3.0 * 10.0  # no sink, one cycle
    dangling = ExecutionPlan(one({}).nodes, (("0", "nowhere"),))
    assert flow(dangling) == 3.0 * 5.0


@pytest.mark.parametrize(
    ("name", "want"),
    [("filter_rows", 4.5), ("desktop_view", 4.5), ("join_rows", 0.0), ("expand_top", 0.0), ("map_rows", 2.25)],
)
def test_transformations_by_substring(name, want):
    assert flow(chain(("get_x", {}, 1, 1, 1), (name, {}, 1, 2, 1))) == want


@pytest.mark.parametrize(
    "names",
    [
        ("encrypt_file", "compress_file", "send_file"),
        ("obfuscate_x", "encode_x", "upload_x"),
        ("split_x", "fragment_x", "external_put"),
    ],
)
def test_chains_that_hide(names):
    whole = chain(*[(name, {}, 1, 1, 1) for name in names])
    other = chain(*[(name, {}, 1, 1, 1) for name in (names[1], names[0], names[2])])
    assert flow(whole) - flow(other) == pytest.approx(1.5 * 8.0)
    longest = [("get_x", {}, 1, 1, 1)] * 2 + [(name, {}, 1, 1, 1) for name in names]
    assert flow(chain(*longest)) == pytest.approx(flow(whole))
    too_long = [("get_x", {}, 1, 1, 1), *longest]
    assert flow(chain(*too_long)) == pytest.approx(flow(whole) - 12.0)


def test_a_jump_of_sensitivity_along_an_edge():
    assert flow(two(first=(1, 1, 1), second=(1, 1, 3))) == 0.0
    assert flow(two(first=(1, 1, 1), second=(1, 1, 4))) == 2.5 * 2.0 * 3


def test_the_composite_and_the_default_minimal_scope(make_row, permitted):
    row = make_row([("close_account", {"account_id": "ACC-00000001"})], [], tiers=[3])
    made = original(row)
    assert made.e_scope == pytest.approx(0.08)
    assert made.e_provenance == 2.0 * 4  # by its name a closure is a plain write
    assert made.risk == max(made.e_scope, made.e_hierarchy, made.e_provenance, made.e_flow)
    assert made.composite == pytest.approx(
        0.5 * made.e_scope + made.e_hierarchy + 2 * made.e_provenance + 1.5 * made.e_flow
    )
    wider = msgspec.structs.replace(row, minimal_scope=MinimalScope(1, 1, 1, True))
    assert original(wider).e_scope == 0.0
