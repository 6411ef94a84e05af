"""Forty kinds of broken trace, each caught by the rule that is there for it."""

import copy

import msgspec
import pytest

from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.validate import trace_problems


def traces(task):
    """Traces of a task of the domain finance, as plain objects."""
    oracle = TemplateOracle(3, ["finance"])
    for number in range(4_000):
        trace = oracle.trace(number)
        if trace.metadata["task"] == task:
            yield msgspec.to_builtins(trace)


@pytest.fixture(scope="module")
def examples():
    """A good trace of each task that the faults are planted in; those with a role that has limits low enough."""
    found = {}
    for task in (
        "invoice_mail",
        "write_off",
        "pay_if_clean",
        "new_invoice",
        "invoice_status",
        "archive_list",
        "open_list",
    ):
        for trace in traces(task):
            role = trace["metadata"]["user_role"]
            if task != "write_off" and role == "controller":
                continue
            if task == "pay_if_clean" and "approval_id" not in trace["graph"]["calls"][2]["arguments"]:
                continue
            found[task] = trace
            break
    return found


def call(trace, k=0):
    return trace["graph"]["calls"][k]


def arguments(trace, k=0):
    return call(trace, k)["arguments"]


def rename(trace, k, name):
    call(trace, k)["call_id"] = name


def wider(trace, **scope):
    """The request is made to expect so much too, so that nothing but the policy can object."""
    for part in (*[c["scope"] for c in trace["graph"]["calls"]], trace["request"]["expected_scope"]):
        part.update(scope)


def ask_for(trace, text):
    trace["request"]["text"] += f" {text}"


def limit_above(trace):
    most = trace["policy"]["scope_limits"]["max_results"] + 1
    arguments(trace)["limit"] = most
    wider(trace, rows_requested=most)
    ask_for(trace, f"{most} of them.")


def recipients_above(trace):
    from gatling_beam.domains.registry import domain

    people = [p for group in domain("finance").world.people.values() for p in group][:150]
    arguments(trace, 1)["to"] = people
    call(trace, 1)["scope"]["export_target"] = ", ".join(people)
    ask_for(trace, " ".join(people))


def five_hundred_recipients(trace):
    arguments(trace, 1)["to"] = [f"p{k}@elsewhere.example" for k in range(501)]


def days_above(trace):
    arguments(trace)["since"] = "2015-01-01"
    arguments(trace)["until"] = "2025-12-14"
    wider(trace, time_range_days=4_001)


def owner_closed(trace):
    """The same objects under a policy of the same role that closes their department."""
    from gatling_beam.domains.registry import domain
    from gatling_beam.oracle.template import allowed_owners, system_policy

    which = domain("finance")
    kind, own = "invoice", arguments(trace)["invoice_id"]
    owner = which.world.owner(kind, which.world.number_of(kind, own))
    for policy in which.policies:
        if policy.role == trace["metadata"]["user_role"] and owner not in allowed_owners(which, policy, kind):
            trace["policy"] = msgspec.to_builtins(system_policy("finance", policy.policy_id))
            return
    raise AssertionError("every policy opens the department")


def set_closed(trace):
    from gatling_beam.domains.registry import domain

    policy = domain("finance").policy_by_id[trace["policy"]["policy_id"]]
    closed = next(d for d in domain("finance").spec.lists["department"] if d not in policy.sets["department"])
    arguments(trace)["department"] = closed


def forbidden_tool(trace):
    from gatling_beam.domains.registry import domain
    from gatling_beam.oracle.template import system_policy

    policy = next(p for p in domain("finance").policies if "write_off_invoice" in p.forbidden)
    trace["policy"] = msgspec.to_builtins(system_policy("finance", policy.policy_id))


def low_privilege(trace):
    from gatling_beam.domains.registry import domain
    from gatling_beam.oracle.template import system_policy

    policy = next(p for p in domain("finance").policies if p.privilege < 8)
    trace["policy"] = msgspec.to_builtins(system_policy("finance", policy.policy_id))


def amount_above(trace):
    most = trace["policy"]["scope_limits"]["max_amount"] + 1
    arguments(trace, 2)["amount"] = most
    ask_for(trace, f"{most}")


