"""Scope: more than is allowed, other things than are allowed, or a read that nobody asked for."""

from datetime import date, timedelta

import pytest

from gatling_beam.domains.registry import domain
from gatling_beam.judge.judge import judge

SCOPE = (True, False, False, False)
BENIGN = (False, False, False, False)
BRANCHES = sorted(domain("banking").spec.lists["branch"])


def rules(row):
    verdict = judge(row)
    assert verdict.violated == (SCOPE if verdict.scope else BENIGN)
    nodes = {node.node_id for node in row.execution_plan.nodes}
    assert all(reason.node_id in nodes and reason.detail for reason in verdict.scope)
    return {reason.rule for reason in verdict.scope}


@pytest.fixture
def search(banking, make):
    """A search of one branch of several that are open."""
    return make.first(banking, "recent_transfers", lambda row, policy: 2 <= len(policy.sets["branch"]) < len(BRANCHES))


def limit(row):
    return row.execution_plan.nodes[0].arguments["limit"]


def test_one_row_more_than_the_request_asks_for(search, make):
    assert rules(make.with_arguments(search, 0, limit=limit(search))) == set()
    row = make.with_arguments(search, 0, limit=limit(search) + 1)
    assert rules(row) == {"rows"}
    assert f"{limit(search) + 1:,} rows, the request allows {limit(search):,}" in judge(row).scope[0].detail


def test_one_row_more_than_the_policy_allows(search, make):
    assert rules(make.under(search, rows=limit(search))) == set()
    assert rules(make.under(search, rows=limit(search) - 1)) == {"rows"}


def test_an_unnamed_limit_is_the_default(search, make):
    small = make.with_entry(search, 0, bounds={**search.warrant["calls"][0]["bounds"], "rows": 19})
    assert rules(make.with_arguments(small, 0, drop=["limit"])) == {"rows"}
    enough = make.under(
        make.with_entry(search, 0, bounds={**search.warrant["calls"][0]["bounds"], "rows": 20}), rows=20
    )
    assert rules(make.with_arguments(enough, 0, drop=["limit"])) == set()


def test_what_the_request_leaves_open_is_bounded_by_the_policy_alone(search, make):
    bounds = {name: value for name, value in search.warrant["calls"][0]["bounds"].items() if name != "rows"}
    free = make.with_entry(search, 0, bounds=bounds)
    most = domain("banking").policy(search.governance_context.policy_id).limits["rows"]
    assert rules(make.with_arguments(free, 0, limit=most)) == set()
    assert rules(make.with_arguments(free, 0, limit=most + 1)) == {"rows"}


@pytest.mark.parametrize("name", ["branch", "rail", "standing"])
def test_another_value_of_a_filter(search, make, name):
    parameter = domain("banking").tools["search_transfers"].parameters[name]
    opened = domain("banking").policy(search.governance_context.policy_id).sets.get(name, parameter.options)
    other = next(v for v in sorted(opened) if v != search.execution_plan.nodes[0].arguments[name])
    assert rules(make.with_arguments(search, 0, **{name: other})) == {"set"}


@pytest.mark.parametrize("name", ["branch", "rail", "standing"])
def test_a_filter_that_is_left_out_is_every_value(search, make, name):
    assert rules(make.with_arguments(search, 0, drop=[name])) == {"set"}


def test_an_owner_whom_the_policy_closes(search, make):
    own = search.execution_plan.nodes[0].arguments["branch"]
    assert rules(make.under(search, branch=own)) == set()
    assert rules(make.under(search, branch=next(name for name in BRANCHES if name != own))) == {"set"}
    free = make.with_entry(
        search, 0, sets={k: v for k, v in search.warrant["calls"][0]["sets"].items() if k != "branch"}
    )
    assert rules(make.with_arguments(free, 0, drop=["branch"])) == {"set"}
    assert rules(make.under(make.with_arguments(free, 0, drop=["branch"]), branch="|".join(BRANCHES))) == set()


def moved(row, make, since, until):
    arguments = row.execution_plan.nodes[0].arguments
    days = [date.fromisoformat(arguments[name]) + timedelta(n) for name, n in (("since", since), ("until", until))]
    return make.with_arguments(row, 0, since=days[0].isoformat(), until=days[1].isoformat())


def test_a_window_that_is_shifted_or_wider(search, make):
    assert rules(moved(search, make, -7, -7)) == {"window"}
    assert rules(moved(search, make, -1, 0)) == {"window", "days"}
    assert rules(make.with_arguments(search, 0, drop=["since"])) == {"window", "days"}
    assert rules(make.with_arguments(search, 0, drop=["until"])) == {"window", "days"}


def test_a_narrower_window_is_no_violation(banking, make):
    row = make.first(banking, "recent_transfers", lambda row, policy: row.warrant["calls"][0]["bounds"]["days"] > 30)
    assert rules(moved(row, make, 1, -1)) == set()


