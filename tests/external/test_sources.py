"""The adapters on real rows of others, under $GATLING_BEAM_DATA: what is known about those rows is what is read."""

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from gatling_beam.errors import BadRow
from gatling_beam.sources import FORMATS, Extracted, source
from gatling_beam.sources.tools import KNOWN_TYPE_WORDS, parameters

pytestmark = pytest.mark.external


def folder(name: str) -> Path:
    return Path(os.environ["GATLING_BEAM_DATA"]) / name


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def read(rows: Iterable[dict[str, Any]], name: str) -> list[Extracted]:
    spec = source(name)
    return [FORMATS[spec.format](row, spec) for row in rows]


def test_every_call_of_bfcl_is_read_and_declared() -> None:
    calls = Counter[str]()
    for file in sorted(folder("bfcl_v4").glob("BFCL_*.json")):
        answers = folder("bfcl_v4") / "possible_answer" / file.name
        joined = {row["id"]: row for row in (lines(answers) if answers.exists() else [])}
        for extracted in read(({**row, **joined.get(row["id"], {})} for row in lines(file)), "bfcl"):
            calls[file.stem] += len(extracted.calls)
            tools = {tool["name"]: parameters(tool) for tool in extracted.tools or []}
            assert all(set(call.arguments) <= set(tools[call.name]) for call in extracted.calls)
            assert all(p.type in KNOWN_TYPE_WORDS for tool in tools.values() for p in tool.values())
    assert dict(calls) == {
        "BFCL_v4_irrelevance": 0,
        "BFCL_v4_multiple": 200,
        "BFCL_v4_parallel": 540,
        "BFCL_v4_simple_python": 400,
    }


@pytest.mark.parametrize("language, calls, without", [("en", 211, 147), ("zh", 216, 143)])
def test_turn_typed_glaive(language: str, calls: int, without: int) -> None:
    rows = json.loads((folder("llamafactory_glaive") / f"glaive_toolcall_{language}_demo.json").read_text("utf-8"))
    extracted = read(rows, "apigen_mt")
    assert sum(len(row.calls) for row in extracted) == calls
    assert sum(not row.calls for row in extracted) == without
    assert all(call.result is not None for row in extracted for call in row.calls)


def test_reason_tool_use() -> None:
    extracted = read(lines(folder("llamafactory_glaive") / "reason_tool_use_demo_50.jsonl"), "reason_tool_use")
    assert sum(not row.calls for row in extracted) == 19
    assert max(len(row.calls) for row in extracted) == 5


def test_gsm8k_edges_point_forwards_and_carry_the_result() -> None:
    rows = read(lines(folder("gsm8k") / "train.first1000.jsonl"), "gsm8k")
    assert sum(bool(row.calls) for row in rows) == 982
    assert all(a < b for row in rows for a, b, _ in row.edges)


def test_nestful_has_no_answer_among_its_calls() -> None:
    for name in ("glaive", "sgd"):
        file = folder("nestful_v1") / "wheel_0.1.7" / "non-executable" / f"non-executable-{name}-data.json"
        for row in read(json.loads(file.read_text("utf-8")), "nestful"):
            assert all(call.label.startswith("var") for call in row.calls)
            assert all(call.name != "var_result" for call in row.calls)


def test_llm_compiler_plans() -> None:
    plans = lines(folder("llmcompiler_plans") / "plan_examples.jsonl")
    rows = [{"input": p["question"], "output": [{"type": "plan", "raw_output": p["plan_text"]}]} for p in plans]
    extracted = read(rows, "tinyagent")
    assert all(row.calls for row in extracted)
    assert all(call.name != "join" for row in extracted for call in row.calls)


def test_glaive_fragments() -> None:
    shapes = json.loads((folder("glaive_raw_probe") / "glaive_v2_raw_shapes.json").read_text("utf-8"))
    assert [len(row.calls) for row in read([shapes["full_row"]], "glaive")] == [2]
    fragments = [
        {"system": "", "chat": fragment["chat"]} for fragment in shapes["fragments_lightly_trimmed_by_third_party"]
    ]
    arguments = [row.calls[0].arguments for row in read(fragments, "glaive")]
    assert arguments[3:] == [{}, {"message": "Regards, [User's Name]"}]


def test_xlam_rows() -> None:
    rows = json.loads((folder("xlam_probe") / "xlam_8_real_rows.json").read_text("utf-8"))
    for row in read(rows, "xlam"):
        tools = {tool["name"]: parameters(tool) for tool in row.tools or []}
        assert row.calls
        assert all(set(call.arguments) <= set(tools[call.name]) for call in row.calls)


def test_toolace_call_strings() -> None:
    shapes = json.loads((folder("toolace_raw_probe") / "toolace_raw_shapes.json").read_text("utf-8"))
    [row] = read([shapes["row0_first4turns"]], "toolace")
    assert [call.name for call in row.calls]
    names = {tool["name"] for tool in row.tools or []}
    assert {call.name for call in row.calls} <= names


def test_a_row_of_another_format_is_refused_not_guessed() -> None:
    row = lines(folder("gsm8k") / "train.first1000.jsonl")[0]
    for name in ("xlam", "hermes", "toolace", "glaive", "tinyagent", "taskbench"):
        with pytest.raises(BadRow, match="missing_column"):
            read([row], name)
