"""Every adapter against the manifest of the fixtures: calls, tools, arguments, edges, and what must not be kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from gatling_beam.edges import plan_edges
from gatling_beam.errors import BadRow, Filtered
from gatling_beam.sources import FORMATS, SourceSpec, load_catalogue, source

HF = Path(__file__).parents[2] / "fixtures" / "hf"
MANIFEST: dict[str, dict[str, Any]] = json.loads((HF / "MANIFEST.json").read_text("utf-8"))
# Three layouts of one data set that its authors do not keep on the Hub.
TOOLBENCH = {"answer.": "toolbench_answers", "instruction.": "toolbench_queries", "toolllama": "toolbench"}


def source_of(file: str) -> SourceSpec | None:
    if file.startswith("OpenBMB__ToolBench/"):
        name = file.partition("/")[2]
        return source(next(entry for start, entry in TOOLBENCH.items() if name.startswith(start)))
    found = [spec for spec in load_catalogue().values() if spec.hub_id == MANIFEST[file]["hf_id"]]
    return found[0] if found else None


ROWS = [(file, k) for file in sorted(MANIFEST) for k in range(3) if source_of(file) is not None]


@pytest.mark.parametrize("file, k", ROWS, ids=lambda value: str(value).removesuffix(".jsonl"))
def test_a_row_gives_what_the_manifest_says(file: str, k: int) -> None:
    spec, expected = source_of(file), MANIFEST[file]
    assert spec is not None
    row = json.loads((HF / file).read_text("utf-8").splitlines()[k])
    if not expected.get("keep", [True] * 3)[k]:
        with pytest.raises((BadRow, Filtered)):
            FORMATS[spec.format](row, spec)
        return
    if file.endswith(".api.jsonl") or "tool_use_plan" in file:
        with pytest.raises(Filtered, match="not_a_plan"):
            FORMATS[spec.format](row, spec)
        return
    if "AgentHarm/chat" in file:  # no catalogue entry reads this config: it names no tools
        with pytest.raises(BadRow, match="missing_column"):
            FORMATS[spec.format](row, spec)
        return
    extracted = FORMATS[spec.format](row, spec)
    # Calculator marks are calls here, which the manifest does not count; golden tests cover them.
    if spec.name != "gsm8k" and "agent_plan_rows" not in file:
        assert len(extracted.calls) == expected["n_calls"][k]
        if expected["n_tools"] is not None:
            assert len(extracted.tools or []) == expected["n_tools"][k]
        if "edges" in expected:
            edges = plan_edges(extracted.calls, extracted, extracted.request)[0] if extracted.calls else []
            assert [[a, b] for a, b, evidence in edges if evidence != "order"] == expected["edges"][k]
        for row_number, j, name, arguments in expected.get("args", []):
            if row_number == k:
                assert (extracted.calls[j].name, extracted.calls[j].arguments) == (name, arguments)


def test_the_manifest_is_covered() -> None:
    unread = {file for file in MANIFEST if source_of(file) is None}
    assert unread == {"ykckevin__astra_sft/default.train.jsonl"}  # the text of a licence, no data


@pytest.mark.parametrize(
    "file", [file for file in sorted(MANIFEST) if (spec := source_of(file)) and spec.role == "plans"]
)
def test_no_text_of_the_request_is_lost(file: str) -> None:
    """Each row of a source of plans has a request, but for the answer files that are joined to their questions."""
    spec = source_of(file)
    assert spec is not None
    for line in (HF / file).read_text("utf-8").splitlines():
        try:
            extracted = FORMATS[spec.format](json.loads(line), spec)
        except (BadRow, Filtered):
            continue
        assert bool(extracted.request) == ("possible_answer" not in file)


CONTAINERS: dict[str, dict[str, Any]] = json.loads((HF / "CONTAINERS.json").read_text("utf-8"))


@pytest.mark.parametrize("path", sorted(CONTAINERS))
def test_the_catalogue_names_the_container_of_the_real_file(path: str) -> None:
    spec = source_of(CONTAINERS[path]["rows_of"])
    assert spec is not None
    container = CONTAINERS[path]["container"].replace("file_per_row", "json_file")
    assert {(entry.container, entry.key or None) for entry in spec.files} == {(container, CONTAINERS[path]["key"])}
