"""Rows of the five original keys."""

import msgspec
import pyarrow.parquet as pq
import pytest

from gatling_beam.domains.loader import domain_names
from gatling_beam.errors import BadRow
from gatling_beam.five_keys import from_five_keys
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.sample import Sample
from gatling_beam.shards import read_shard, read_table, write_shard

KEYS = ("execution_plan", "label", "original_id", "category", "metadata")
ROW = {
    "execution_plan": {
        "nodes": [
            {
                "tool_name": "live_giveaways_by_type",
                "arguments": {"type": "beta"},
                "provenance_tier": 1,
                "provenance_hash": "87194",
                "scope_volume": 1,
                "scope_sensitivity": 2,
                "node_id": "0_tool_0",
            },
            {"tool_name": "show", "arguments": {"what": "$call_1.rows$"}, "node_id": "0_tool_1"},
            {"tool_name": "close", "node_id": "0_tool_2"},
        ],
        "edges": [["0_tool_0", "0_tool_1"], ["0_tool_1", "0_tool_2"]],
    },
    "label": "benign",
    "original_id": "0",
    "category": "function_calling",
    "metadata": {"source": "Salesforce/xlam", "query": "Where can I find live giveaways?", "num_tools": 3},
}


def without_columns(sample):
    """The row as existing consumers have it."""
    row = msgspec.to_builtins(sample)
    return {key: row[key] for key in KEYS}


@pytest.fixture
def lines(tmp_path):
    """Writes rows as lines of JSON; the path."""

    def write(*rows):
        path = tmp_path / "rows.jsonl"
        path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
        return str(path)

    return write


def test_a_file_of_five_keys_is_read_with_all_columns(lines):
    (row,) = read_shard(lines(ROW), "jsonl", Sample)
    assert {key: without_columns(row)[key] for key in KEYS[1:]} == {key: ROW[key] for key in KEYS[1:]}
    assert [node.arguments for node in row.execution_plan.nodes] == [{"type": "beta"}, {"what": "$call_1.rows$"}, {}]
    assert row.execution_plan.nodes[0].provenance_hash == "87194"
    assert row.edge_evidence == ("data", "turn")
    assert row.request == row.contexts[0].text == ROW["metadata"]["query"]
    assert (row.tier, row.warrant, row.toolset_id, row.source.dataset) == ("I", None, None, "Salesforce/xlam")


def test_ids_are_derived_from_the_row_alone(lines):
    other = {**ROW, "original_id": "1"}
    one, two, again = read_shard(lines(ROW, other, ROW), "jsonl", Sample)
    assert one == again
    assert len({one.sample_id, two.sample_id}) == 2
    assert one.intent_hash == two.intent_hash


def test_gold_rows_keep_plan_and_intent_through_five_keys():
    oracle = TemplateOracle(2, domain_names())
    for number in range(60):
        gold = trace_to_sample(oracle.trace(number))
        row = from_five_keys(without_columns(gold))
        assert row.execution_plan == gold.execution_plan
        assert row.intent_hash == gold.intent_hash


def test_whole_rows_and_rows_of_five_keys_stand_in_one_file(lines):
    gold = trace_to_sample(TemplateOracle(2, ["banking"]).trace(0))
    whole = msgspec.to_builtins(gold)
    assert [row.sample_id for row in read_shard(lines(ROW, whole), "jsonl", Sample)][1] == gold.sample_id


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"shoe_size": 44}, "shoe_size"),
        ({"label": 1}, "label"),
        ({"execution_plan": {"nodes": [], "edges": []}}, "empty_plan"),
        ({"execution_plan": {**ROW["execution_plan"], "edges": [["0_tool_0", "elsewhere"]]}}, "dangling_edge"),
        ({"execution_plan": {**ROW["execution_plan"], "edges": [["0_tool_0", "0_tool_0"]]}}, "self_loop"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(lines, change, reason):
    with pytest.raises(BadRow):
        from_five_keys({**ROW, **change})
    with pytest.raises(ValueError, match=rf"rows\.jsonl, line 2: .*{reason}"):
        list(read_shard(lines(ROW, {**ROW, **change}), "jsonl", Sample))


def test_a_missing_key_is_named(lines):
    row = {key: value for key, value in ROW.items() if key != "label"}
    with pytest.raises(ValueError, match=r"line 1: .*missing required field `"):
        list(read_shard(lines(row), "jsonl", Sample))


def test_an_unknown_column_of_whole_rows_is_named_in_every_format(lines, strategies, tmp_path):
    (sample,) = strategies.plain_samples(1)
    with pytest.raises(ValueError, match="shoe_size"):
        list(read_shard(lines({**msgspec.to_builtins(sample), "shoe_size": 44}), "jsonl", Sample))
    from gatling_beam.columns import StructColumns

    write_shard(str(tmp_path), "a.parquet", StructColumns(Sample).encode([sample]), "parquet", Sample)
    path = str(tmp_path / "a.parquet")
    table = read_table(path)
    pq.write_table(table.append_column("shoe_size", table.column("label")), path)
    with pytest.raises(ValueError, match="shoe_size"):
        list(read_shard(path, "parquet", Sample))
