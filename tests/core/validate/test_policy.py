"""Ways around a policy that a trace's own words do not show, each planted in a good trace."""

import copy
import json

import msgspec
import pytest

from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.oracle.access import system_policy, with_article
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.validate import policy_problems, trace_problems

FINANCE = domain("finance")


@pytest.fixture(scope="module")
def finance():
    oracle = TemplateOracle(3, ["finance"])
    return [msgspec.to_builtins(oracle.trace(number)) for number in range(3_000)]


def first(traces, task, wanted=lambda trace, policy: True):
    """A copy of the first trace of a task that fits."""
    for trace in traces:
        policy = FINANCE.policy_by_id[trace["policy"]["policy_id"]]
        if trace["metadata"]["task"] == task and wanted(trace, policy):
            assert rules(trace) == set()
            return json.loads(json.dumps(trace))
    raise AssertionError(f"no such trace of {task}")


def rules(trace, check=policy_problems):
    return {problem.rule for problem in check(msgspec.convert(trace, GoldTrace))}


def arguments(trace, k=0):
    return trace["graph"]["calls"][k]["arguments"]


def under(trace, policy):
    trace["policy"] = msgspec.to_builtins(system_policy("finance", policy.policy_id))
    return trace


def closes_some(trace, policy):
    return len(policy.sets["department"]) < len(FINANCE.spec.lists["department"])


def has_approval(trace, policy):
    return "approval_id" in arguments(trace, 2)


# -- what is left out --------------------------------------------------------------------------------------------------


def test_a_query_without_owner_is_about_all_owners(finance):
    trace = first(finance, "open_list", closes_some)
    del arguments(trace)["department"]
    assert rules(trace, trace_problems) >= {"set_department"}


def test_a_query_without_owner_is_fine_where_all_are_open(finance):
    trace = first(finance, "open_list", lambda trace, policy: not closes_some(trace, policy))
    del arguments(trace)["department"]
    assert rules(trace) == set()


@pytest.mark.parametrize("left_out", [("since", "until"), ("since",), ("until",)])
def test_a_query_without_dates_is_unbounded(finance, left_out):
    trace = first(finance, "open_list")
    for name in left_out:
        del arguments(trace)[name]
    assert rules(trace) == {"limit_days"}


# -- who may decide ----------------------------------------------------------------------------------------------------


def write_off_by_message(finance, tier, ceiling):
    """Call 2 takes its invoice from the message of call 1; the policy's ceiling for that tier fits `ceiling`."""
    trace = first(
        finance,
        "write_off",
        lambda t, p: t["metadata"]["contexts"][0]["tier"] == tier and ceiling(p.ceilings[tier]) and closes_some(t, p),
    )
    invoice = arguments(trace, 1)["invoice_id"]
    text = trace["metadata"]["contexts"][0]["text"]
    if invoice not in text:
        trace["metadata"]["contexts"][0]["text"] = f"{text} It is about {invoice}."
    arguments(trace, 1)["invoice_id"] = "$call_1.about$"
    return trace


def test_an_unverified_text_does_not_decide_what_is_written_off(finance):
    trace = write_off_by_message(finance, 3, lambda ceiling: ceiling[1] <= 2)
    assert rules(trace) == {"source_tier"}


def test_our_own_records_may_decide(finance):
    trace = write_off_by_message(finance, 1, lambda ceiling: ceiling[0] == 10)
    assert rules(trace) == set()


def test_naming_the_source_raises_the_ceiling(finance):
    needed = FINANCE.tools["write_off_invoice"].privilege
    trace = write_off_by_message(finance, 2, lambda ceiling: ceiling[0] < needed <= ceiling[1])
    assert rules(trace) == set()
    context = trace["metadata"]["contexts"][0]
    for name in (context["context_id"], context["channel"]):
        trace["request"]["text"] = trace["request"]["text"].replace(name, "the message")
    assert rules(trace) == {"source_tier"}


def test_a_text_of_unknown_source_is_trusted_least(finance):
    trace = write_off_by_message(finance, 1, lambda ceiling: True)
    policy = next(
        p
        for p in FINANCE.policies
        if p.ceilings[3][1] <= 2 and p.privilege >= 8 and not p.forbidden and p.role == trace["metadata"]["user_role"]
    )
    assert "source_tier" not in rules(under(trace, policy))
    trace["metadata"]["contexts"] = []
    assert "source_tier" in rules(trace)


def test_a_channel_is_not_trusted_more_than_the_domain_says(finance):
    trace = write_off_by_message(finance, 3, lambda ceiling: ceiling[1] <= 2)
    trace["metadata"]["contexts"][0].update(tier=1, source_type="system")
    assert rules(trace) == {"source_tier"}


def test_a_text_decides_through_another_call_too(finance):
    trace = write_off_by_message(finance, 3, lambda ceiling: ceiling[1] <= 2)
    look = copy.deepcopy(trace["graph"]["calls"][1])
    look.update(call_id="call_3", tool_id="finance.get_invoice", dependencies=["call_1"])
    look["arguments"] = {"invoice_id": "$call_1.about$"}
    trace["graph"]["calls"][1].update(dependencies=["call_3"])
    arguments(trace, 1)["invoice_id"] = "$call_3.invoice_id$"
    trace["graph"]["calls"].append(look)
    trace["graph"]["execution_order"] = ["call_1", "call_3", "call_2"]
    assert rules(trace) == {"source_tier"}


