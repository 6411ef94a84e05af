"""Whatever a row holds, an adapter returns an Extracted or raises BadRow or Filtered, in time that grows linearly."""

import contextlib
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.errors import BadRow, Filtered
from gatling_beam.sources import FORMATS, Extracted, SourceSpec, load_catalogue

HF = Path(__file__).parents[2] / "fixtures" / "hf"
MANIFEST = json.loads((HF / "MANIFEST.json").read_text("utf-8"))


def _rows() -> dict[str, list[dict[str, Any]]]:
    """Rows by source; ToolBench's three layouts under each of its entries."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, spec in load_catalogue().items():
        hub_id = "OpenBMB/ToolBench" if name.startswith("toolbench") else spec.hub_id
        folder = HF / hub_id.replace("/", "__")
        texts = [file.read_text("utf-8") for file in sorted(folder.glob("*.jsonl"))]
        rows[name] = [json.loads(line) for text in texts for line in text.splitlines()]
    rows["nestful"] = [
        {"sample_id": "s", "input": "x", "output": '[{"name": "f", "arguments": {"a": "$var1$"}, "label": "var1"}]'}
    ]
    return rows


ROWS = _rows()


def survives(row: dict[str, Any], spec: SourceSpec) -> None:
    with contextlib.suppress(BadRow, Filtered):
        assert isinstance(FORMATS[spec.format](row, spec), Extracted)


def deep(levels: int, wrap: Any = list) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value] if wrap is list else {"a": value}
    return value


ODD = [
    None, True, 7, 2**70, 10**5000, 1.5, float("nan"), "", " ", "\x00", "\ud800", "[", "{", '"', "'", "null", "[null]",
    "{}", "[[]]", '"\\"x\\""', "<tool_call>", "<tool_call>{", "<tools>[", "<think>", "[" * 5000, "{'a':" * 3000,
    "(" * 5000, "-" * 9000, "f(" * 3000, "1+" * 9000 + "1", "f(a=lambda: 0, *b, **c)", "f(**{'a': {1: 2}, **d})",
    "f({[1]: 2})", "f(a\n=#)\n1)", "1. f(\n2. g(\n", "$99999999999999999999", "<node-99999999999>",
    "Action: Finish\nAction Input: x",
    "Function Call:", "Function Call: [", "<functioncall>", "ASSISTANT: <functioncall> {}",
    [], {}, [[]], [{}], {"": {}},
    [None], ["x"], [{"role": "user"}], [{"from": "gpt", "value": 3}], [{"role": "assistant", "tool_calls": [None]}],
    [{"role": []}], [{"name": "f", "arguments": "{"}], [{"name": 3}], {"function": {"name": []}},
    deep(500), deep(500, dict),
    json.dumps(deep(500)), "[" * 100_000 + "]" * 100_000,
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all members and items of `value`."""
    found = [path] if path else []
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found += places(value[key], (*path, key))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@pytest.mark.parametrize("name", sorted(ROWS))
def test_any_place_may_hold_anything(name: str) -> None:
    """Each place of a row, shallow ones first, holds each odd value in turn."""
    spec = load_catalogue()[name]
    choose = random.Random(name)
    for row in ROWS[name][:6]:
        for path in sorted(places(row), key=len)[:24]:
            for odd in choose.sample(ODD, 12) if len(path) > 1 else ODD:
                survives(replaced(row, path, odd), spec)
    survives({}, spec)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_mutated_rows(data: st.DataObject) -> None:
    """A text is cut, spliced or repeated, a value swapped for a drawn one, a column dropped."""
    name = data.draw(st.sampled_from(sorted(ROWS)))
    row = data.draw(st.sampled_from(ROWS[name]))
    for _ in range(data.draw(st.integers(1, 4))):
        paths = places(row)
        if not paths:
            break
        path = data.draw(st.sampled_from(paths))
        old = at(row, path)
        if isinstance(old, str) and data.draw(st.booleans()):
            cut = data.draw(st.integers(0, len(old)))
            splice = data.draw(st.text(st.characters(), max_size=4) | st.sampled_from("()[]{}'\"\\,\n<>$#"))
            new = old[:cut] + (splice + old[cut + data.draw(st.integers(0, 3)) :] if data.draw(st.booleans()) else "")
        else:
            new = data.draw(
                st.sampled_from(ODD)
                | st.recursive(
                    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                    max_leaves=6,
                )
            )
        row = replaced(row, path, new)
    survives(row, load_catalogue()[name])


# Texts that make a careless scanner quadratic, or worse, in their length; a few of them at ten megabytes.
HUGE = {"x": 10, "(": 10, "f(a)\n": 10, "'": 10} | dict.fromkeys(
    (" ", "\n", "f(", "1. f(\n", "<tool_call>", "<think>", "{", "[{", "\\", "USER:", "$1 ", "<", "#", '"a":'), 1
)


def _with_text(name: str, text: str) -> dict[str, Any]:
    """A row of the source whose scanned texts are `text`."""
    if name == "tinyagent":
        return {"input": "x", "output": [{"type": "plan", "raw_output": text}]}
    if name == "toolace":
        return {"system": text, "conversations": [{"from": "assistant", "value": f"[{text}]"}]}
    if name == "dolci":
        return {"messages": [{"role": "assistant", "function_calls": text}]}
    if name in ("hermes", "dta", "toolbench"):
        values = ["x" + text, "Function Call: " + text, "Action: Finish\nAction Input: " + text]
        return {"conversations": [{"from": "gpt", "value": value} for value in values]}
    if name == "taskbench":
        return {**ROWS[name][0], "tool_nodes": json.dumps([{"task": "a", "arguments": [text]}])}
    return {key: text if isinstance(value, str) else value for key, value in ROWS[name][0].items()}


@pytest.mark.parametrize("piece, megabytes", HUGE.items())
def test_long_texts_are_read_or_refused_in_seconds(piece: str, megabytes: int) -> None:
    text = piece * (megabytes * 1_000_000 // len(piece))
    started = time.process_time()
    for name in (
        "glaive",
        "toolace",
        "dolci",
        "tinyagent",
        "hermes",
        "dta",
        "toolbench",
        "apibench",
        "gsm8k",
        "xlam",
        "taskbench",
    ):
        survives(_with_text(name, text), load_catalogue()[name])
    assert time.process_time() - started < 6 * megabytes
