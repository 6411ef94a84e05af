import hashlib
import json
import os

import datasets
import fsspec
import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.avro_rows import avro_schema
from gatling_beam.columns import StructColumns
from gatling_beam.json_rows import JsonRows
from gatling_beam.sample import DeadLetter, GovernanceContext, Sample
from gatling_beam.shards import (
    FORMATS,
    ROW_GROUP_SIZE,
    count_rows,
    format_of,
    read_shard,
    read_table,
    shard_name,
    write_shard,
)


def write(directory, rows, format, row_type=Sample, name=None):
    table = StructColumns(row_type).encode(rows)
    return write_shard(str(directory), name or shard_name(0, 1, format), table, format, row_type)


def with_policy(sample, policy):
    return msgspec.structs.replace(sample, governance_context=GovernanceContext(policy_id="p", policy=policy))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shards")


@pytest.mark.parametrize("format", FORMATS)
@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_samples_come_back_equal(strategies, folder, format, data):
    rows = data.draw(st.lists(strategies.structs(Sample), max_size=4))
    shard = write(folder, rows, format)
    path = str(folder / shard.name)
    assert list(read_shard(path, format, Sample)) == rows
    assert count_rows(path, format) == shard.rows == len(rows)


@pytest.mark.parametrize("format", FORMATS)
@settings(deadline=None, max_examples=15)
@given(st.data())
def test_dead_letters_come_back_equal(strategies, folder, format, data):
    rows = data.draw(st.lists(strategies.structs(DeadLetter), max_size=4))
    shard = write(folder, rows, format, DeadLetter)
    assert list(read_shard(str(folder / shard.name), format, DeadLetter)) == rows


@pytest.mark.parametrize("format", FORMATS)
def test_integers_and_numbers_keep_value_and_type(strategies, tmp_path, format):
    values = {
        "least": -(2**63),
        "most": 2**64 - 1,
        "one": 1,
        "one_point_nought": 1.0,
        "tiny": 5e-324,
        "yes": True,
        "no": None,
    }
    sample = msgspec.structs.replace(strategies.plain_samples(1)[0], metadata=values)
    shard = write(tmp_path, [sample], format)
    (found,) = read_shard(str(tmp_path / shard.name), format, Sample)
    assert found.metadata == values
    assert {key: type(value) for key, value in found.metadata.items()} == {
        key: type(value) for key, value in values.items()
    }


@pytest.mark.parametrize("format", FORMATS)
def test_the_bytes_do_not_depend_on_chunks_and_repeat(strategies, tmp_path, format):
    table = StructColumns(Sample).encode(strategies.plain_samples(50))
    chunked = pa.concat_tables([table.slice(0, 1), table.slice(1, 30), table.slice(31)])
    whole, again, in_parts = (
        write_shard(str(tmp_path), f"{k}.{format}", t, format, Sample) for k, t in enumerate([table, table, chunked])
    )
    contents = {(tmp_path / shard.name).read_bytes() for shard in (whole, again, in_parts)}
    assert len(contents) == 1
    (content,) = contents
    assert whole.sha256 == again.sha256 == in_parts.sha256 == hashlib.sha256(content).hexdigest()
    assert whole.bytes == len(content)


def test_parquet_row_groups_have_a_fixed_size_whatever_the_chunks(strategies, tmp_path):
    import pyarrow.parquet as pq

    table = StructColumns(Sample).encode(strategies.plain_samples(100))
    big = pa.concat_tables([table] * 250)
    shard = write_shard(str(tmp_path), "a.parquet", big, "parquet", Sample)
    metadata = pq.ParquetFile(tmp_path / shard.name).metadata
    assert [metadata.row_group(k).num_rows for k in range(metadata.num_row_groups)] == [ROW_GROUP_SIZE, 5_000]
    column = metadata.row_group(0).column(0)
    assert (column.compression, metadata.format_version) == ("ZSTD", "2.6")
    assert write_shard(str(tmp_path), "b.parquet", big.combine_chunks(), "parquet", Sample).sha256 == shard.sha256
    assert sum(1 for _ in read_shard(str(tmp_path / shard.name), "parquet", Sample)) == 25_000


def test_a_line_has_the_five_keys_first_and_every_key(strategies, tmp_path):
    sample = with_policy(strategies.plain_samples(1)[0], '{"limit":5,"rules":[]}')
    shard = write(tmp_path, [sample], "jsonl")
    (line,) = (tmp_path / shard.name).read_text().splitlines()
    row = json.loads(line)
    assert list(row) == list(Sample.__struct_fields__)
    assert list(row)[:5] == ["execution_plan", "label", "original_id", "category", "metadata"]
    node_hash = sample.execution_plan.nodes[0].provenance_hash
    assert line.startswith(
        '{"execution_plan":{"nodes":[{"tool_name":"live_giveaways_by_type","arguments":{"limit":0,"type":"beta"},'
        f'"provenance_tier":1,"provenance_hash":"{node_hash}","scope_volume":1,"scope_sensitivity":2,"node_id":"0_tool_0"}}'
    )
    assert row["execution_plan"]["edges"] == [["0_tool_0", "0_tool_1"]]
    assert list(row["metadata"]) == ["num_tools", "query", "source"]
    assert row["governance_context"]["policy"] == {"limit": 5, "rules": []}
    assert row["warrant"] is None


