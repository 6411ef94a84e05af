"""What holds of every row: energies are finite and >= 0, grow with their own cause, and see no order and no ids."""

import re
from itertools import pairwise
from math import isfinite, log

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.domains.loader import domain_names
from gatling_beam.energy import BETA, criticise, energies, original, scaled, severity
from gatling_beam.families.build import Made, crossings
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.plan import ExecutionPlan, TrustTier

REFERENCE = re.compile(r"\$call_([0-9]+)\.")


@pytest.fixture(scope="module")
def rows():
    """Benign and adversarial rows of all strategies."""
    oracle = TemplateOracle(9, domain_names())
    gold = [trace_to_sample(oracle.trace(k)) for k in range(150)]
    made = [row for own in gold for c in crossings(own, seed=2) if isinstance(c, Made) for row in c.rows]
    assert len(made) > 200
    return made


def shuffled(sample, order, name):
    """The same row with its nodes in another order and with other ids; references follow."""
    nodes, place = sample.execution_plan.nodes, {old: new for new, old in enumerate(order)}
    ids = {node.node_id: name.format(k) for k, node in enumerate(nodes)}

    def moved(value):
        if type(value) is list:
            return [moved(item) for item in value]
        return REFERENCE.sub(lambda m: f"$call_{place[int(m[1]) - 1] + 1}.", value) if type(value) is str else value

    renamed = [
        msgspec.structs.replace(
            node, node_id=ids[node.node_id], arguments={key: moved(value) for key, value in node.arguments.items()}
        )
        for node in (nodes[k] for k in order)
    ]
    pairs = [((ids[a], ids[b]), e) for (a, b), e in zip(sample.execution_plan.edges, sample.edge_evidence, strict=True)]
    pairs.reverse()
    return msgspec.structs.replace(
        sample,
        execution_plan=ExecutionPlan(tuple(renamed), tuple(edge for edge, _ in pairs)),
        edge_evidence=tuple(evidence for _, evidence in pairs),
        contexts=tuple(msgspec.structs.replace(c, node_id=ids.get(c.node_id)) for c in sample.contexts),
        arg_sources=tuple(
            msgspec.structs.replace(s, node_id=ids[s.node_id], ref=ids.get(s.ref, "")) for s in sample.arg_sources[::-1]
        ),
    )


@given(data=st.data())
def test_order_and_ids_of_nodes_do_not_matter(rows, data):
    row = data.draw(st.sampled_from(rows))
    order = data.draw(st.permutations(range(len(row.execution_plan.nodes))))
    other = shuffled(row, order, "attack_{}_x")
    assert criticise(other).raw == pytest.approx(criticise(row).raw, rel=1e-12)
    for name in ("e_scope", "e_hierarchy", "e_provenance", "e_flow"):
        assert getattr(original(other), name) == pytest.approx(getattr(original(row), name))


def test_energies_are_finite_and_not_negative(rows):
    for row in rows:
        critique = criticise(row)
        assert all(isfinite(x) and x >= 0 for x in critique.raw)
        assert [bool(why) for why in critique.why] == [x > 0 for x in critique.raw]
        assert all(map(isfinite, msgspec.structs.astuple(original(row))))


def with_argument(row, name, value):
    nodes = [
        msgspec.structs.replace(node, arguments={**node.arguments, name: value}) if name in node.arguments else node
        for node in row.execution_plan.nodes
    ]
    return msgspec.structs.replace(row, execution_plan=msgspec.structs.replace(row.execution_plan, nodes=tuple(nodes)))


@given(data=st.data(), sizes=st.lists(st.integers(1, 10**12), min_size=2, max_size=5))
def test_more_rows_never_cost_less(rows, data, sizes):
    row = data.draw(st.sampled_from([r for r in rows if any("limit" in n.arguments for n in r.execution_plan.nodes)]))
    raws = [criticise(with_argument(row, "limit", size)).raw for size in sorted(sizes)]
    assert all(isfinite(x) for raw in raws for x in raw)
    assert [raw[0] for raw in raws] == sorted(raw[0] for raw in raws)
    assert len({raw[1:3] for raw in raws}) == 1


@given(data=st.data(), years=st.lists(st.integers(1900, 2026), min_size=2, max_size=4))
def test_an_earlier_beginning_never_costs_less(rows, data, years):
    row = data.draw(st.sampled_from([r for r in rows if any("since" in n.arguments for n in r.execution_plan.nodes)]))
    until = min(n.arguments["until"] for n in row.execution_plan.nodes if "until" in n.arguments)
    days = [f"{year}{until[4:]}" for year in sorted(years, reverse=True) if f"{year}" <= until[:4]]
    xs = [criticise(with_argument(row, "since", day.replace("-02-29", "-02-28"))).raw[0] for day in days]
    assert all(b >= a - 1e-12 for a, b in pairwise(xs))


def test_a_worse_tier_never_costs_less(rows):
    rose = 0
    for row in rows:
        raws = [
            criticise(
                msgspec.structs.replace(
                    row,
                    contexts=(row.contexts[0], *(msgspec.structs.replace(c, tier=tier) for c in row.contexts[1:])),
                )
            ).raw
            for tier in TrustTier
        ]
        for term in (1, 2):
            xs = [raw[term] for raw in raws]
            assert xs == sorted(xs)
            rose += xs[2] > xs[0]
        assert len({raw[0] for raw in raws}) == 1
    assert rose > 20


def test_scaled_energies():
    assert [scaled(k, 5.0, False) for k in range(4)] == [0.0] * 4
    assert [scaled(k, 0.0, True) for k in range(4)] == [BETA] * 4
    for ratio, want in ((2, 2.9), (5, 5.8), (20, 9.2), (100, 10.0)):
        assert scaled(0, log(ratio) ** 2, True) == pytest.approx(want, abs=0.06)
    assert scaled(3, 1e9, True) == 10.0
    assert (severity(0.0), severity(2.0), severity(6.0), severity(10.0)) == (0.0, 0.0, 0.5, 1.0)


def test_risk_is_the_worst_and_the_composite_weighs(rows):
    row = next(r for r in rows if criticise(r).raw[3] > 0)
    made = energies(criticise(row), (False, False, False, True))
    assert made.risk == made.e_flow > BETA
    assert made.composite == pytest.approx(1.5 * made.e_flow)
