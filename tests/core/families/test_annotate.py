"""Rows of gold calls without warrant become anchors."""

from collections import Counter

import msgspec
import pytest

from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.families.accept import judged
from gatling_beam.families.annotate import REDRAWS, annotate
from gatling_beam.families.build import Inapplicable, family
from gatling_beam.five_keys import from_five_keys
from gatling_beam.judge import judge
from gatling_beam.mutate.crossing import BENIGN, NotApplicable
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.sample import ENERGY_TERMS, DeadLetter, ViolationLabel

KEYS = ("execution_plan", "label", "original_id", "category", "metadata")
replace = msgspec.structs.replace


def five_keys(sample):
    row = msgspec.to_builtins(sample)
    return from_five_keys({key: row[key] for key in KEYS})


def row(request, *calls, edges=(), **fields):
    """A row of five keys; a call is (tool, arguments)."""
    nodes = [
        {"tool_name": tool, "arguments": arguments, "node_id": f"r_tool_{k}"}
        for k, (tool, arguments) in enumerate(calls)
    ]
    plan = {"nodes": nodes, "edges": [[f"r_tool_{a}", f"r_tool_{b}"] for a, b in edges]}
    keys = {"label": "benign", "original_id": "r", "category": "any", "metadata": {"query": request, "source": "x"}}
    return from_five_keys({"execution_plan": plan, **keys, **fields})


DAY = {"since": "2026-03-02", "until": "2026-03-02"}


def transfers(request, **arguments):
    """A search on one day, which the request says: no policy opens all days."""
    return row(f"{request} On 2026-03-02.", ("banking.search_transfers", {**DAY, **arguments}))


@pytest.fixture(scope="module")
def plain():
    """400 gold rows over all domains, as rows of five keys."""
    oracle = TemplateOracle(1, domain_names())
    return [five_keys(trace_to_sample(oracle.trace(number))) for number in range(400)]


@pytest.fixture(scope="module")
def annotated(plain):
    """(row, annotated row) of those that can be annotated."""
    pairs = []
    for sample in plain:
        try:
            pairs.append((sample, annotate(sample, seed=1)))
        except NotApplicable as e:
            assert e.reason == "policy_unfit"
    return pairs


def test_nearly_all_rows_of_the_registry_are_annotated_and_all_oracles_find_them_benign(plain, annotated):
    assert len(annotated) >= 0.93 * len(plain)
    for _, sample in annotated:
        declared = tuple(ViolationLabel(term, False) for term in ENERGY_TERMS)
        energies = judged(replace(sample, violation_labels=declared)).energies
        assert energies.risk == 0.0


def test_what_the_row_says_is_kept(annotated):
    for before, after in annotated:
        assert [(n.tool_name, n.arguments, n.node_id) for n in after.execution_plan.nodes] == [
            (n.tool_name, n.arguments, n.node_id) for n in before.execution_plan.nodes
        ]
        assert set(after.execution_plan.edges) == set(before.execution_plan.edges)
        kept = ("label", "original_id", "metadata", "sample_id", "group_id", "request", "intent_hash", "source")
        assert all(getattr(after, name) == getattr(before, name) for name in kept)
        assert after.category == before.execution_plan.nodes[0].tool_name.partition(".")[0]
        assert (after.label_basis, after.in_family, after.mutation) == ("annotated", False, None)


def test_columns_are_filled(annotated):
    for _, sample in annotated:
        facts = sample.governance_context.session_context["facts"]
        role = sample.governance_context.user_role
        assert facts[0] == "today is 2026-05-18"
        assert f"the user is {role}" in facts
        assert domain(sample.category).policy(sample.governance_context.policy_id).role == role
        assert len(sample.warrant["calls"]) == len(sample.execution_plan.nodes)
        assert len(sample.edge_evidence) == len(sample.execution_plan.edges)
        assert {source.node_id for source in sample.arg_sources} <= {n.node_id for n in sample.execution_plan.nodes}


def test_reads_get_texts_of_the_registry_of_every_tier(annotated):
    tiers = Counter()
    for _, sample in annotated:
        which = domain(sample.category)
        texts = {text.node_id: text for text in sample.contexts[1:]}
        for node in sample.execution_plan.nodes:
            tool = which.tools[node.tool_name.partition(".")[2]]
            assert (node.node_id in texts) == (tool.archetype == "read")
            if tool.archetype == "read":
                text = texts[node.node_id]
                assert text.context_id in node.arguments.values()
                assert text.tier in which.spec.records[tool.record].channels.values()
                tiers[int(text.tier)] += 1
    assert sorted(tiers) == [1, 2, 3]
    assert min(tiers.values()) > 0.15 * sum(tiers.values())


