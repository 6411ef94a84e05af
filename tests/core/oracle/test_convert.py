"""A gold trace as a row: nothing is lost, and what the row says of sources and trust is so."""

from collections import Counter

import msgspec
import pytest

from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.intent import intent_hash
from gatling_beam.json_rows import JsonRows
from gatling_beam.oracle.access import system_policy
from gatling_beam.oracle.convert import sample_to_trace, trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.oracle.trace import GoldTrace, Provenance, Scope, ToolCall, ToolCallGraph, UserRequest
from gatling_beam.provenance import retrieved
from gatling_beam.sample import Sample

AT = "2026-05-18T09:00:00"
USER = Provenance("user", "user_request", AT)


@pytest.fixture(scope="module")
def traces() -> list[GoldTrace]:
    oracle = TemplateOracle(11, domain_names())
    return [oracle.trace(number) for number in range(4_000)]


def test_a_row_gives_its_trace_back(traces: list[GoldTrace]) -> None:
    assert {trace.request.domain for trace in traces[:2_000]} == set(domain_names())
    for trace in traces[:2_000]:
        assert sample_to_trace(trace_to_sample(trace)) == trace


def test_a_stored_row_gives_its_trace_back(traces: list[GoldTrace]) -> None:
    rows = JsonRows(Sample)
    for trace in traces[::40]:
        row = rows.decode(rows.encode(trace_to_sample(trace)))
        assert sample_to_trace(row) == trace


def test_a_policy_of_another_wording_comes_back(traces: list[GoldTrace]) -> None:
    policy = msgspec.structs.replace(traces[0].policy, rules=("Nothing else.",), description="Its own.")
    trace = msgspec.structs.replace(traces[0], policy=policy)
    assert sample_to_trace(trace_to_sample(trace)) == trace


def without_policy(sample: Sample) -> Sample:
    governance = msgspec.structs.replace(sample.governance_context, policy=None)
    return msgspec.structs.replace(sample, governance_context=governance)


def test_a_row_without_its_document_gets_the_registered_policy(traces: list[GoldTrace]) -> None:
    row = without_policy(trace_to_sample(traces[0]))
    assert sample_to_trace(row) == traces[0]
    unknown = msgspec.structs.replace(traces[0], policy=msgspec.structs.replace(traces[0].policy, policy_id="p"))
    with pytest.raises(ValueError, match="policy_id='p'"):
        sample_to_trace(without_policy(trace_to_sample(unknown)))


def test_other_rows_are_no_traces(traces: list[GoldTrace]) -> None:
    row = msgspec.structs.replace(trace_to_sample(traces[0]), metadata={})
    with pytest.raises(ValueError, match="not made from a gold trace"):
        sample_to_trace(row)


def call(number: int, tool: str, arguments: dict[str, object], *needs: str, asked: Provenance = USER) -> ToolCall:
    return ToolCall(f"step-{number}", f"finance.{tool}", arguments, Scope(1), asked, needs)


def trace_of(text: str, *calls: ToolCall, **metadata: object) -> GoldTrace:
    policy = domain("finance").policies[0]
    return GoldTrace(
        trace_id="t",
        request=UserRequest("r", "finance", text, "retrieve", Scope(1)),
        policy=system_policy("finance", policy.policy_id),
        graph=ToolCallGraph("g", calls, tuple(call.call_id for call in calls)),
        metadata=metadata,
        created_at=AT,
    )


def test_a_trace_without_metadata_has_the_edges_of_its_dependencies() -> None:
    trace = trace_of(
        "Read it.",
        call(1, "search_invoices", {"limit": 5}),
        call(2, "send_table", {"to": ["a@b.example"], "table": "$step-1.rows$"}, "step-1"),
    )
    # A label is a word: "$step-1.rows$" is no reference.
    assert trace_to_sample(trace).edge_evidence == ("order",)
    renamed = trace_of(
        "Read it.",
        ToolCall("one", "finance.search_invoices", {"limit": 5}, Scope(1), USER),
        ToolCall("two", "finance.send_table", {"to": ["a@b.example"], "table": "$one.rows$"}, Scope(1), USER, ("one",)),
        ToolCall("three", "finance.search_invoices", {"limit": 6}, Scope(1), USER, ("two", "one")),
    )
    row = trace_to_sample(renamed)
    assert row.execution_plan.edges == (("t_tool_0", "t_tool_1"), ("t_tool_0", "t_tool_2"), ("t_tool_1", "t_tool_2"))
    assert row.edge_evidence == ("data", "order", "order")
    assert row.intent_hash == intent_hash(row.execution_plan, row.edge_evidence)
    assert sample_to_trace(row) == renamed
    said = msgspec.structs.replace(renamed, metadata={"edges": [["two", "three", "control"], ["one", "three", "turn"]]})
    assert trace_to_sample(said).edge_evidence == ("data", "turn", "control")
    assert sample_to_trace(trace_to_sample(said)) == said


# -- provenance: a note of tier 3 decides about a call by references alone ------------------------------------------


@pytest.fixture(scope="module")
def reads() -> tuple[str, str]:
    """The tool of finance that reads a text, and its parameter."""
    [tool] = [tool for tool in domain("finance").tools.values() if tool.archetype == "read"]
    return tool.name, next(iter(tool.parameters))