@pytest.mark.parametrize(
    "policy", ['{"b":1,"a":2}', "{}", "[1]", "not json", '"x"', "null", "", '{"a":1,"a":1}', '{"a": 1}', None]
)
def test_a_policy_of_any_form_comes_back_as_it_was(strategies, policy):
    rows = JsonRows(Sample)
    sample = with_policy(strategies.plain_samples(1)[0], policy)
    assert rows.decode(rows.encode(sample)) == sample


@pytest.mark.parametrize("builder, format", [("parquet", "parquet"), ("json", "jsonl")])
def test_datasets_reads_the_files(strategies, tmp_path, builder, format):
    samples = strategies.plain_samples(7)
    shard = write(tmp_path, samples, format)
    cache = str(tmp_path / "cache")
    loaded = datasets.load_dataset(builder, data_files=str(tmp_path / shard.name), cache_dir=cache, split="train")
    assert loaded["sample_id"][:] == [sample.sample_id for sample in samples]
    node = loaded[3]["execution_plan"]["nodes"][0]
    assert node["tool_name"] == "live_giveaways_by_type"
    arguments = node["arguments"]
    assert (json.loads(arguments) if format == "parquet" else arguments) == {"type": "beta", "limit": 3}
    if format == "parquet":
        assert arguments == '{"limit":3,"type":"beta"}'


def test_another_reader_of_avro_sees_typed_fields(strategies, tmp_path):
    import fastavro

    shard = write(tmp_path, strategies.plain_samples(3), "avro")
    with open(tmp_path / shard.name, "rb") as stream:
        record = list(fastavro.reader(stream))[2]
    node = record["execution_plan"]["nodes"][1]
    assert (node["provenance_tier"], node["arguments"]) == (2, '{"nested":{"x":1.5},"to":["a","b"]}')
    assert record["energies"] is None and record["source"]["name"] == "xlam"


def test_an_avro_schema_defines_every_type_once():
    fields = {field["name"]: field["type"] for field in avro_schema(Sample)["fields"]}
    assert fields["energies"][1]["name"] == "Energies"
    assert fields["energies_original"] == ["null", "gatling_beam.Energies"]
    assert fields["metadata"] == "string"
    assert fields["warrant"] == ["null", "string"]


def test_a_struct_without_avro_form_is_refused():
    class Odd(msgspec.Struct):
        value: set[int]

    with pytest.raises(TypeError, match="no Avro form"):
        avro_schema(Odd)


def test_names_and_formats():
    assert shard_name(17, 64, "parquet") == "part-00017-of-00064.parquet"
    assert format_of("gs://b/part-00000-of-00001.avro") == "avro"
    for index in (-1, 64):
        with pytest.raises(ValueError, match=rf"index={index} is not in 0\.\.63"):
            shard_name(index, 64, "parquet")
    with pytest.raises(ValueError, match=r"format='csv' is not one of parquet, jsonl, avro"):
        shard_name(0, 1, "csv")
    with pytest.raises(ValueError, match="give format="):
        format_of("rows.txt")


def test_a_table_of_other_columns_is_refused_and_leaves_no_file(strategies, tmp_path):
    table = StructColumns(Sample).encode(strategies.plain_samples(1))
    with pytest.raises(ValueError, match=r"missing \['label'\]"):
        write_shard(str(tmp_path), "a.parquet", table.drop(["label"]), "parquet", Sample)
    with pytest.raises(ValueError, match=r"too many \['more'\]"):
        write_shard(str(tmp_path), "a.parquet", table.append_column("more", pa.array([1])), "parquet", Sample)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("format", FORMATS)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(strategies, tmp_path, monkeypatch, format):
    rows = strategies.plain_samples(3)
    name = write(tmp_path, rows, format).name
    before = (tmp_path / name).read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("gatling_beam.files.HashingWriter.write", fail)
    with pytest.raises(OSError, match="disk full"):
        write(tmp_path, rows[:1], format)
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("format", FORMATS)
def test_urls_and_folders_in_names(strategies, format):
    rows = strategies.plain_samples(4)
    url = f"memory://bucket-{format}/run"
    shard = write(url, rows, format, name=f"dead_letters/part.{format}")
    path = f"{url}/dead_letters/part.{format}"
    assert list(read_shard(path, format, Sample)) == rows
    assert count_rows(path, format) == 4
    assert fsspec.filesystem("memory").size(path) == shard.bytes


def test_a_table_is_read_by_column(strategies, tmp_path):
    shard = write(tmp_path, strategies.plain_samples(4), "parquet")
    table = read_table(str(tmp_path / shard.name), columns=["sample_id", "source.name"])
    assert table.column_names == ["sample_id", "source"]
    assert table["source"].to_pylist() == [{"name": "xlam"}] * 4


def test_a_file_of_other_rows_is_an_error(strategies, tmp_path):
    shard = write(tmp_path, strategies.plain_samples(1), "parquet")
    with pytest.raises(KeyError, match="has no column dead_id"):
        list(read_shard(str(tmp_path / shard.name), "parquet", DeadLetter))
    (tmp_path / "bad.jsonl").write_text('{"label": 1}\n')
    with pytest.raises(msgspec.ValidationError):
        list(read_shard(str(tmp_path / "bad.jsonl"), "jsonl", Sample))


def test_lines_are_counted_with_and_without_a_last_newline(tmp_path):
    for content, lines in (("", 0), ("{}\n", 1), ("{}\n{}", 2)):
        (tmp_path / "a.jsonl").write_text(content)
        assert count_rows(str(tmp_path / "a.jsonl"), "jsonl") == lines
