"""A plan that the warrant or the request does not bear out, metadata that is not true, and values of any type."""

import copy
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter
from gatling_beam.validate import trace_problems
from gatling_beam.validate.check import check_trace

TASKS = (
    "open_list",
    "write_off",
    "pay_if_clean",
    "archive_list",
    "invoice_mail",
    "invoice_status",
    "department_totals",
)


def _examples():
    """A trace of each task, as plain objects; those with a window of several days and with an approval."""
    oracle, found = TemplateOracle(11, ["finance"]), {}
    for number in range(4_000):
        trace = oracle.trace(number)
        task, first = trace.metadata["task"], trace.graph.calls[0]
        if task == "pay_if_clean" and "approval_id" not in trace.graph.calls[2].arguments:
            continue
        if task in TASKS and (first.scope.time_range_days or 9) > 5 and task not in found:
            found[task] = msgspec.json.decode(msgspec.json.encode(trace))
    return found


EXAMPLES = _examples()


def call(trace, k=0):
    return trace["graph"]["calls"][k]


def arguments(trace, k=0):
    return call(trace, k)["arguments"]


def warrant(trace, k=0):
    return trace["metadata"]["warrant"][k]


def another(trace, name, options):
    arguments(trace)[name] = next(option for option in options if option != arguments(trace)[name])


def other_department(trace):
    open_to = domain("finance").policy_by_id[trace["policy"]["policy_id"]].sets["department"]
    another(trace, "department", sorted(open_to))


def other_department_in_the_warrant_too(trace):
    other_department(trace)
    warrant(trace)["sets"]["department"] = [arguments(trace)["department"]]


def other_window(trace, *, permitted=False):
    """A window of the same length, eight years earlier."""
    shift = timedelta(3_000)
    for name in ("since", "until"):
        arguments(trace)[name] = (date.fromisoformat(arguments(trace)[name]) - shift).isoformat()
    if permitted:
        warrant(trace)["sets"]["window"] = [arguments(trace)["since"], arguments(trace)["until"]]


def no_window(trace):
    del arguments(trace)["since"], arguments(trace)["until"]
    call(trace)["scope"]["time_range_days"] = None


def add(trace, new):
    trace["graph"]["calls"].append(new)
    trace["graph"]["execution_order"].append(new["call_id"])


def twice(trace, *, permitted=False):
    add(trace, copy.deepcopy(call(trace)) | {"call_id": "call_2"})
    if permitted:
        trace["metadata"]["warrant"].append(warrant(trace) | {"call_id": "call_2"})


def tax_portal(trace, *, permitted=False):
    payload = {"destination": "tax-portal", "table": "$call_1.rows$", "format": "csv"}
    scope = call(trace)["scope"] | {
        "export_target": "tax-portal",
        "time_range_days": None,
        "sensitivity_tier": "public",
    }
    add(
        trace,
        copy.deepcopy(call(trace))
        | {
            "call_id": "call_2",
            "tool_id": "finance.archive_invoices",
            "arguments": payload,
            "scope": scope,
            "dependencies": ["call_1"],
        },
    )
    trace["request"]["expected_scope"]["export_target"] = "tax-portal"
    trace["metadata"].update(edges=[["call_1", "call_2", "data"]], pattern="chain")
    if permitted:
        entry = {"call_id": "call_2", "cls": "egress", "tools": ["finance.archive_invoices"], "max_sensitivity": 1}
        entry |= {"destinations": ["tax-portal"], "sources": {"table": "$call_1.rows$"}}
        trace["metadata"]["warrant"].append(entry)


def drop(trace, k, *, permitted=False):
    gone = trace["graph"]["calls"].pop(k)["call_id"]
    trace["graph"]["execution_order"].remove(gone)
    for other in trace["graph"]["calls"]:
        other["dependencies"] = [name for name in other["dependencies"] if name != gone]
    trace["metadata"].update(edges=[], pattern="single")
    trace["metadata"]["contexts"] = [c for c in trace["metadata"]["contexts"] if c["node_id"] != gone]
    if permitted:
        trace["metadata"]["warrant"] = [w for w in trace["metadata"]["warrant"] if w["call_id"] != gone]


def other_pay_date(trace, *, permitted=False):
    arguments(trace, 2)["pay_date"] = "2026-05-19" if arguments(trace, 2)["pay_date"] != "2026-05-19" else "2026-05-20"
    if permitted:
        warrant(trace, 2)["sets"]["pay_date"] = [arguments(trace, 2)["pay_date"]]


def context(trace):
    return trace["metadata"]["contexts"][0]


def other_tier(trace):
    context(trace)["tier"] = context(trace)["tier"] % 3 + 1


def metadata(**changes):
    return lambda t: t["metadata"].update(changes)


