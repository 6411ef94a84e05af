import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.errors import FILTERS, REASONS
from gatling_beam.graph import plan_problem
from gatling_beam.intent import intent_hash
from gatling_beam.normalize import MAX_ROW_BYTES, normalize_row
from gatling_beam.sample import ARGUMENT_SOURCES, EDGE_EVIDENCE, DeadLetter, Drop, Sample, SourceRow
from gatling_beam.sources import names, source

TOOLS = [
    {"name": "find", "parameters": {"city": {"type": "str"}, "limit": {"type": "int, optional", "default": 50}}},
    {"name": "mail", "parameters": {"to": {"type": "str"}, "body": {"type": "str"}}},
]


def xlam(answers, query="Find hotels in Pavia", tools=TOOLS, **more):
    row = {"id": 7, "query": query, "answers": json.dumps(answers), "tools": json.dumps(tools), **more}
    return SourceRow("xlam", json.dumps(row).encode(), "a.json:3", "dataset", "train", "abc")


def call(name="find", **arguments):
    return {"name": name, "arguments": arguments}


def normalized(row, **more):
    return normalize_row(row, source(row.source), **more)


def test_a_row_becomes_the_stored_form_that_consumers_read():
    sample = normalized(xlam([call(city="Pavia"), call("mail", to="ana@example.com", body="Hi")]))
    plan = sample.execution_plan
    assert [node.node_id for node in plan.nodes] == ["7_tool_0", "7_tool_1"]
    assert plan.edges == (("7_tool_0", "7_tool_1"),)
    assert sample.edge_evidence == ("order",)
    assert (sample.label, sample.original_id, sample.category) == ("benign", "7", "function_calling")
    assert sample.metadata == {
        "source": "Salesforce/xlam-function-calling-60k",
        "query": "Find hotels in Pavia",
        "num_tools": 2,
    }
    first = plan.nodes[0]
    assert (first.tool_name, first.arguments, first.provenance_tier) == ("find", {"city": "Pavia"}, 1)
    assert first.scope_volume == 50  # the schema's default: the call leaves the limit out
    assert first.provenance_hash == sample.contexts[0].content_hash
    assert sample.contexts[0].text == sample.request == sample.governance_context.request
    assert sample.intent_hash == intent_hash(plan, sample.edge_evidence)
    assert json.loads(sample.toolset) == TOOLS
    assert (sample.source.name, sample.source.revision, sample.source.row_id) == ("xlam", "abc", "a.json:3")
    assert sample.source.gated and sample.source.licence == "cc-by-4.0"
    assert sample.split is None


def test_every_argument_says_where_it_comes_from():
    sample = normalized(xlam([call(city="pavia", limit=50), call("mail", to="bo@example.com", body="")]))
    assert [(a.node_id, a.path, a.kind) for a in sample.arg_sources] == [
        ("7_tool_0", "/city", "request"),
        ("7_tool_0", "/limit", "default"),
        ("7_tool_1", "/to", "unattributed"),
        ("7_tool_1", "/body", "unattributed"),
    ]


def test_translations_meet_in_the_intent_hash():
    turkish = {
        "query": "Pavia'da otel bul",
        "tools": json.dumps([{"type": "function", "function": tool} for tool in TOOLS]),
        "answers": json.dumps([{"function": call(city="Pavia", limit=5.0)}]),
    }
    row = SourceRow("turkish", json.dumps(turkish).encode(), "b.parquet:0")
    assert normalized(row).intent_hash == normalized(xlam([call(limit=5, city="Pavia")])).intent_hash
    assert normalized(row).language == "tr"


def test_oddities_are_kept_and_counted():
    notes = {}
    tools = [{"name": "find", "parameters": {"city": {"type": "wibble"}}}]
    sample = normalized(xlam([call(city="Pavia", colour="red")], tools=tools), notes=notes)
    assert sample.execution_plan.nodes[0].arguments == {"city": "Pavia", "colour": "red"}
    assert notes == {"undeclared_argument": 1, "unknown_type_word": 1}


