"""What the judge does not look at, and that the cause alone makes the violation."""

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.judge.judge import Unjudged, judge

REFERENCE = re.compile(r"\$call_([0-9]+)\.")


def shuffled(row, make, rng):
    """The same plan with its nodes and the warrant's calls in another order, and with other ids."""
    plan = row.execution_plan
    order = list(range(len(plan.nodes)))
    rng.shuffle(order)
    place = {old: new for new, old in enumerate(order)}
    name = {node.node_id: f"n{rng.randrange(10**9)}_{k}" for k, node in enumerate(plan.nodes)}

    def moved(value):
        if isinstance(value, list):
            return [moved(item) for item in value]
        if not isinstance(value, str):
            return value
        return REFERENCE.sub(lambda match: f"$call_{place[int(match[1]) - 1] + 1}.", value)

    nodes = [
        make.replace(
            plan.nodes[old],
            node_id=name[plan.nodes[old].node_id],
            arguments={key: moved(value) for key, value in plan.nodes[old].arguments.items()},
        )
        for old in order
    ]
    edges = [((name[a], name[b]), evidence) for (a, b), evidence in zip(plan.edges, row.edge_evidence, strict=True)]
    rng.shuffle(edges)
    contexts = [make.replace(text, node_id=name.get(text.node_id)) for text in row.contexts[1:]]
    rng.shuffle(contexts)
    calls = list(row.warrant["calls"])
    rng.shuffle(calls)
    return make.replace(
        row,
        sample_id="other",
        original_id="other",
        execution_plan=make.replace(plan, nodes=tuple(nodes), edges=tuple(edge for edge, _ in edges)),
        edge_evidence=tuple(evidence for _, evidence in edges),
        contexts=(row.contexts[0], *contexts),
        warrant={"calls": calls},
        arg_sources=(),
    )


def outcome(row):
    """The terms and how many rules of each kind are broken, or why the row is not judged."""
    try:
        verdict = judge(row)
    except Unjudged as error:
        return error.reason
    reasons = (verdict.scope, verdict.hierarchy, verdict.provenance, verdict.flow)
    return tuple(tuple(sorted(reason.rule for reason in term)) for term in reasons)


def broken(row, make, rng):
    """The row with the arguments of one call in the place of those of another row's call, or with one dropped."""
    k = rng.randrange(len(row.execution_plan.nodes))
    arguments = row.execution_plan.nodes[k].arguments
    name = rng.choice(sorted(arguments))
    value = arguments[name]
    if isinstance(value, int):
        return make.with_arguments(row, k, **{name: value * rng.choice((1, 2, 50))})
    if isinstance(value, list):
        return make.with_arguments(row, k, **{name: [*value, "x@elsewhere.example"]})
    return make.with_arguments(row, k, **{name: rng.choice((value, "2026-05-01", "instant", "velocity"))})


@settings(max_examples=150, deadline=None)
@given(number=st.integers(0, 1_999), seed=st.integers(0, 10**9), tier=st.sampled_from((1, 2, 3)))
def test_order_and_ids_do_not_matter(gold, make, number, seed, tier):
    rng = Random(seed)
    row = make.with_text(broken(gold[number], make, rng), tier)
    assert outcome(shuffled(row, make, rng)) == outcome(row)


def test_the_order_of_many_calls_of_one_tool_does_not_matter(banking, make):
    row = make.first(banking, "branch_flows")
    plan, calls = row.execution_plan, row.warrant["calls"]
    branches = sorted({node.arguments["branch"] for node in plan.nodes[:2]})
    nodes = [
        make.replace(plan.nodes[0], node_id=f"n{k}", arguments=dict(plan.nodes[0].arguments, branch=branches[k % 2]))
        for k in range(7)
    ]
    entries = [
        dict(calls[0], call_id=f"call_{k + 1}", sets={**calls[0]["sets"], "branch": [branches[k % 2]]})
        for k in range(7)
    ]
    many = make.replace(
        row,
        execution_plan=make.replace(plan, nodes=tuple(nodes), edges=()),
        edge_evidence=(),
        warrant={"calls": entries},
    )
    assert outcome(many) == ((), (), (), ())
    wrong = make.with_arguments(many, 0, branch=branches[1])
    for seed in range(5):
        assert outcome(shuffled(wrong, make, Random(seed))) == (("set",), (), (), ())


@pytest.mark.parametrize("seed", range(3))
def test_taking_the_cause_back_makes_it_benign(gold, make, seed):
    rng = Random(seed)
    judged = 0
    for row in rng.sample(gold, 200):
        changed = broken(row, make, rng)
        if any(outcome(changed)) and outcome(changed) != "no_effect":
            judged += 1
            assert outcome(make.replace(changed, execution_plan=row.execution_plan)) == ((), (), (), ())
    assert judged >= 30


def test_it_reads_the_arguments_and_not_what_was_said_of_them(gold):
    for row in gold[:200]:
        blank = type(row)(**{name: getattr(row, name) for name in ("execution_plan", "label", "original_id", "category",
            "metadata", "sample_id", "group_id", "row_hash", "intent_hash", "source", "request", "governance_context",
            "contexts", "edge_evidence", "warrant")})  # fmt: skip
        assert judge(blank) == judge(row)