STATUS = ("open", "paid", "disputed", "overdue")
PLANS = [
    ("department", "open_list", other_department, "not_permitted"),
    ("department, warrant too", "open_list", other_department_in_the_warrant_too, "not_asked"),
    ("status", "open_list", lambda t: another(t, "status", STATUS), "not_permitted"),
    ("status, the word", "open_list", lambda t: another(t, "status", STATUS), "not_asked"),
    ("window", "open_list", other_window, "not_permitted"),
    ("window, warrant too", "open_list", lambda t: other_window(t, permitted=True), "not_asked"),
    ("no department", "open_list", lambda t: arguments(t).pop("department"), "scope_wider"),
    ("no window", "open_list", no_window, "scope_wider"),
    ("the same call twice", "open_list", twice, "extra_call"),
    ("the same call twice, warrant too", "open_list", lambda t: twice(t, permitted=True), "repeated_call"),
    ("tax portal", "open_list", tax_portal, "extra_call"),
    ("tax portal, warrant too", "open_list", lambda t: tax_portal(t, permitted=True), "not_asked"),
    ("invented rows", "archive_list", lambda t: arguments(t, 1).update(table="all bank accounts"), "not_asked"),
    ("rows of no call", "archive_list", lambda t: arguments(t, 1).update(table="all bank accounts"), "not_permitted"),
    ("pay date", "pay_if_clean", other_pay_date, "not_permitted"),
    ("pay date, warrant too", "pay_if_clean", lambda t: other_pay_date(t, permitted=True), "not_asked"),
    ("no read", "write_off", lambda t: drop(t, 0), "missing_call"),
    ("no read, warrant too", "write_off", lambda t: drop(t, 0, permitted=True), "not_served"),
    ("no write", "write_off", lambda t: drop(t, 1), "missing_call"),
    ("no write, warrant too", "write_off", lambda t: drop(t, 1, permitted=True), "not_served"),
    ("no warrant", "open_list", metadata(warrant=[]), "warrant_missing"),
    ("a permission twice", "open_list", lambda t: t["metadata"]["warrant"].append(warrant(t)), "duplicate_permission"),
    ("warrant for more rows", "open_list", lambda t: warrant(t)["bounds"].update(rows=99_999), "warrant_wider"),
    ("warrant for fewer rows", "open_list", lambda t: warrant(t)["bounds"].update(rows=0), "scope_wider"),
    ("warrant for another tool", "open_list", lambda t: warrant(t).update(tools=["finance.x"]), "not_permitted"),
    ("another format", "archive_list", lambda t: arguments(t, 1).update(format=_other_format(t)), "not_asked"),
    ("another source", "invoice_status", lambda t: warrant(t, 1).update(sources={}), "not_permitted"),
]


def _other_format(trace):
    text = trace["request"]["text"].lower()
    return next(name for name in ("csv", "xlsx", "json", "pdf") if name not in text)


SCHEMA = [
    ("a text as date", "pay_if_clean", lambda t: arguments(t, 2).update(pay_date="$call_2.text$"), "wrong_type"),
    ("a count as store", "archive_list", lambda t: arguments(t, 1).update(destination="$call_1.count$"), "wrong_type"),
    ("a vendor as amount", "pay_if_clean", lambda t: arguments(t, 2).update(amount="$call_1.vendor$"), "wrong_type"),
    ("a text as invoice", "pay_if_clean", lambda t: arguments(t, 2).update(invoice_id="$call_1.vendor$"), "wrong_type"),
    ("a count as rows", "archive_list", lambda t: arguments(t, 1).update(table="$call_1.count$"), "wrong_type"),
    ("rows and a number", "archive_list", lambda t: arguments(t, 1).update(table=["$call_1.rows$", 7]), "wrong_type"),
    ("words in a list", "open_list", lambda t: arguments(t).update(department=["$call_1.rows$", "x"]), "wrong_type"),
    ("a time as date", "open_list", lambda t: arguments(t).update(since="2026-01-01T00:00:00"), "wrong_type"),
    ("the same person twice", "invoice_mail", lambda t: arguments(t, 1).update(to=arguments(t, 1)["to"] * 2),
     "duplicate_recipient"),
]  # fmt: skip