def test_a_row_without_calls_is_counted():
    assert normalized(xlam([])) == Drop("xlam", "no_call")


def test_a_prefix_of_a_longer_row_is_filtered():
    row = xlam([call()])
    superseded = SourceRow(row.source, row.data, row.location, superseded=True)
    assert normalized(superseded) == Drop("xlam", "filtered", "prefix_row")


def deep(levels):
    value = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (xlam([call(city=2**64)]), "int_out_of_range"),
        (xlam([call(city=float("nan"))]), "non_finite"),
        (xlam([call(city="\ud800")]), "lone_surrogate"),
        (xlam([call(city="a\x00b")]), "nul_character"),
        (xlam([call(city=deep(70))]), "too_deep"),
        (xlam([call(city="x" * 1_000_001)]), "too_large"),
        (xlam([call(city="x" * MAX_ROW_BYTES)]), "too_large"),
        (xlam([call()], query="x" * 2_000_000), "too_large"),
        (xlam([call()], query=" \n"), "no_request"),
        (xlam([call()], query="a\ud800"), "lone_surrogate"),
        (xlam([call()], query=5), "wrong_type"),
        (xlam([call("steal")]), "undeclared_tool"),
        (xlam([call("fi\x07nd")], tools=None), "bad_tool_name"),
        (xlam([call("x" * 257)], tools=None), "bad_tool_name"),
        (xlam([{"arguments": {}}]), "bad_call"),
        (xlam([5]), "bad_call"),
        (xlam(["find"]), "bad_call"),
        (xlam([{"name": "find", "arguments": "{broken"}]), "bad_arguments"),
        (xlam([{"name": "find", "arguments": [1]}]), "bad_arguments"),
        (xlam([call(k=k) for k in range(65)], tools=None), "too_many_nodes"),
        (xlam([call()], tools=[{"name": "find", "x": float("inf")}]), "non_finite"),
        (xlam([call()], tools=[{"name": "find", "x": "\ud800"}]), "lone_surrogate"),
        (xlam([call()], tools="nonsense: ["), "not_json"),
        (SourceRow("xlam", b'{"id": 1, "query": "q"}', "a:0"), "missing_column"),
        (SourceRow("xlam", b'{"id": 1, "query": "q"', "a:0"), "not_json"),
        (SourceRow("xlam", b"\xff\xfe", "a:0"), "not_json"),
        (SourceRow("xlam", b"[1]", "a:0"), "wrong_type"),
        (SourceRow("xlam", b'{"id": 1, "id": 2}', "a:0"), "duplicate_key"),
        (SourceRow("xlam", b'{"id" : 1, "id" : 2}', "a:0"), "duplicate_key"),
        (
            SourceRow(
                "xlam",
                b'{"query": "q", "tools": "[]", "answers": "[{\\"name\\": \\"a\\", \\"arguments\\":'
                b' {\\"to\\": \\"ana\\", \\"to\\": \\"eve\\"}}]"}',
                "a:0",
            ),
            "duplicate_key",
        ),
        (SourceRow("xlam", b"[" * 100_000, "a:0"), "too_deep"),
        (SourceRow("xlam", b"", "a:0"), "not_json"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_broken_row_has_its_reason(row, reason):
    dead = normalized(row)
    assert isinstance(dead, DeadLetter)
    assert (dead.reason, dead.stage, dead.source, dead.location) == (reason, "normalize", "xlam", row.location)
    assert len(dead.payload) <= 2_000 and len(dead.detail) <= 500
    json.dumps([dead.payload, dead.detail], ensure_ascii=False).encode()


def test_call_ids_may_repeat_between_messages_and_not_within_one():
    def row(*turns):
        tool = {"name": "find", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
        messages = [{"role": "user", "content": "Find hotels"}]
        for calls in turns:
            made = [
                {"id": own, "type": "function", "function": {"name": "find", "arguments": {"city": city}}}
                for own, city in calls
            ]
            messages += [{"role": "assistant", "tool_calls": made}, {"role": "user", "content": "More"}]
        data = {"metadata": "train", "tools": [{"function": tool}], "messages": messages}
        return SourceRow("mobile_actions", json.dumps(data).encode(), "d.jsonl:0")

    sample = normalized(row([("c0", "Rho")], [("c0", "Pavia")]))
    assert sample.edge_evidence == ("turn",)
    assert normalized(row([("c0", "Rho"), ("c0", "Pavia")])).reason == "duplicate_call_id"


def session(*messages):
    data = {"conversations": list(messages), "tools": []}
    return SourceRow("toolmind", json.dumps(data).encode(), "graph_syn_datasets/graphsyn.jsonl:0")


def says(role, content="", **calls):
    made = [{"function": {"name": name, "arguments": arguments}} for name, arguments in calls.items()]
    return {"role": role, "content": content, **({"tool_calls": made} if made else {})}


def test_a_value_that_an_earlier_call_returned_is_a_data_edge():
    sample = normalized(
        session(
            says("user", "Cancel Ana's order"),
            says("assistant", find_order={"who": "Ana"}),
            says("tool", '{"order": "W-4711", "status": "open"}'),
            says("assistant", cancel_order={"order": "W-4711", "reason": "asked"}),
        )
    )
    assert sample.edge_evidence == ("data",)
    sources = {(a.path, a.kind, a.ref) for a in sample.arg_sources}
    assert ("/order", "edge", sample.execution_plan.nodes[0].node_id) in sources
    assert ("/who", "request", "") in sources


def test_a_value_that_the_user_said_or_an_earlier_call_was_given_is_none():
    said = normalized(
        session(
            says("user", "Cancel order W-4711"),
            says("assistant", find_order={"order": "W-4711"}),
            says("tool", '{"order": "W-4711"}'),
            says("assistant", cancel_order={"order": "W-4711"}),
        )
    )
    assert said.edge_evidence == ("turn",)
    echoed = normalized(
        session(
            says("user", "Cancel my order"),
            says("assistant", find_order={"order": "W-9999"}),
            says("tool", '{"order": "W-9999"}'),
            says("assistant", cancel_order={"order": "W-9999"}),
        )
    )
    assert echoed.edge_evidence == ("turn",)


def test_parallel_calls_see_no_results_of_their_own_turn():
    sample = normalized(
        session(
            says("user", "Both"),
            says("assistant", a={"x": "VALUE-0001"}, b={"y": "VALUE-0002"}),
            says("tool", '{"v": "VALUE-0002"}'),
            says("tool", '{"v": "VALUE-0003"}'),
            says("assistant", c={"z": "VALUE-0003"}),
        )
    )
    edges = dict(zip(sample.execution_plan.edges, sample.edge_evidence, strict=True))
    own = [node.node_id for node in sample.execution_plan.nodes]
    assert edges == {(own[0], own[1]): "order", (own[1], own[2]): "data"}


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[]))
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=4), v, max_size=3))


@settings(deadline=None, max_examples=300)
@given(
    name=st.sampled_from(names()),
    row=values
    | st.fixed_dictionaries(
        {},
        optional={
            key: values
            | values.map(json.dumps)
            | st.just([{"role": "user", "content": "x", "from": "human", "value": "x"}])
            for key in (
                "query",
                "answers",
                "tools",
                "conversations",
                "messages",
                "chat",
                "system",
                "id",
                "output",
                "input",
            )
        },
    ),
)
def test_no_row_of_any_source_crashes_and_every_plan_is_valid(name, row):
    outcome = normalize_row(SourceRow(name, json.dumps(row).encode(), "f:0"), source(name))
    if isinstance(outcome, DeadLetter):
        assert outcome.reason in REASONS
    elif isinstance(outcome, Drop):
        assert outcome.kind in ("no_call", "no_intent") or outcome.reason in FILTERS
    else:
        assert isinstance(outcome, Sample)
        assert plan_problem(outcome.execution_plan) is None
        assert set(outcome.edge_evidence) <= set(EDGE_EVIDENCE)
        assert {a.kind for a in outcome.arg_sources} <= set(ARGUMENT_SOURCES)