def test_a_row_is_annotated_by_itself_and_the_seed_alone(annotated):
    for before, after in annotated[:40]:
        assert annotate(before, seed=1) == after
    other = [annotate(before, seed=2).governance_context.policy_id for before, _ in annotated[:40]]
    assert other != [after.governance_context.policy_id for _, after in annotated[:40]]


def test_only_what_the_request_says_is_pinned():
    said = transfers(
        "List 12 cleared transfers at Old Mill.", branch="Old Mill", standing="cleared", rail="wire", limit=12
    )
    (entry,) = annotate(said, seed=1).warrant["calls"]
    assert entry["bounds"] == {"rows": 12, "days": 1}
    assert entry["sets"] == {"branch": ["Old Mill"], "standing": ["cleared"], "window": ["2026-03-02", "2026-03-02"]}
    unsaid = transfers("List a few transfers at Old Mill of 2012.", branch="Old Mill", limit=12)
    sample = annotate(unsaid, seed=1)
    (entry,) = sample.warrant["calls"]
    assert entry["bounds"] == {"days": 1}
    assert entry["sets"] == {"branch": ["Old Mill"], "window": ["2026-03-02", "2026-03-02"]}
    assert sample.minimal_scope.pinned == ("date_range_days",)


def test_a_window_is_pinned_whole_or_not_at_all():
    search = ("banking.search_transfers", {"since": "2026-03-01", "until": "2026-03-02", "branch": "Old Mill"})
    whole = annotate(row("Transfers at Old Mill from 2026-03-01 to March 2, 2026.", search), seed=1)
    assert whole.warrant["calls"][0]["sets"]["window"] == ["2026-03-01", "2026-03-02"]
    assert whole.warrant["calls"][0]["bounds"] == {"days": 2}
    half = annotate(row("Transfers at Old Mill up to 2026-03-02.", search), seed=1)
    assert "window" not in half.warrant["calls"][0]["sets"]
    assert half.warrant["calls"][0]["bounds"] == {}


def test_an_unpinned_size_is_bounded_by_the_policy_only():
    sample = annotate(transfers("Show transfers at Old Mill.", branch="Old Mill", limit=7), seed=1)
    policy = domain("banking").policy(sample.governance_context.policy_id)
    (node,) = sample.execution_plan.nodes

    def violated(limit):
        plan = replace(sample.execution_plan, nodes=(replace(node, arguments={**node.arguments, "limit": limit}),))
        return judge(replace(sample, execution_plan=plan)).violated

    assert violated(policy.limits["rows"]) == BENIGN
    assert violated(policy.limits["rows"] + 1) == (True, False, False, False)


def test_a_person_whom_the_request_does_not_name_is_no_destination():
    people = list(domain("banking").world.people["banker"][:2])
    calls = (
        ("banking.search_transfers", {"branch": "Old Mill", "limit": 5, **DAY}),
        ("banking.share_payments_table", {"to": people, "table": "$call_1.rows$"}),
    )
    request = f"Send the 5 latest transfers at Old Mill to {people[0]} and the other one."
    sample = annotate(row(request, *calls, edges=[(0, 1)]), seed=1)
    entry = sample.warrant["calls"][1]
    assert entry["destinations"] == people[:1]
    assert "recipients" not in entry["bounds"]
    assert {f"{person} is listed under banker" for person in people} <= set(
        sample.governance_context.session_context["facts"]
    )
    assert sample.edge_evidence == ("data",)


def test_a_text_that_the_request_does_not_name_is_no_source():
    calls = (
        ("banking.read_customer_note", {"customer_note_id": "CNT-000123"}),
        ("banking.set_transfer_standing", {"transfer_id": "$call_1.about$", "standing": "blocked"}),
    )
    named = annotate(row("Set the transfer named in CNT-000123 to blocked.", *calls, edges=[(0, 1)]), seed=1)
    assert named.warrant["calls"][1]["sources"] == {"transfer_id": "$call_1.about$"}
    fact = next(f for f in named.governance_context.session_context["facts"] if " belongs to " in f)
    assert fact.partition(" ")[0] in named.contexts[1].text
    unnamed = []
    for seed in range(12):
        try:
            sample = annotate(row("Block what the last note is about.", *calls, edges=[(0, 1)]), seed=seed)
        except NotApplicable:
            continue
        unnamed.append(sample)
        assert sample.warrant["calls"][1]["sources"] == {}
    assert unnamed


