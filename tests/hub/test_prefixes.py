"""Rows that repeat the one before and go on, whatever the cut."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.hub import MalformedSource
from gatling_beam.hub.prefixes import continues, mark_superseded

TOOLS = [{"type": "function", "function": {"name": "f"}}]
USER = {"role": "user", "content": "Go."}
RESULT = {"role": "tool", "content": {"ok": 1}}


def call(text="", **arguments):
    return {"role": "assistant", "content": text, "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}


def row(*messages, tools=TOOLS):
    return {"conversations": list(messages), "tools": tools}


def test_a_longer_row_continues_whatever_its_reasoning():
    first = row(USER, call("<think>\nFirst.\n</think>\n", a=1))
    assert continues(first, row(USER, call(a=1), RESULT, {"role": "assistant", "content": "Done."}))


def test_a_last_message_without_calls():
    answer = {"role": "assistant", "content": "<think>x</think>Hello."}
    plain = {"role": "assistant", "content": "Hello.", "tool_calls": None}
    assert continues(row(USER, answer), row(USER, plain, USER, call()))
    assert not continues(row(USER, answer), row(USER, call(), RESULT))


@pytest.mark.parametrize(
    "other",
    [
        row(USER, call(a=1)),
        row(USER, call(a=2), RESULT),
        row({**USER, "content": "Stop."}, call(a=1), RESULT),
        row(USER, {**call(a=1), "role": "user"}, RESULT),
        row(USER, call(a=1), RESULT, tools=[]),
        row(USER),
        row(),
        {"conversations": None, "tools": TOOLS},
        {},
    ],
)
def test_what_does_not_continue(other):
    assert not continues(row(USER, call(a=1)), other)


def test_nothing_continues_an_empty_row():
    assert not continues(row(), row(USER, call()))


def test_bad_rows_continue_nothing_and_are_kept():
    good = json.dumps(row(USER, call())).encode()
    longer = json.dumps(row(USER, call(), RESULT)).encode()
    rows = list(enumerate([good, b"{", b"[]", good, longer, b'"\xff"']))
    assert [superseded for _, _, superseded in mark_superseded(rows)] == [False, False, False, True, False, False]
    assert [(place, data) for place, data, _ in mark_superseded(rows)] == rows
    assert list(mark_superseded([])) == []


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=6), unit_bytes=st.integers(50, 3000))
@settings(deadline=None)
def test_the_cut_into_units_does_not_matter(lengths, unit_bytes):
    import fsspec

    from gatling_beam.hub import list_files, plan_units, read_unit
    from gatling_beam.sources.spec import SourceFiles, SourceSpec

    lines = []
    for number, length in enumerate(lengths):
        said = [{**USER, "content": f"Go {number}."}]
        for turn in range(length):
            lines.append(row(*said, call("<think>…</think>", turn=turn)))
            said += [call(turn=turn), RESULT]
    text = "\n\r\n".join(json.dumps(line) for line in lines)
    fsspec.filesystem("memory").pipe("/q/org/set/a.jsonl", text.encode())
    entry = SourceFiles(paths=("a.jsonl",), container="jsonl")
    spec = SourceSpec(name="s", hub_id="org/set", role="plans", format="f", files=(entry,), prefix_rows=True)
    units = plan_units(list_files(spec, root="memory://q"), unit_bytes=unit_bytes)
    rows = [found for unit in units for found in read_unit(unit)]
    assert [json.loads(found.data) for found in rows] == lines
    last = {sum(lengths[: i + 1]) - 1 for i in range(len(lengths))}
    assert [found.superseded for found in rows] == [i not in last for i in range(len(lines))]


def test_a_row_before_the_limit_sees_the_one_after_it(rows_of):
    lines = [row(USER, call()), row(USER, call(), RESULT)]
    text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    how = {"paths": ("a.jsonl",), "container": "jsonl"}
    (first,) = rows_of({"a.jsonl": text}, how, prefix_rows=True, limit=1)
    assert first.superseded
    assert not rows_of({"a.jsonl": text}, how)[0].superseded


def test_rows_of_two_files_are_not_compared(rows_of):
    files = {f"{i}.jsonl": json.dumps(r).encode() for i, r in enumerate([row(USER, call()), row(USER, call(), RESULT)])}
    how = {"paths": ("*.jsonl",), "container": "jsonl"}
    assert [r.superseded for r in rows_of(files, how, prefix_rows=True)] == [False, False]


def test_arrays_may_hold_prefixes_and_parquet_may_not(rows_of):
    text = json.dumps([row(USER, call()), row(USER, call(), RESULT)]).encode()
    rows = rows_of({"a.json": text}, {"paths": ("a.json",), "container": "json_array"}, prefix_rows=True)
    assert [r.superseded for r in rows] == [True, False]
    with pytest.raises(MalformedSource, match="prefix_rows needs"):
        rows_of({"a.parquet": b""}, {"paths": ("a.parquet",), "container": "parquet"}, prefix_rows=True)


def test_the_shape_of_toolmind():
    """Three rows of the data set's form: the second goes on from the first, the third is another conversation."""
    path = Path(__file__).parents[1] / "fixtures/hf/Nanbeige__ToolMind/default.graph_syn_datasets.jsonl"
    rows = enumerate(path.read_bytes().splitlines())
    assert [superseded for _, _, superseded in mark_superseded(rows)] == [True, False, False]
