import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.columns import StructColumns
from gatling_beam.exchange import (
    KEY_COLUMN,
    RowBuffer,
    TableBuffer,
    bucket_of,
    buckets_of,
    check_buckets,
    cut,
    first_key,
    run_schema,
)
from gatling_beam.extents import (
    gather,
    payloads,
    read_payload,
    read_reference,
    read_tables,
    write_run,
    write_table,
)
from gatling_beam.hashing import digest
from gatling_beam.ordering import in_total_order
from gatling_beam.sample import DeadLetter, Sample

hashes = st.binary(min_size=4, max_size=16).map(bytes.hex)
bucket_counts = st.integers(1, 100_000)


def test_buckets_are_ranges_of_the_first_32_bits():
    assert bucket_of("00000000", 64) == 0
    assert bucket_of("03ffffff", 64) == 0
    assert bucket_of("04000000", 64) == 1
    assert bucket_of("ffffffffaa", 64) == 63
    assert bucket_of("55555556", 3) == 1
    assert bucket_of("55555555", 3) == 0


@given(st.lists(hashes, min_size=1), bucket_counts)
def test_buckets_of_a_column_agree_with_integer_arithmetic(keys, buckets):
    found = buckets_of(pa.array(keys), buckets)
    assert found.tolist() == [int(key[:8], 16) * buckets // 2**32 for key in keys]
    assert buckets_of(pa.chunked_array([keys, keys]), buckets).tolist() == found.tolist() * 2


@given(bucket_counts, st.data())
def test_the_first_key_of_a_bucket_is_its_least(buckets, data):
    bucket = data.draw(st.integers(0, buckets - 1))
    key = first_key(bucket, buckets)
    assert bucket_of(key, buckets) == bucket
    if bucket:
        assert bucket_of(f"{int(key, 16) - 1:08x}", buckets) == bucket - 1


@pytest.mark.parametrize("key", ["", "abc", "ABCDEF01", "0123456g", "０１２３４５６７"])
def test_a_key_that_is_no_hash_is_refused_by_name(key):
    with pytest.raises(ValueError, match="hexadecimal"):
        bucket_of(key, 4)
    with pytest.raises(ValueError, match=f"key {key!r}"):
        buckets_of(pa.array(["0" * 32, key, "1" * 32]), 4)


@pytest.mark.parametrize("buckets", [0, -1, 100_001, 1.5, "4", True, None])
def test_buckets_out_of_range_are_refused(buckets):
    with pytest.raises(ValueError, match=r"shards=.* 1\.\.100,000"):
        check_buckets(buckets, "shards")


def test_a_key_must_be_a_text_field_or_a_function():
    with pytest.raises(ValueError, match="key='tags'"):
        run_schema(Sample, "tags")
    with pytest.raises(ValueError, match="key='contexts'"):
        run_schema(Sample, "contexts")
    assert run_schema(DeadLetter, "dead_id").names == list(DeadLetter.__struct_fields__)
    assert run_schema(DeadLetter, str).names == [*DeadLetter.__struct_fields__, KEY_COLUMN]


def extents_of(rows, key="sample_id", buckets=5):
    buffer = RowBuffer(Sample, key, buckets)
    for row in rows:
        buffer.add(row)
    return buffer.cut()


def test_a_run_gives_each_bucket_its_rows(strategies, tmp_path):
    rows = strategies.plain_samples(60)
    found = write_run(str(tmp_path / "new" / "run.arrow"), extents_of(rows))
    assert [bucket for bucket, _ in found] == [0, 1, 2, 3, 4]
    for bucket, reference in found:
        table = read_reference(reference)
        assert list(StructColumns(Sample).decode(table)) == [r for r in rows if bucket_of(r.sample_id, 5) == bucket]


def test_a_run_may_be_on_a_remote_file_system(strategies):
    rows = strategies.plain_samples(9)
    ((_, reference),) = write_run("memory://exchange/run.arrow", extents_of(rows, buckets=1))
    assert list(StructColumns(Sample).decode(read_reference(reference))) == rows


def test_payloads_hold_the_same_rows_and_stay_below_their_limit(strategies):
    rows = [
        msgspec.structs.replace(row, request=digest(str(i)) * (400 if i == 7 else 2))
        for i, row in enumerate(strategies.plain_samples(500))
    ]
    ((_, batch),) = extents_of(rows, buckets=1)
    pieces = list(payloads(batch, 20_000))
    assert len(pieces) > 3
    assert max(map(len, pieces)) <= 20_000
    assert list(StructColumns(Sample).decode(gather(pieces, read_payload, batch.schema))) == rows
    single = list(payloads(batch.slice(7, 1), 10))
    assert len(single) == 1 and read_payload(single[0]).num_rows == 1


def test_a_bucket_without_extents_is_an_empty_table():
    schema = run_schema(Sample, "sample_id")
    assert gather([b""], read_payload, schema).num_rows == 0
    assert gather([], read_payload, schema).schema == schema


def test_a_buffer_is_full_by_rows_and_by_bytes(strategies):
    row = strategies.plain_samples(1)[0]
    buffer = RowBuffer(Sample, "sample_id", 4)
    assert not any(buffer.add(row) for _ in range(4_999))
    heavy = pa.table({"key": ["0" * 8], "data": ["x" * (65 << 20)]})
    assert TableBuffer("key", 4).add(heavy)
    light = TableBuffer("key", 4)
    assert [light.add(heavy.slice(0, 0)) for _ in range(32)] == [False] * 31 + [True]
    assert buffer.cut()[0][1].num_rows == 4_999 and buffer.cut() == []


def test_a_function_of_the_row_as_key_becomes_a_column(strategies):
    rows = strategies.plain_samples(10)
    extents = extents_of(rows, key=lambda row: digest(row.original_id), buckets=3)
    for bucket, batch in extents:
        keys = batch.column(KEY_COLUMN).to_pylist()
        assert keys == [digest(original) for original in batch.column("original_id").to_pylist()]
        assert {bucket_of(key, 3) for key in keys} == {bucket}


def test_cut_keeps_the_order_within_a_bucket():
    table = pa.table({"n": range(6)})
    found = list(cut(table, np.array([2, 0, 2, 0, 1, 2])))
    assert [(bucket, batch.column("n").to_pylist()) for bucket, batch in found] == [
        (0, [1, 3]),
        (1, [4]),
        (2, [0, 2, 5]),
    ]


def test_tables_come_back_from_their_file(tmp_path):
    table = pa.table({"n": range(12_000)})
    path = str(tmp_path / "t.arrow")
    write_table(path, table)
    parts = list(read_tables(path))
    assert max(part.num_rows for part in parts) <= 5_000
    assert pa.concat_tables(parts).equals(table)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_the_total_order_forgets_the_order_of_arrival(strategies, data):
    rows = data.draw(strategies.overlapping_samples())
    shuffled = data.draw(st.permutations(rows))
    columns = StructColumns(Sample)
    ordered = in_total_order(columns.encode(rows), ["sample_id", "original_id"], Sample)
    again = in_total_order(columns.encode(shuffled), ["sample_id", "original_id"], Sample)
    assert list(columns.decode(again)) == list(columns.decode(ordered))
    keys = [(row.sample_id, row.original_id) for row in columns.decode(ordered)]
    assert keys == sorted(keys)
    encode = msgspec.msgpack.Encoder(order="deterministic").encode
    assert sorted(map(encode, columns.decode(ordered))) == sorted(map(encode, rows))