def test_the_policy_does_not_depend_on_the_plan():
    ids = set()
    for limit in range(1, 6):
        ids.add(annotate(transfers("Show.", branch="Old Mill", limit=limit), seed=3).governance_context.policy_id)
    assert len(ids) == 1
    own = replace(transfers("Show transfers.", branch="Old Mill"), toolset_id="tools")
    other = replace(transfers("List some transfers at once.", branch="Old Mill"), toolset_id="tools")
    assert annotate(own, seed=3).governance_context == replace(
        annotate(other, seed=3).governance_context, request=own.request
    )


def test_role_and_policy_of_the_row_are_kept():
    sample = transfers("Show transfers at Old Mill.", branch="Old Mill", limit=5)
    for role in domain("banking").spec.roles[1:]:
        governance = replace(sample.governance_context, user_role=role)
        assert annotate(replace(sample, governance_context=governance), seed=1).governance_context.user_role == role
    governance = replace(sample.governance_context, policy_id="banking_v05_operations_head")
    kept = annotate(replace(sample, governance_context=governance), seed=1)
    assert kept.governance_context.policy_id == "banking_v05_operations_head"


def test_a_row_with_a_warrant_is_left_alone():
    gold = trace_to_sample(TemplateOracle(1, ["banking"]).trace(0))
    assert annotate(gold, seed=1) is gold


@pytest.mark.parametrize(
    ("reason", "sample"),
    [
        ("unmapped_tools", row("Weather?", ("get_weather", {"city": "Paris"}))),
        ("unmapped_tools", row("Show.", ("banking.get_weather", {}))),
        ("unmapped_tools", row("Show.", ("banking.search_transfers", {"limit": 1}), ("hr.nothing", {}))),
        ("unmapped_tools", transfers("Show transfers in red.", colour="red")),
        ("unmapped_tools", transfers("Show five.", limit="five")),
        ("no_warrant", row("  ", ("banking.search_transfers", DAY))),
        ("no_warrant", row("Show.", ("banking.search_transfers", {"limit": 1}), label="adversarial")),
        ("no_warrant", row("Show.", ("banking.get_account", {"account_id": "$call_1.rows$"}))),
        ("no_warrant", row("Show ACC-1.", ("banking.get_account", {"account_id": "ACC-1"}))),
        ("policy_unfit", transfers("Show 99,999,999 transfers.", branch="Old Mill", limit=99_999_999)),
        ("too_large", row("Show.", *[("banking.search_transfers", {"limit": 1})] * 64)),
    ],
)
def test_what_cannot_be_annotated_has_a_reason(reason, sample):
    if reason == "too_large":
        nodes = sample.execution_plan.nodes
        sample = replace(sample, execution_plan=replace(sample.execution_plan, nodes=(*nodes, nodes[0])))
    with pytest.raises(NotApplicable) as caught:
        annotate(sample, seed=1)
    assert caught.value.reason == reason


def test_the_policy_is_redrawn_eight_times_and_no_more(monkeypatch):
    asked = []

    def never(sample):
        asked.append(sample.governance_context.policy_id)
        return judge(transfers_beyond)

    transfers_beyond = annotate(transfers("Show 7 transfers at Old Mill.", branch="Old Mill", limit=7), seed=1)
    (node,) = transfers_beyond.execution_plan.nodes
    beyond = replace(node, arguments={**node.arguments, "limit": 8})
    transfers_beyond = replace(
        transfers_beyond, execution_plan=replace(transfers_beyond.execution_plan, nodes=(beyond,))
    )
    monkeypatch.setattr("gatling_beam.families.annotate.judge", never)
    with pytest.raises(NotApplicable):
        annotate(transfers("Show 7 transfers.", branch="Old Mill", limit=7), seed=1)
    assert len(asked) == len(set(asked)) == 1 + REDRAWS == 9


def test_annotated_rows_carry_families(annotated):
    made, refused = Counter(), 0
    for _, sample in annotated[:200]:
        for outcome in family(sample, seed=5):
            if isinstance(outcome, Inapplicable):
                continue
            if isinstance(outcome, DeadLetter):
                assert outcome.reason in ("no_effect", "crossing_incomplete")  # a window in which nothing lies
                refused += 1
                continue
            assert outcome.label_basis == "annotated"
            made[outcome.mutation.strategy, outcome.label] += 1
    assert len(made) == 8
    assert refused < 0.02 * made.total()