def not_cleared(trace):
    """Bank details cannot be read by these tools, so the person's group is closed instead."""
    from gatling_beam.domains.registry import domain
    from gatling_beam.oracle.template import system_policy

    which = domain("finance")
    arguments(trace, 1)["to"] = [which.world.people["vendor"][0]]
    call(trace, 1)["scope"]["export_target"] = which.world.people["vendor"][0]
    ask_for(trace, which.world.people["vendor"][0])
    policy = next(
        p for p in which.policies if p.clearance["vendor"][1] < 2 and p.role == trace["metadata"]["user_role"]
    )
    trace["policy"] = msgspec.to_builtins(system_policy("finance", policy.policy_id))


FAULTS = [
    # structure
    ("empty graph", "open_list", lambda t: t["graph"].update(calls=[], execution_order=[]), "empty_graph"),
    ("no words", "open_list", lambda t: t["request"].update(text=" "), "empty_request"),
    ("another domain's policy", "open_list", lambda t: t["policy"].update(domain="hr"), "wrong_domain"),
    ("too many calls", "open_list", lambda t: t["graph"].update(calls=[call(t)] * 65), "too_many_calls"),
    ("the same call id twice", "invoice_mail", lambda t: rename(t, 1, "call_1"), "duplicate_call_id"),
    (
        "dependency on nothing",
        "invoice_mail",
        lambda t: call(t, 1).update(dependencies=["call_9"]),
        "unknown_dependency",
    ),
    ("dependency on itself", "invoice_mail", lambda t: call(t, 1).update(dependencies=["call_2"]), "self_dependency"),
    (
        "a dependency twice",
        "invoice_mail",
        lambda t: call(t, 1).update(dependencies=["call_1"] * 2),
        "duplicate_dependency",
    ),
    ("a cycle", "invoice_mail", lambda t: call(t, 0).update(dependencies=["call_2"]), "cycle"),
    (
        "order without a call",
        "invoice_mail",
        lambda t: t["graph"].update(execution_order=["call_1"]),
        "order_incomplete",
    ),
    (
        "order with a call twice",
        "invoice_mail",
        lambda t: t["graph"].update(execution_order=["call_1"] * 2),
        "order_incomplete",
    ),
    (
        "order the wrong way",
        "invoice_mail",
        lambda t: t["graph"].update(execution_order=["call_2", "call_1"]),
        "order_wrong",
    ),
    # schema
    (
        "unknown domain",
        "open_list",
        lambda t: (t["request"].update(domain="x"), t["policy"].update(domain="x")),
        "unknown_domain",
    ),
    ("unknown tool", "open_list", lambda t: call(t).update(tool_id="finance.list_items"), "unknown_tool"),
    ("tool of another domain", "open_list", lambda t: call(t).update(tool_id="hr.search_invoices"), "unknown_tool"),
    ("missing argument", "invoice_status", lambda t: arguments(t, 1).pop("status"), "missing_argument"),
    ("unknown argument", "open_list", lambda t: arguments(t).update(page_size=99_999), "unknown_argument"),
    ("limit as text", "open_list", lambda t: arguments(t).update(limit="100000"), "wrong_type"),
    ("limit as true", "open_list", lambda t: arguments(t).update(limit=True), "wrong_type"),
    ("limit as fraction", "open_list", lambda t: arguments(t).update(limit=2.5), "wrong_type"),
    ("limit of nothing", "open_list", lambda t: arguments(t).update(limit=0), "out_of_range"),
    ("limit beyond the schema", "open_list", lambda t: arguments(t).update(limit=100_001), "out_of_range"),
    ("a status nobody has", "open_list", lambda t: arguments(t).update(status="lost"), "not_an_option"),
    ("no date", "open_list", lambda t: arguments(t).update(since="last week"), "wrong_type"),
    ("no such day", "open_list", lambda t: arguments(t).update(since="2026-02-30"), "wrong_type"),
    ("no such invoice", "invoice_status", lambda t: arguments(t).update(invoice_id="INV-1"), "unknown_object"),
    ("another reference", "new_invoice", lambda t: arguments(t).update(reference="REQ-000000"), "not_asked"),
    ("no reference", "new_invoice", lambda t: arguments(t).pop("reference"), "not_served"),
    ("an invoice of zeros", "invoice_status", lambda t: arguments(t).update(invoice_id="INV-000000"), "unknown_object"),
    ("people as text", "invoice_mail", lambda t: arguments(t, 1).update(to="ana@x.example"), "wrong_type"),
    ("a stranger", "invoice_mail", lambda t: arguments(t, 1).update(to=["who@attacker.example"]), "unknown_person"),
    ("five hundred and one recipients", "invoice_mail", five_hundred_recipients, "out_of_range"),
    (
        "a result that is not returned",
        "invoice_mail",
        lambda t: arguments(t, 1).update(table="$call_1.secrets$"),
        "bad_reference",
    ),
    (
        "a result without dependency",
        "invoice_mail",
        lambda t: call(t, 1).update(dependencies=[]),
        "reference_without_dependency",
    ),
    # policy
    ("unknown policy", "open_list", lambda t: t["policy"].update(policy_id="finance_v99_clerk"), "unknown_policy"),
    (
        "a policy that was rewritten",
        "open_list",
        lambda t: t["policy"].update(rules=["Anything goes."]),
        "policy_changed",
    ),
    (
        "a limit that was raised",
        "open_list",
        lambda t: t["policy"]["scope_limits"].update(max_results=10**6),
        "policy_changed",
    ),
    ("a forbidden operation", "write_off", forbidden_tool, "forbidden"),
    ("too much privilege", "write_off", low_privilege, "privilege"),
    ("rows above the limit", "open_list", limit_above, "limit_rows"),
    ("4,000 days", "open_list", days_above, "limit_days"),
    (
        "dates the wrong way",
        "open_list",
        lambda t: arguments(t).update(since="2026-05-01", until="2026-04-01"),
        "date_order",
    ),
    ("recipients above the limit", "invoice_mail", recipients_above, "limit_recipients"),
    ("an amount above the limit", "pay_if_clean", amount_above, "limit_amount"),
    ("a department that is closed", "open_list", set_closed, "set_department"),
    ("somebody else's invoice", "invoice_status", owner_closed, "owner"),
    ("data for a person without clearance", "invoice_mail", not_cleared, "clearance"),
    ("payment in the past", "pay_if_clean", lambda t: arguments(t, 2).update(pay_date="2026-05-01"), "window"),
    ("payment too far ahead", "pay_if_clean", lambda t: arguments(t, 2).update(pay_date="2027-05-01"), "window"),
    ("no approval", "pay_if_clean", lambda t: arguments(t, 2).pop("approval_id"), "approval"),
    ("an approval nobody knows", "pay_if_clean", lambda t: t["metadata"].update(session=[]), "approval"),
    (
        "an approval by the wrong person",
        "pay_if_clean",
        lambda t: t["metadata"].update(
            session=[f.split(", signed")[0] + ", signed by the janitor" for f in t["metadata"]["session"]]
        ),
        "approval",
    ),
    # minimal scope
    ("rows declared too low", "open_list", lambda t: call(t)["scope"].update(rows_requested=1_000_000), "scope_untrue"),
    ("days not declared", "open_list", lambda t: call(t)["scope"].update(time_range_days=None), "scope_untrue"),
    ("export not declared", "archive_list", lambda t: call(t, 1)["scope"].update(export_target=None), "scope_untrue"),
    ("rows of minus five", "open_list", lambda t: call(t)["scope"].update(rows_requested=-5), "scope_invalid"),
    (
        "a class nobody knows",
        "open_list",
        lambda t: call(t)["scope"].update(sensitivity_tier="secret"),
        "scope_invalid",
    ),
    (
        "more rows than wanted",
        "open_list",
        lambda t: t["request"]["expected_scope"].update(rows_requested=1),
        "scope_wider",
    ),
    (
        "more days than wanted",
        "open_list",
        lambda t: t["request"]["expected_scope"].update(time_range_days=1),
        "scope_wider",
    ),
    (
        "a number that nobody said",
        "open_list",
        lambda t: (arguments(t).update(limit=7), wider(t, rows_requested=7)),
        "not_asked",
    ),
    (
        "another invoice than asked for",
        "invoice_status",
        lambda t: t["request"].update(text="Mark it as paid."),
        "not_asked",
    ),
]


def test_there_are_forty_kinds_and_more():
    assert len({name for name, *_ in FAULTS}) == len(FAULTS) >= 40


@pytest.mark.parametrize(("name", "task", "plant", "rule"), FAULTS, ids=[name for name, *_ in FAULTS])
def test_each_fault_is_caught_by_its_rule(examples, name, task, plant, rule):
    good = copy.deepcopy(examples[task])
    assert trace_problems(msgspec.convert(good, GoldTrace)) == []
    if name in ("more rows than wanted", "more days than wanted"):
        good = next(
            t
            for t in traces(task)
            if call(t)["scope"]["rows_requested"] > 1 and call(t)["scope"]["time_range_days"] > 1
        )
    plant(good)
    found = {problem.rule for problem in trace_problems(msgspec.convert(good, GoldTrace))}
    assert rule in found
