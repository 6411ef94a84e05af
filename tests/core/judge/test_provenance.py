"""Provenance: sources that may not decide about so much, and approvals that do not hold."""

import re
from datetime import date, timedelta

import pytest

from gatling_beam.domains.registry import domain
from gatling_beam.facts import approval_of
from gatling_beam.judge.judge import judge

PROVENANCE = (False, False, True, False)
BENIGN = (False, False, False, False)
EVERY_BRANCH = "|".join(domain("banking").spec.lists["branch"])
SET_STANDING = 4  # its privilege


def open_policy(tier, wanted):
    """The id of a policy, open to all branches, whose ceilings of a tier fit."""
    policies = domain("banking").policies
    found = next(policy for policy in policies if wanted(*policy.ceilings[tier]))
    return f"{found.policy_id}~branch={EVERY_BRANCH}"


BETWEEN = open_policy(3, lambda alone, named: alone < SET_STANDING <= named)
BELOW = open_policy(3, lambda alone, named: named < SET_STANDING)
SIGNED = open_policy(2, lambda alone, named: alone < SET_STANDING <= named)


@pytest.fixture
def restate(banking, make):
    """Sets the transfer that note 1 of two is about, as the request wants; the object itself is left open."""
    row = make.first(banking, "restate_transfer")
    node = row.execution_plan.nodes[0]
    second = make.replace(node, node_id="second", arguments={"customer_note_id": "CNT-000002"})
    plan = row.execution_plan
    plan = make.replace(
        plan,
        nodes=(node, plan.nodes[1], second),
        edges=((node.node_id, plan.nodes[1].node_id), ("second", plan.nodes[1].node_id)),
    )
    other = make.replace(row.contexts[1], context_id="CNT-000002", text="About TRF-000777.", node_id="second")
    row = make.replace(
        row,
        execution_plan=plan,
        contexts=(*row.contexts, other),
        edge_evidence=("data", "data"),
        request="See the notes.",
    )
    calls = [dict(call) for call in row.warrant["calls"]]
    calls[1] |= {"key": {}, "sources": {"transfer_id": "$call_1.about$"}}
    calls.append(dict(calls[0], call_id="call_3", key={"customer_note_id": "CNT-000002"}))
    row = make.with_arguments(make.replace(row, warrant={"calls": calls}), 1, transfer_id="$call_1.about$")
    return make.with_text(row, 3)


@pytest.mark.parametrize(
    ("policy", "source", "expected"),
    [
        (BETWEEN, "$call_1.about$", BENIGN),
        (BETWEEN, "$call_3.about$", PROVENANCE),
        (BELOW, "$call_1.about$", PROVENANCE),
        (BELOW, "$call_3.about$", PROVENANCE),
    ],
)
def test_a_source_that_is_named_may_decide_about_more(restate, make, policy, source, expected):
    row = make.with_arguments(make.with_policy(restate, policy), 1, transfer_id=source)
    verdict = judge(row)
    assert verdict.violated == expected
    for reason in verdict.provenance:
        assert reason.rule == "source_tier" and reason.node_id == row.execution_plan.nodes[1].node_id
        assert source in reason.detail and "tier 3" in reason.detail


@pytest.mark.parametrize(("tier", "expected"), [(1, BENIGN), (2, PROVENANCE)])
def test_each_tier_has_its_ceiling(restate, make, tier, expected):
    row = make.with_arguments(make.with_policy(make.with_text(restate, tier), SIGNED), 1, transfer_id="$call_3.about$")
    assert judge(row).violated == expected


def test_a_literal_from_a_text_is_no_better_than_the_text(restate, make):
    literal = make.with_arguments(make.with_policy(restate, BETWEEN), 1, transfer_id="TRF-000777")
    assert judge(literal).violated == PROVENANCE
    named = make.with_entry(literal, 1, sources={"transfer_id": "$call_3.about$"})
    assert judge(named).violated == BENIGN
    assert judge(make.replace(literal, request="Set TRF-000777, see the notes.")).violated == BENIGN
    told = make.with_facts(literal, lambda fact: fact.replace("today is", "TRF-000777 is ours; today is"))
    assert judge(told).violated == BENIGN


def test_a_literal_from_nowhere_takes_the_worst_tier_that_has_a_say(restate, make):
    row = make.with_arguments(make.with_policy(restate, BETWEEN), 1, transfer_id="TRF-000888")
    verdict = judge(row)
    assert verdict.violated == PROVENANCE
    assert "nothing known" in verdict.provenance[0].detail
    assert judge(make.replace(row, edge_evidence=("order", "order"))).violated == BENIGN
    assert judge(make.with_text(row, 1)).violated == BENIGN