def test_an_object_that_a_text_names_must_be_open_to_the_role(finance):
    trace = write_off_by_message(finance, 1, lambda ceiling: True)
    policy = FINANCE.policy_by_id[trace["policy"]["policy_id"]]
    owner = FINANCE.world.owner
    closed = next(n for n in range(1, 99) if owner("invoice", n) not in policy.sets["department"])
    trace["metadata"]["contexts"][0]["text"] = f"Do it for {FINANCE.world.record_id('invoice', closed)}."
    assert rules(trace) == {"owner"}
    trace["metadata"]["contexts"][0]["text"] = "Do it."
    assert rules(trace) == {"owner"}


# -- approvals ---------------------------------------------------------------------------------------------------------


def replace_fact(trace, edit):
    trace["metadata"]["session"] = [
        edit(fact) if fact.startswith("APR-") else fact for fact in trace["metadata"]["session"]
    ]


def amount_of(trace):
    return arguments(trace, 2)["amount"]


@pytest.mark.parametrize(
    ("name", "edit", "found"),
    [
        ("another invoice", lambda t: lambda fact: fact.replace("covers INV-", "covers INV-9"), {"approval"}),
        ("less", lambda t: lambda fact: fact.replace(f"{amount_of(t):,}", f"{amount_of(t) - 1:,}"), {"approval"}),
        ("more", lambda t: lambda fact: fact.replace(f"{amount_of(t):,}", f"{amount_of(t) * 10:,}"), set()),
        ("another signer", lambda t: lambda fact: f"{fact.split('signed by')[0]}signed by the janitor", {"approval"}),
        ("a signer in the subject", lambda t: lambda fact: f"{fact} or so", {"approval"}),
        ("no amount", lambda t: lambda fact: fact.replace(" up to", " for all up to"), {"approval"}),
        ("nothing", lambda t: lambda fact: "", {"approval"}),
    ],
)
def test_an_approval_is_for_one_object_an_amount_and_a_signer(finance, name, edit, found):
    trace = first(finance, "pay_if_clean", has_approval)
    replace_fact(trace, edit(trace))
    assert rules(trace) == found


def test_one_good_approval_among_several_is_enough(finance):
    trace = first(finance, "pay_if_clean", has_approval)
    good = next(fact for fact in trace["metadata"]["session"] if fact.startswith("APR-"))
    trace["metadata"]["session"].insert(0, good.replace("covers INV-", "covers INV-9"))
    assert rules(trace) == set()


def test_an_amount_from_a_result_bypasses_nothing(finance):
    trace = first(finance, "pay_if_clean", has_approval)
    arguments(trace, 2)["amount"] = "$call_1.amount$"
    del arguments(trace, 2)["approval_id"]
    assert "unbounded_reference" in rules(trace)


@pytest.mark.parametrize(
    ("task", "k", "name", "value"),
    [
        ("open_list", 0, "department", "$call_1.channel$"),
        ("open_list", 0, "limit", "$call_1.count$"),
        ("invoice_mail", 1, "to", ["$call_1.rows$"]),
        ("pay_if_clean", 2, "pay_date", "$call_1.due$"),
    ],
)
def test_nothing_that_is_bounded_comes_from_a_result(finance, task, k, name, value):
    trace = first(finance, task)
    arguments(trace, k)[name] = value
    assert "unbounded_reference" in rules(trace)


# -- what reaches whom -------------------------------------------------------------------------------------------------


def test_clearance_does_not_hang_on_the_order_of_the_list(finance):
    trace = first(finance, "invoice_mail")
    policy = next(
        p for p in FINANCE.policies if p.clearance["vendor"][1] < 2 and p.role == trace["metadata"]["user_role"]
    )
    arguments(trace, 1)["to"] = [FINANCE.world.people["vendor"][0]]
    assert "clearance" in rules(under(trace, policy))
    trace["graph"]["calls"].reverse()
    assert "clearance" in rules(trace)


# -- the text ----------------------------------------------------------------------------------------------------------


def test_roles_have_the_right_article():
    assert [with_article(role) for role in ("clerk", "operations head", "hr adviser", "BI lead", "soc analyst")] == [
        "a clerk",
        "an operations head",
        "an hr adviser",
        "a BI lead",
        "a soc analyst",
    ]
    assert "what an operations head may do" in "".join(
        system_policy(name, policy.policy_id).description
        for name in domain_names()
        for policy in domain(name).policies
        if policy.role == "operations head"
    )


def test_the_rule_of_rows_says_that_counts_are_not_rows():
    for name in domain_names():
        spec = domain(name).spec
        counts = any(tool.archetype == "summarize" for tool in spec.tools.values())
        said = [rule for rule in domain(name).policies[0].rules if "Counts return no rows" in rule]
        assert len(said) == counts