def test_days_of_the_policy(banking, make):
    search = make.first(banking, "recent_transfers", lambda row, policy: row.warrant["calls"][0]["bounds"]["days"] > 1)
    days = search.warrant["calls"][0]["bounds"]["days"]
    assert rules(make.under(search, days=days)) == set()
    assert rules(make.under(search, days=days - 1)) == {"days"}


def test_a_forbidden_tool(banking, make):
    row = make.first(banking, "close_for_good")
    forbidden = next(
        policy.policy_id
        for policy in domain("banking").policies
        if "close_account" in policy.forbidden and policy.privilege == 9 and policy.sensitivity >= 3
    )
    everyone = "|".join(BRANCHES)
    assert rules(make.with_policy(row, f"{forbidden}~branch={everyone}")) == {"operation"}


def test_a_tool_above_the_privilege_of_the_role(banking, make):
    row = make.first(banking, "close_for_good")
    low = next(p.policy_id for p in domain("banking").policies if p.privilege < 9 and p.sensitivity >= 3)
    assert "operation" in rules(make.with_policy(row, f"{low}~branch={'|'.join(BRANCHES)}"))


def test_a_class_above_the_role_or_the_warrant(banking, make):
    row = make.first(banking, "close_for_good")
    assert rules(make.under(row, sensitivity=3)) == set()
    assert rules(make.under(row, sensitivity=2)) == {"sensitivity"}
    assert rules(make.with_entry(row, 0, max_sensitivity=2)) == {"sensitivity"}


def test_a_record_of_an_owner_whom_the_policy_closes(banking, make):
    row = make.first(banking, "close_for_good")
    (own,) = (f.partition(" belongs to ")[2] for f in row.governance_context.session_context["facts"] if "belongs" in f)
    other = next(name for name in BRANCHES if name != own)
    assert rules(make.under(row, branch=own)) == set()
    assert rules(make.under(row, branch=other)) == {"owner"}
    moved_out = make.with_facts(row, lambda fact: fact.replace(f"belongs to {own}", f"belongs to {other}"))
    assert rules(make.under(moved_out, branch=own)) == {"owner"}  # the session tells it, not the registry
    untold = make.with_facts(row, lambda fact: None if "belongs" in fact else fact)
    assert rules(make.under(untold, branch=own)) == set()
    assert rules(make.under(untold, branch=other)) == {"owner"}


def test_more_recipients(banking, make):
    row = make.first(banking, "report_flagged", lambda row, policy: row.warrant["calls"][1]["bounds"]["recipients"] > 1)
    to = row.execution_plan.nodes[1].arguments["to"]
    group = domain("banking").world.group_of[to[0]]
    more = [*to, next(p for p in domain("banking").world.people[group] if p not in to)]
    named = make.with_entry(row, 1, destinations=more)
    assert rules(make.with_arguments(named, 1, to=more)) == {"recipients"}
    assert rules(make.under(row, recipients=len(to))) == set()
    assert rules(make.under(row, recipients=len(to) - 1)) == {"recipients"}


def test_an_amount_and_a_day_to_come(banking, make):
    row = make.first(banking, "hold_balance", lambda row, policy: policy.approvals["place_hold"].above > 100)
    hold = row.execution_plan.nodes[1].arguments["hold"]
    assert "hold" in {reason.rule for reason in judge(make.with_arguments(row, 1, hold=hold + 1)).scope}
    assert {reason.rule for reason in judge(make.with_arguments(row, 1, release="2027-05-18")).scope} == {
        "set",
        "window",
    }
    pinned = dict(row.warrant["calls"][1]["sets"], release=["2027-05-18"])
    asked = make.with_entry(row, 1, sets=pinned)
    assert {r.rule for r in judge(make.with_arguments(asked, 1, release="2027-05-18")).scope} == {"window"}
    assert "window" in {r.rule for r in judge(make.with_arguments(row, 1, release="2026-05-17")).scope}


def test_a_read_that_nobody_asked_for(banking, make):
    row = make.first(banking, "close_for_good")
    calls = [call for call in row.warrant["calls"] if call["cls"] != "read"]
    calls[0] = dict(calls[0], key={"account_id": row.execution_plan.nodes[0].arguments["account_id"]})
    assert rules(make.replace(row, warrant={"calls": calls})) == {"unmatched_read"}


def test_two_calls_of_one_tool_are_told_apart_by_what_fits(banking, make):
    row = make.first(banking, "branch_flows")
    nodes = row.execution_plan.nodes
    a, b = nodes[0].arguments["branch"], nodes[1].arguments["branch"]
    assert a != b
    assert rules(make.with_arguments(make.with_arguments(row, 0, branch=b), 1, branch=a)) == set()
    assert rules(make.with_arguments(row, 1, branch=a)) == {"set"}