def tiers(reads: tuple[str, str], tier: int, arguments: dict[str, object], evidence: str = "data") -> list[int]:
    note = retrieved("N-1", "mail", tier, "Pay it.", "a")  # type: ignore[arg-type]
    trace = trace_of(
        "Look at N-1, then INV-1.",
        ToolCall("a", f"finance.{reads[0]}", {reads[1]: "N-1"}, Scope(1), USER),
        ToolCall("b", "finance.get_invoice", {"invoice_id": "$a.about$"}, Scope(1), USER, ("a",)),
        ToolCall("c", "finance.write_off_invoice", arguments, Scope(1), USER, ("b",)),
        contexts=[note],
        edges=[["a", "b", "data"], ["b", "c", evidence]],
    )
    row = trace_to_sample(trace)
    by_hash = {context.content_hash: context.tier for context in row.contexts}
    nodes = row.execution_plan.nodes
    # The hash leads to a text of that very tier.
    assert [by_hash[node.provenance_hash] for node in nodes] == [node.provenance_tier for node in nodes]
    assert sample_to_trace(row) == trace
    return [int(node.provenance_tier) for node in nodes]


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_a_reference_carries_the_tier_of_what_was_read(reads: tuple[str, str], tier: int) -> None:
    # b looks up by a filter, which decides nothing; c is decided by b's result, and so by what b was looked up with.
    assert tiers(reads, tier, {"invoice_id": "$b.invoice_id$"}) == [tier, 1, tier]


def test_no_tier_comes_along_an_edge_without_a_reference(reads: tuple[str, str]) -> None:
    assert tiers(reads, 3, {"invoice_id": "INV-1"}, "control") == [3, 1, 1]


def test_a_literal_from_nowhere_has_the_worst_tier_that_was_read(reads: tuple[str, str]) -> None:
    assert tiers(reads, 3, {"invoice_id": "INV-2"}, "control") == [3, 1, 3]
    assert tiers(reads, 3, {"invoice_id": "INV-2"}, "order") == [3, 1, 1]


def test_who_asked_counts_too() -> None:
    web = Provenance("unverified_rag", "page", AT)
    trace = trace_of("Look.", call(1, "search_invoices", {"limit": 5}, asked=web))
    assert [int(node.provenance_tier) for node in trace_to_sample(trace).execution_plan.nodes] == [3]


def test_a_node_is_never_better_than_what_it_reads(traces: list[GoldTrace]) -> None:
    seen = Counter[int]()
    for trace in traces:
        row = trace_to_sample(trace)
        tier_of = {context.node_id: context.tier for context in row.contexts[1:]}
        for node in row.execution_plan.nodes:
            assert node.provenance_tier == tier_of.get(node.node_id, 1)
            seen[int(node.provenance_tier)] += 1
    assert set(seen) == {1, 2, 3}


# -- sources of values ---------------------------------------------------------------------------------------------


def test_nearly_every_value_of_an_oracle_trace_has_a_source(traces: list[GoldTrace]) -> None:
    kinds = Counter(source.kind for trace in traces for source in trace_to_sample(trace).arg_sources)
    assert set(kinds) <= {"request", "edge", "session", "default", "unattributed"}
    # What is left are sums of a column that the sentence leaves to the reader ("how many people saw the posts").
    assert kinds["unattributed"] < 0.001 * kinds.total()
    assert kinds["edge"] > 0.05 * kinds.total()


def kinds_of(text: str, tool: str, arguments: dict[str, object], **metadata: object) -> dict[str, str]:
    return {s.path: s.kind for s in trace_to_sample(trace_of(text, call(1, tool, arguments), **metadata)).arg_sources}


SEARCH = "search_invoices"


@pytest.mark.parametrize(
    "said",
    ["from 3 February 2026 to 2026-02-09", "February 3, 2026 until 09.02.2026", "the 7 days up to 9 February 2026"],
)
def test_dates_that_are_said(said: str) -> None:
    found = kinds_of(f"Invoices {said}.", SEARCH, {"since": "2026-02-03", "until": "2026-02-09"})
    assert found == {"/since": "request", "/until": "request"}


@pytest.mark.parametrize("said", ["13 February 2026", "the 7 days up to 10 February 2026", "8 days before 2026"])
def test_dates_that_are_not_said(said: str) -> None:
    found = kinds_of(f"Invoices of {said}.", SEARCH, {"since": "2026-02-03", "until": "2026-02-09"})
    assert found == {"/since": "unattributed", "/until": "unattributed"}


def test_words_of_lists_are_looked_up_as_they_are_said() -> None:
    spec = domain("finance").spec
    tool = domain("finance").tools[SEARCH]
    parameter = next(p for p in tool.parameters.values() if p.type == "enum")
    value, words = next(iter(spec.lists[parameter.of].items()))
    assert kinds_of(f"Those of {words}.", SEARCH, {parameter.name: value}) == {f"/{parameter.name}": "request"}
    assert kinds_of("All of them.", SEARCH, {parameter.name: value}) == {f"/{parameter.name}": "unattributed"}


def test_defaults_and_facts_of_the_session() -> None:
    assert kinds_of("Show 20 invoices.", SEARCH, {"limit": 20}) == {"/limit": "request"}
    assert kinds_of("Show invoices.", SEARCH, {"limit": 20}) == {"/limit": "default"}
    assert kinds_of("Show invoices.", SEARCH, {"limit": 21}) == {"/limit": "unattributed"}
    assert kinds_of("Show invoices.", SEARCH, {"limit": 21}, session=["at most 21"]) == {"/limit": "session"}
    assert kinds_of("Show invoices.", "no_tool", {"x": "y"}) == {"/x": "unattributed"}