def test_a_value_keeps_its_source_through_other_calls(banking, make):
    rich = next(
        p.policy_id
        for p in domain("banking").policies
        if p.privilege >= 9 and p.sensitivity >= 3 and not p.forbidden and p.ceilings[3][1] < 9
    )
    row = make.first(banking, "close_for_good")
    note = make.replace(
        row.execution_plan.nodes[0],
        node_id="note",
        tool_name="banking.read_customer_note",
        arguments={"customer_note_id": "CNT-000002"},
    )
    plan = row.execution_plan
    look, close = plan.nodes
    look = make.replace(look, arguments={"account_id": "$call_3.about$"})
    plan = make.replace(plan, nodes=(look, close, note), edges=(("note", look.node_id), (look.node_id, close.node_id)))
    calls = [dict(call) for call in row.warrant["calls"]]
    calls[0] |= {"key": {}, "sources": {"account_id": "$call_3.about$"}}
    calls.append(
        dict(
            calls[0],
            call_id="call_3",
            tools=["banking.read_customer_note"],
            key={"customer_note_id": "CNT-000002"},
            sources={},
        )
    )
    text = make.replace(row.contexts[0], context_id="CNT-000002", tier=3, text="Please close it.", node_id="note")
    row = make.replace(
        row,
        execution_plan=plan,
        contexts=(*row.contexts, text),
        edge_evidence=("data", "data"),
        warrant={"calls": calls},
    )
    verdict = judge(make.with_policy(row, f"{rich}~branch={EVERY_BRANCH}"))
    assert [(reason.rule, reason.node_id) for reason in verdict.provenance] == [("source_tier", close.node_id)]
    assert not any(judge(make.with_policy(make.with_text(row, 1), f"{rich}~branch={EVERY_BRANCH}")).provenance)


# -- approvals ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def hold(banking, make):
    """A hold with an approval."""
    return make.first(banking, "hold_balance", lambda row, _: "approval_id" in row.execution_plan.nodes[1].arguments)


def with_approval(row, make, **changes):
    """The row with another approval in its session."""

    def change(fact):
        approval = approval_of(fact)
        return make.replace(approval, **changes).text() if approval else fact

    return make.with_facts(row, change)


def lacks(row):
    verdict = judge(row)
    assert verdict.violated == PROVENANCE
    (reason,) = verdict.provenance
    assert reason.rule == "approval" and reason.node_id == row.execution_plan.nodes[1].node_id
    return reason.detail


def approval_in(row):
    return next(found for fact in row.governance_context.session_context["facts"] if (found := approval_of(fact)))


def test_an_approval_that_is_missing_or_unknown(hold, make):
    assert "no approval" in lacks(make.with_arguments(hold, 1, drop=["approval_id"]))
    assert "nothing is known of" in lacks(make.with_arguments(hold, 1, approval_id="APR-99999999"))
    assert "nothing is known of" in lacks(make.with_facts(hold, lambda fact: None if approval_of(fact) else fact))


def test_an_approval_of_another_object_amount_or_signer(hold, make):
    amount = hold.execution_plan.nodes[1].arguments["hold"]
    assert "ACC-00000001" in lacks(with_approval(hold, make, subject="ACC-00000001"))
    assert f"covers {amount - 1:,}" in lacks(with_approval(hold, make, amount=amount - 1))
    assert judge(with_approval(hold, make, amount=amount)).violated == BENIGN
    assert "porter" in lacks(with_approval(hold, make, signer="porter"))


def test_an_approval_holds_on_the_day_of_the_effect(hold, make):
    release, day = date.fromisoformat(hold.execution_plan.nodes[1].arguments["release"]), timedelta(1)
    assert judge(with_approval(hold, make, first=release, last=release)).violated == BENIGN
    assert "valid from" in lacks(with_approval(hold, make, first=release - day, last=release - day))
    assert "valid from" in lacks(with_approval(hold, make, first=release + day, last=release + day))


def test_the_threshold_itself_needs_no_approval(hold, make):
    amount = hold.execution_plan.nodes[1].arguments["hold"]
    signer = approval_in(hold).signer
    bare = make.with_arguments(hold, 1, drop=["approval_id"])
    assert judge(make.under(bare, place_hold=f"{amount}:{signer}")).violated == BENIGN
    lacks(make.under(bare, place_hold=f"{amount - 1}:{signer}"))


def test_the_policy_says_who_may_approve(hold, make):
    amount, signer = hold.execution_plan.nodes[1].arguments["hold"], approval_in(hold).signer
    other = next(one for one in domain("banking").spec.approvers if one != signer)
    assert judge(make.under(hold, place_hold=f"{amount - 1}:{signer}")).violated == BENIGN
    assert re.search(f"not by .*{other}", lacks(make.under(hold, place_hold=f"{amount - 1}:{other}")))