DECLARED = [
    ("a lower class", "open_list", lambda t: call(t)["scope"].update(sensitivity_tier="public"), "scope_untrue"),
    ("a lower class expected", "open_list",
     lambda t: t["request"]["expected_scope"].update(sensitivity_tier="public"), "scope_wider"),
    ("unknown intent", "open_list", lambda t: t["request"].update(intent_category="steal"), "unknown_intent"),
    ("another role", "open_list", metadata(user_role="owner"), "wrong_role"),
    ("another domain", "open_list", metadata(domain="hr"), "wrong_metadata_domain"),
    ("another world", "open_list", metadata(world_id="hr-1"), "wrong_world"),
    ("unknown register", "open_list", metadata(register="loud"), "unknown_register"),
    ("another pattern", "open_list", metadata(pattern="chain"), "pattern_untrue"),
    ("a text that was changed", "write_off", lambda t: context(t).update(text="Pay me."), "context_changed"),
    ("no texts", "write_off", metadata(contexts=[]), "context_missing"),
    ("a text of no read", "write_off", lambda t: context(t).update(node_id="call_2"), "context_unknown"),
    ("another tier", "write_off", other_tier, "wrong_tier"),
    ("another channel", "write_off", lambda t: context(t).update(channel="the moon"), "wrong_tier"),
    ("unknown type of text", "write_off", lambda t: context(t).update(source_type="web"), "unknown_source_type"),
    ("unknown type of asker", "open_list", lambda t: call(t)["provenance"].update(source_type="web"),
     "unknown_source_type"),
    ("a text nobody read asks", "open_list", lambda t: call(t)["provenance"].update(source_type="unverified_rag"),
     "wrong_source"),
    ("a retrieved request", "open_list", lambda t: t["request"].update(trust_tier="verified_rag"), "wrong_source"),
    ("no edges", "write_off", metadata(edges=[]), "edges_wrong"),
    ("unknown evidence", "write_off", metadata(edges=[["call_1", "call_2", "hunch"]]), "unknown_evidence"),
    ("untrue evidence", "write_off", metadata(edges=[["call_1", "call_2", "data"]]), "evidence_untrue"),
    ("no time", "open_list", lambda t: t.update(created_at="yesterday"), "bad_time"),
    ("no time of the asking", "open_list", lambda t: call(t)["provenance"].update(timestamp=""), "bad_time"),
    ("no trace id", "open_list", lambda t: t.update(trace_id=""), "empty_id"),
    ("no metadata", "open_list", lambda t: t.update(metadata={}), "metadata_missing"),
    ("warrant taken out", "open_list", lambda t: t["metadata"].pop("warrant"), "metadata_missing"),
    ("no session", "open_list", metadata(session=None), "metadata_invalid"),
    ("contexts of text", "open_list", metadata(contexts=["MSG-0001"]), "metadata_invalid"),
    ("edges of text", "open_list", metadata(edges="call_1"), "metadata_invalid"),
    ("a surrogate", "open_list", lambda t: call(t).update(tool_id="finance.\ud800"), "malformed"),
]  # fmt: skip

FAULTS = PLANS + SCHEMA + DECLARED


@pytest.mark.parametrize(("name", "task", "plant", "rule"), FAULTS, ids=[name for name, *_ in FAULTS])
def test_each_fault_is_caught_by_its_rule(name, task, plant, rule):
    trace = copy.deepcopy(EXAMPLES[task])
    assert trace_problems(msgspec.convert(trace, GoldTrace)) == []
    plant(trace)
    broken = msgspec.convert(trace, GoldTrace)
    assert rule in {problem.rule for problem in trace_problems(broken)}
    letter = check_trace(broken)
    assert type(letter) is DeadLetter
    assert msgspec.json.decode(msgspec.json.encode(letter), type=DeadLetter) == letter


def test_every_rule_stands_in_the_page():
    page = (Path(__file__).parents[3] / "docs" / "gold.md").read_text("utf-8")
    assert [rule for *_, rule in FAULTS if rule not in page] == []


def test_traces_of_every_domain_have_no_problem():
    oracle = TemplateOracle(29, domain_names())
    traces = (oracle.trace(number) for number in range(12 * len(domain_names())))
    assert [(t.trace_id, found) for t in traces if (found := trace_problems(t))] == []


def test_a_surrogate_in_the_trace_id_makes_a_dead_letter():
    trace = msgspec.convert(EXAMPLES["open_list"] | {"trace_id": "finance_\udfff"}, GoldTrace)
    letter = check_trace(trace)
    assert letter.reason == "invalid_trace"
    assert letter.location == "finance_\\udfff"


@pytest.mark.parametrize("changes", [{"trace_id": 5}, {"request": None}, {"graph": []}, {"metadata": {"x": object()}}])
def test_fields_of_other_types_are_malformed(changes):
    trace = msgspec.structs.replace(msgspec.convert(EXAMPLES["open_list"], GoldTrace), **changes)
    assert {problem.rule for problem in trace_problems(trace)} == {"malformed"}
    assert type(check_trace(trace)) is DeadLetter


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from(("$call_1.rows$", "$call_1.text$", "call_1", "2026-05-18", "APR-0001")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TASKS), st.integers(0, 2), st.data(), JSON)
def test_any_value_as_an_argument_gives_problems(task, k, data, value):
    trace = copy.deepcopy(EXAMPLES[task])
    own = arguments(trace, k % len(trace["graph"]["calls"]))
    own[data.draw(st.sampled_from(sorted(own)))] = value
    assert type(trace_problems(msgspec.convert(trace, GoldTrace))) is list


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TASKS), st.sampled_from(sorted(EXAMPLES["open_list"]["metadata"])), JSON)
def test_any_value_in_the_metadata_gives_problems(task, key, value):
    trace = copy.deepcopy(EXAMPLES[task])
    trace["metadata"][key] = value
    assert type(trace_problems(msgspec.convert(trace, GoldTrace))) is list


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TASKS), st.sampled_from(("warrant", "contexts", "edges")), st.data(), JSON)
def test_any_value_deep_in_the_metadata_gives_problems(task, key, data, value):
    trace = copy.deepcopy(EXAMPLES[task])
    for entry in trace["metadata"][key]:
        entry[data.draw(st.sampled_from(sorted(entry) if type(entry) is dict else [0, 1, 2]))] = value
    assert type(trace_problems(msgspec.convert(trace, GoldTrace))) is list
