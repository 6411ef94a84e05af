"""Edges against the gold references of NESTFUL, by a second reading of the raw rows that shares no code with ours."""

import json
import os
from pathlib import Path

import pytest

from gatling_beam.normalize import normalize_row
from gatling_beam.sample import Sample, SourceRow
from gatling_beam.sources import source

pytestmark = pytest.mark.external

FOLDER = "nestful_v1/wheel_0.1.7/non-executable"


def gold_edges(calls):
    """Split at dollar signs: a piece that begins with the label of an earlier call is a reference to it."""
    edges, earlier = set(), {}
    for k, call in enumerate(calls):
        for piece in json.dumps(call["arguments"]).split("$"):
            label = piece.split(".")[0].split("[")[0]
            if label in earlier:
                edges.add((earlier[label], k))
        earlier[call.get("label", "")] = k
    return edges


@pytest.mark.parametrize("part", ["glaive", "sgd"])
@pytest.mark.parametrize("as_text", [True, False], ids=["columns of JSON text", "columns of objects"])
def test_data_edges_are_the_gold_references(part, as_text, capsys):
    folder = Path(os.environ["GATLING_BEAM_DATA"], FOLDER)
    rows = json.loads((folder / f"non-executable-{part}-data.json").read_text())
    tools = json.loads((folder / f"non-executable-{part}-spec.json").read_text())
    found = right = gold = 0
    for number, row in enumerate(rows):
        used = {call["name"] for call in row["output"]}
        offered = [tool for tool in tools if tool["name"] in used]
        data = {"sample_id": f"{part}-{number}", "input": row["input"], "output": row["output"], "tools": offered}
        if as_text:
            data |= {"output": json.dumps(row["output"]), "tools": json.dumps(offered)}
        sample = normalize_row(SourceRow("nestful", json.dumps(data).encode(), f"a.jsonl:{number}"), source("nestful"))
        assert isinstance(sample, Sample), sample
        calls = [call for call in row["output"] if call["name"] != "var_result"]
        nodes = sample.execution_plan.nodes
        assert [(n.tool_name, n.arguments) for n in nodes] == [(c["name"], c["arguments"]) for c in calls]
        at = {node.node_id: k for k, node in enumerate(nodes)}
        ours = {
            (at[a], at[b])
            for (a, b), evidence in zip(sample.execution_plan.edges, sample.edge_evidence, strict=True)
            if evidence == "data"
        }
        wanted = gold_edges(calls)
        found, right, gold = found + len(ours), right + len(ours & wanted), gold + len(wanted)
    precision, recall = right / found, right / gold
    with capsys.disabled():
        print(f"\nnestful {part}: {len(rows)} rows, {gold} gold edges, precision {precision:.4f}, recall {recall:.4f}")
    assert gold > 100 or part == "sgd"
    assert precision >= 0.99 and recall >= 0.99
