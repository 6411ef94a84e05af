"""Rows as text: what a plan is, and nothing that a terminal would obey."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.plan import ExecutionPlan, ToolCallNode, TrustTier
from gatling_beam.render import one_line, render_dead_letters, render_sample, table
from gatling_beam.sample import ArgSource, DeadLetter, Sample, SourceRef

NODES = (
    ToolCallNode("find_user", {"name": "Ada"}, TrustTier.USER, "h", 1, 2, "7_tool_0"),
    ToolCallNode("send", {"to": {"id": "$0"}, "a/b": 1}, TrustTier.UNVERIFIED_RAG, "h", 20, 4, "7_tool_1"),
)
SAMPLE = Sample(
    execution_plan=ExecutionPlan(NODES, (("7_tool_0", "7_tool_1"),)),
    label="benign",
    original_id="7",
    category="function_calling",
    metadata={},
    sample_id="ab" * 16,
    group_id="g",
    row_hash="r",
    intent_hash="i",
    source=SourceRef("xlam", "Salesforce/xlam", revision="abc", row_id="f.json:7", licence="cc-by-4.0"),
    request="Tell Ada.",
    language="en",
    edge_evidence=("data",),
    arg_sources=(
        ArgSource("7_tool_0", "/name", "request"),
        ArgSource("7_tool_1", "/to/id", "edge", "7_tool_0"),
        ArgSource("7_tool_1", "/a~1b", "default"),
    ),
)


def test_a_plan_is_a_tree_with_tiers_scope_and_evidence() -> None:
    assert render_sample(SAMPLE).splitlines()[2:] == [
        "request (en): Tell Ada.",
        "plan: 2 calls, 1 edges",
        "├─ [0] find_user   trust 1 USER, volume 1, sensitivity 2",
        '│      name = "Ada"   (request)',
        "│      -> [1] send (data)",
        "└─ [1] send   trust 3 UNVERIFIED_RAG, volume 20, sensitivity 4",
        '       to = {"id":"$0"}   (edge)',
        "       a/b = 1   (default)",
    ]


@given(st.text(max_size=300))
def test_no_text_reaches_the_terminal_as_a_control_code(text: str) -> None:
    node = ToolCallNode(text, {text: text}, TrustTier.USER, "h", 1, 1, text)
    hostile = msgspec.structs.replace(
        SAMPLE,
        request=text,
        language=text,
        execution_plan=ExecutionPlan((node,)),
        source=SourceRef(text, text, row_id=text),
    )
    shown = render_sample(hostile) + render_dead_letters([DeadLetter("d", "s", text, text, text, text)])
    assert all(c == "\n" or c.isprintable() for c in shown)


def test_escapes_are_readable_and_long_text_is_cut() -> None:
    assert one_line("a\x1b[31m\nb\u202ec") == "a\\x1b[31m\\nb\\u202ec"
    assert one_line("x" * 30, 10) == "x" * 9 + "…"
    assert one_line("çağ 天気") == "çağ 天気"


def test_a_table_cuts_nothing() -> None:
    assert table([("a", "bb"), ("ccc", "d")]) == "a    bb\nccc  d"
