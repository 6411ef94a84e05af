"""One bad row or value is one bad row: it is kept as it is, and the rows around it are read."""

import csv
import datetime as dt
import io
import random

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatling_beam.hub import MalformedSource
from gatling_beam.hub.arrays import array_rows

PARQUET = {"paths": ("*.parquet",), "container": "parquet"}
DEEP = b'{"id":2,"q":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
HUGE = 2**62


def parquet(table, **options):
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


@pytest.mark.parametrize(
    "bad",
    [
        b"tru",
        b'{"a": 1,, "b": "x, ]"}',
        b'{"a": "he said "so", twice"}',
        b"{'a': [1, 2]}",
        b'{"a" 1}',
        b"{} {}",
        b"1 2",
        b"1" * 5000,
        DEEP,
    ],
)
@pytest.mark.parametrize("window", [1, 7, 50_000])
def test_a_bad_row_of_an_array_is_one_row(bad, window, monkeypatch):
    monkeypatch.setattr("gatling_beam.hub.arrays.WINDOW_BYTES", window)
    for rows in ([b'{"id":1}', bad, b'{"id":3}', b'{"q":"\\"]"}'], [bad], [bad, bad], [b"[]", bad]):
        text = b"[\n " + b" ,\n ".join(rows) + b"\n]\n"
        assert list(array_rows(io.BytesIO(text), "x")) == rows


def test_a_row_too_deep_to_be_joined_stays_a_row(rows_of):
    files = {"a.json": b'{"id":1}\n' + DEEP + b'\n{"id":3}\n', "answer/a.json": b'{"id":1,"x":2}\n'}
    rows = rows_of(files, {"paths": ("a.json",), "container": "jsonl", "join": "answer/{file}"})
    assert [row.data for row in rows] == [b'{"id":1,"x":2}', DEEP, b'{"id":3}']


def stored(kind, *integers):
    """A column of `kind` from the integers that stand for its values."""
    return pa.array(integers, pa.int32() if kind == pa.date32() else pa.int64()).view(kind)


@pytest.mark.parametrize(
    "column, expected",
    [
        (stored(pa.timestamp("us"), 0, HUGE), ["1970-01-01T00:00:00", HUGE]),
        (stored(pa.timestamp("us", "Mars/Olympus"), 0, 1), [0, 1]),
        (stored(pa.date32(), 0, 2**31 - 1), ["1970-01-01", 2**31 - 1]),
        (stored(pa.duration("s"), 1, HUGE), ["PT1S", HUGE]),
        (stored(pa.time64("ns"), 1, 3_600_000_000_001), ["00:00:00.000000001", "01:00:00.000000001"]),
        (pa.array([[0], [HUGE]]).cast(pa.list_(pa.timestamp("us"))), [["1970-01-01T00:00:00"], [HUGE]]),
        (
            pa.StructArray.from_arrays([stored(pa.timestamp("us"), 0, HUGE)], ["t"]),
            [{"t": "1970-01-01T00:00:00"}, {"t": HUGE}],
        ),
        (
            pa.array([[("k", 0)], [("l", HUGE)]], pa.map_(pa.string(), pa.int64())).cast(
                pa.map_(pa.string(), pa.timestamp("us"))
            ),
            [[["k", "1970-01-01T00:00:00"]], [["l", HUGE]]],
        ),
    ],
)
def test_times_that_python_has_no_value_for(rows_of, column, expected):
    rows = rows_of({"x.parquet": parquet(pa.table({"n": [1, 2], "odd": column}))}, PARQUET)
    values = [msgspec.json.decode(row.data) for row in rows]
    assert [value["n"] for value in values] == [1, 2]
    assert [value["odd"] for value in values] == expected


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1.5, float("nan")]),
        pa.array([[1.5], [0.5, float("inf")]]),
        pa.array([{"a": {"b": 1.5}}, {"a": {"b": float("-inf")}}]),
        pa.array([[("k", 1.5)], [("k", float("nan"))]], pa.map_(pa.string(), pa.float64())),
        pa.array([1.5, float("nan")], pa.float32()).cast(pa.float16()),
    ],
)
def test_numbers_that_are_not_finite_stay_so(rows_of, column):
    table = pa.table({"day": [dt.date(2024, 2, 29)] * 2, "x": column, "text": ["é", "é"], "blob": [b"\xff"] * 2})
    good, bad = rows_of({"x.parquet": parquet(table)}, PARQUET)
    value = msgspec.json.decode(good.data)
    assert (value["day"], value["text"], value["blob"]) == ("2024-02-29", "é", {"bytes": "/w=="})
    assert b"1.5" in good.data
    assert any(word in bad.data for word in (b"NaN", b"Infinity"))
    assert '"text":"é"'.encode() in bad.data and b'"2024-02-29"' in bad.data


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_parquet_file_is_malformed(rows_of, seed):
    body = bytearray(parquet(pa.table({"n": list(range(300)), "t": ["x" * (n % 9) for n in range(300)]})))
    length = int.from_bytes(body[-8:-4], "little")
    noise = random.Random(seed)
    start = len(body) - 8 - length + noise.randrange(length // 2)
    body[start : start + 20] = noise.randbytes(20)
    try:
        rows = rows_of({"x.parquet": bytes(body)}, PARQUET)
    except MalformedSource as e:
        assert "source set (org/set in" in str(e) and "\n" not in str(e)
    else:
        assert len(rows) <= 300


def test_the_footer_must_be_one(rows_of):
    body = bytearray(parquet(pa.table({"n": [1]})))
    length = int.from_bytes(body[-8:-4], "little")
    body[-8 - length : -8] = b"\xff" * length
    with pytest.raises(MalformedSource, match=r"x\.parquet"):
        rows_of({"x.parquet": bytes(body)}, PARQUET)


def test_the_limit_of_csv_cells_is_put_back(rows_of):
    before = csv.field_size_limit()
    rows_of({"x.csv": b"a\n" + b"y" * 300_000 + b"\n"}, {"paths": ("x.csv",), "container": "csv"})
    with pytest.raises(MalformedSource):
        rows_of({"x.csv": b"a,a\n1,2\n"}, {"paths": ("x.csv",), "container": "csv"})
    assert csv.field_size_limit() == before
