"""What a row is, in every container; a property says that the cut into units never matters."""

import base64
import bz2
import datetime as dt
import decimal
import gzip
import io
import json
import random
from itertools import pairwise

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatling_beam.hub import MalformedSource, Part, list_files, plan_units, read_unit
from gatling_beam.hub.arrays import array_rows
from gatling_beam.sources.spec import SourceFiles

LINES = {"paths": ("*.jsonl*",), "container": "jsonl"}


def data(rows):
    return [json.loads(row.data) for row in rows]


def parquet(table, **options):
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def test_lines_are_kept_as_they_are(rows_of):
    text = '{"b": 1,  "a":[ ]}\r\n\n{"é":"\\u00e9"}\nnot JSON\n{"b": NaN}'.encode()
    rows = rows_of({"x.jsonl": text}, LINES)
    assert [row.data for row in rows] == [line.rstrip(b"\r") for line in text.split(b"\n") if line]
    assert [row.location for row in rows] == ["x.jsonl:0", "x.jsonl:21", "x.jsonl:37", "x.jsonl:46"]


@pytest.mark.parametrize(
    "suffix, compress", [(".gz", gzip.compress), (".zst", zstandard.compress), (".bz2", bz2.compress)]
)
def test_compressed_lines_are_those_of_the_text(rows_of, suffix, compress):
    text = b"".join(b'{"n":%d}\r\n\n' % n for n in range(2000))
    plain = rows_of({"x.jsonl": text}, LINES)
    two_members = compress(text[:5000]) + compress(text[5000:])
    packed = rows_of({f"y.jsonl{suffix}": two_members}, {**LINES, "paths": ("y.*",)}, unit_bytes=100)
    assert [row.data for row in packed] == [row.data for row in plain]
    assert [row.location[2:] for row in packed] == [
        row.location[2:].replace("jsonl", f"jsonl{suffix}") for row in plain
    ]
    with pytest.raises(MalformedSource, match="cannot be read"):
        rows_of({f"z.jsonl{suffix}": compress(text)[:-9]}, {**LINES, "paths": ("z.*",)})


def test_arrays_give_the_text_of_their_rows(rows_of):
    how = {"paths": ("x.json",), "container": "json_array"}
    rows = rows_of({"x.json": b'\xef\xbb\xbf [ {"a" : 1.0},\n {"a":"\\u00e9"}, 3 ]'}, how)
    assert [row.data for row in rows] == [b'{"a" : 1.0}', b'{"a":"\\u00e9"}', b"3"]
    assert [row.location for row in rows] == ["x.json:0", "x.json:1", "x.json:2"]


def test_arrays_that_only_a_lenient_reader_takes(rows_of):
    text = b'[{"a":NaN},{"a":"tab\there"},{"a":"\\ud800"},{"a":123456789012345678901234567890},{"a":"\xff"}]'
    rows = rows_of({"x.json": text}, {"paths": ("x.json",), "container": "json_array"})
    assert [row.data for row in rows] == [
        b'{"a": NaN}',
        b'{"a": "tab\\there"}',
        b'{"a": "\\ud800"}',
        b'{"a":123456789012345678901234567890}',
        b'{"a": "\\udcff"}',
    ]


@pytest.mark.parametrize("spoil", [b"", b'"bad":NaN,'])
def test_objects_keyed_by_id(rows_of, spoil):
    text = b'{"u1":{%s"a":1},"u2":{"a":2},"u3":[4]}' % spoil
    rows = rows_of({"x.json": text}, {"paths": ("x.json",), "container": "json_object", "key": "uuid"})
    found = data(rows)
    found[0].pop("bad", None)
    assert found == [{"uuid": "u1", "a": 1}, {"uuid": "u2", "a": 2}, [4]]
    assert rows[1].location == "x.json:1"


ROW = st.recursive(
    st.one_of(
        st.none(),
        st.integers(-(10**25), 10**25),
        st.floats(allow_nan=True),
        st.sampled_from(["}, {", '"},', "\\", "é𝄞", "\ud800", "\x01", "],[", ""]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["a", "}", ","]), inner)),
    max_leaves=12,
)


@given(
    rows=st.lists(ROW, max_size=12),
    window=st.integers(1, 60),
    indent=st.sampled_from([None, 0, 1]),
    ascii_=st.booleans(),
)
def test_an_array_is_read_the_same_in_any_window(rows, window, indent, ascii_):
    text = json.dumps(rows, indent=indent, ensure_ascii=ascii_).encode("utf-8", "surrogatepass")
    if not ascii_:
        text = text.replace(b"\xed\xa0\x80", b"\\ud800")
    with pytest.MonkeyPatch.context() as patch:
        whole = list(array_rows(io.BytesIO(text), "x"))
        patch.setattr("gatling_beam.hub.arrays.WINDOW_BYTES", window)
        assert list(array_rows(io.BytesIO(b"\xef\xbb\xbf \n" + text + b" \n"), "x")) == whole
    assert repr([json.loads(row) for row in whole]) == repr(rows)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[",
        b"[1",
        b"[1,",
        b"[1,]",
        b"[,1]",
        b"[1]2",
        b"[1]]",
        b'["a]',
        b"[{},,{}]",
        b'[{"a":[1},2]',
        b'[{"a":1,{"b":2},{"b":3}]',
    ],
)
@pytest.mark.parametrize("window", [1, 2, 3, 1000])
def test_what_is_no_array_is_refused(text, window, monkeypatch):
    monkeypatch.setattr("gatling_beam.hub.arrays.WINDOW_BYTES", window)
    with pytest.raises(MalformedSource):
        list(array_rows(io.BytesIO(text), "x"))


def test_a_large_array_is_held_in_part_only(monkeypatch):
    monkeypatch.setattr("gatling_beam.hub.arrays.WINDOW_BYTES", 1000)
    text = json.dumps([{"n": n, "m": [{"r": "u"}, {"r": "a"}]} for n in range(5000)]).encode()
    stream = io.BytesIO(text)
    rows = array_rows(stream, "x")
    for n in range(100):
        assert json.loads(next(rows))["n"] == n
    assert stream.tell() < 10_000


@pytest.mark.parametrize("canary", [b'"x"', b"NaN"])
def test_rows_in_a_member(rows_of, canary):
    text = b'{"canary":%s,"behaviors":[{"id":"1"},{"id":"2"}]}' % canary
    how = {"paths": ("x.json",), "rows_at": "behaviors"}
    for container in ("json_array", "json_object"):
        assert data(rows_of({"x.json": text}, {**how, "container": container})) == [{"id": "1"}, {"id": "2"}]
    assert data(rows_of({"x.json": text}, {**how, "container": "json_file"})) == [[{"id": "1"}, {"id": "2"}]]


def test_one_row_a_file(rows_of, mirror, spec):
    files = {f"answers/{n}.json": b' {\n "n": %d}\n' % n for n in range(600)} | {"answers/bad.json": b"{"}
    rows = rows_of(files, {"paths": ("answers/*.json",), "container": "json_file"})
    assert [row.location for row in rows] == sorted(files)
    assert rows[-1].data == b"{"
    assert rows[0].data == b'{\n "n": 0}'
    one = spec(files=(SourceFiles(paths=("answers/*.json",), container="json_file"),))
    assert len(plan_units(list_files(one, root=str(mirror)))) == 3  # small files share a unit, 256 at most


def test_csv_values_are_text(rows_of):
    text = '\ufeffprompt,label\r\n"two\nlines, ""quoted""",1\r\n\r\né,\r\nshort\r\n'.encode() + b"\xff,2\r\n"
    rows = rows_of({"x.csv": text}, {"paths": ("x.csv",), "container": "csv"})
    assert data(rows) == [
        {"prompt": 'two\nlines, "quoted"', "label": "1"},
        {"prompt": "é", "label": ""},
        ["short"],
        {"prompt": "\\xff", "label": "2"},
    ]
    assert [row.location for row in rows] == ["x.csv:0", "x.csv:1", "x.csv:2", "x.csv:3"]


def test_csv_cells_may_be_long(rows_of):
    rows = rows_of({"x.csv": b"a\n" + b"y" * 300_000 + b"\n"}, {"paths": ("x.csv",), "container": "csv"})
    assert len(data(rows)[0]["a"]) == 300_000


def test_parquet_values(rows_of):
    table = pa.table(
        {
            "list": pa.array([[{"role": "user", "n": None}], None]),
            "day": pa.array([dt.date(2024, 2, 29), None]),
            "us": pa.array([dt.datetime(2024, 2, 29, 1, 2, 3, 4), None], pa.timestamp("us")),
            "ns": pa.array([dt.datetime(2024, 2, 29, 1, 2, 3), None], pa.timestamp("ns", "Europe/Berlin")),
            "money": pa.array([decimal.Decimal("1.50"), None], pa.decimal128(9, 2)),
            "blob": pa.array([b"\xff\x00", b"text"]),
            "inner": pa.array([{"bytes": b"\x01", "path": "p"}, None]),
            "u64": pa.array([2**64 - 1, 0], pa.uint64()),
            "float": pa.array([float("nan"), 0.1]),
        }
    )
    first, second = data(rows_of({"x.parquet": parquet(table)}, {"paths": ("*.parquet",), "container": "parquet"}))
    assert first == {
        "list": [{"role": "user", "n": None}],
        "day": "2024-02-29",
        "us": "2024-02-29T01:02:03.000004",
        "ns": "2024-02-29T02:02:03+01:00",
        "money": "1.50",
        "blob": {"bytes": base64.b64encode(b"\xff\x00").decode()},
        "inner": {"bytes": {"bytes": "AQ=="}, "path": "p"},
        "u64": 2**64 - 1,
        "float": pytest.approx(float("nan"), nan_ok=True),
    }
    assert second["blob"] == {"bytes": "dGV4dA=="}
    assert second["float"] == 0.1


def test_a_parquet_row_with_broken_text_is_one_bad_row(rows_of):
    column = pa.array([b"good", b"\xff", b"fine"]).view(pa.string())
    rows = rows_of({"x.parquet": parquet(pa.table({"a": column}))}, {"paths": ("*.parquet",), "container": "parquet"})
    assert data(rows)[0] == {"a": "good"}
    assert "cannot be read: 'utf-8' codec" in data(rows)[1]
    assert data(rows)[2] == {"a": "fine"}


@pytest.mark.parametrize("whole", [0, 1 << 20])
@pytest.mark.parametrize("size", [1, 3_000, 10_000, 1 << 30])
def test_row_groups_in_any_number_a_unit(rows_of, monkeypatch, whole, size):
    monkeypatch.setattr("gatling_beam.hub.parquet._WHOLE_BYTES", whole)
    table = pa.table({"n": list(range(2500)), "t": [f"row {n}" for n in range(2500)]})
    how = {"paths": ("*.parquet",), "container": "parquet"}
    files = {"x.parquet": parquet(table, row_group_size=100), "y.parquet": parquet(table[:0])}
    rows = rows_of(files, how, unit_bytes=size, row_group_bytes=size)
    assert data(rows) == table.to_pylist()
    assert [row.location for row in rows] == [f"x.parquet:{n}" for n in range(2500)]


def test_row_groups_are_put_together_up_to_the_limit(mirror, put, spec):
    table = pa.table({"t": [random.Random(n).randbytes(50) for n in range(1000)]})
    put(mirror, "org/set", {"x.parquet": parquet(table, row_group_size=100)})
    listing = list_files(spec(files=(SourceFiles(paths=("*.parquet",), container="parquet"),)), root=str(mirror))
    sizes = [pq.ParquetFile(mirror / "org/set/x.parquet").metadata.row_group(i).total_byte_size for i in range(10)]
    units = plan_units(listing, unit_bytes=1, row_group_bytes=3 * max(sizes))
    assert [(part.start, part.stop) for unit in units for part in unit.parts] == [(0, 3), (3, 6), (6, 9), (9, 10)]


COMPANION = b'{"id":"s_1","ground_truth":[{"f":{}}],"question":"other"}\n{"id":7,"ground_truth":[]}\n'


def test_companions_are_joined_by_id(rows_of):
    files = {
        "set_a.json": b'{"id": "s_1", "question":"q"}\n{"id":"s_2"}\n{"id":7}\n{"id":[1]}\n[0]\nbroken\n',
        "set_b.json": b'{"id":"s_1"}\n',
        "answer/set_a.json": COMPANION,
        "answer/set_b.json": b"",
    }
    how = {"paths": ("set_*.json",), "container": "jsonl", "join": "answer/{file}"}
    for cut in ({}, {"unit_bytes": 1}, {"limit": 50}):
        rows = rows_of(files, how, **cut)
        assert data(rows[:5]) == [
            {"id": "s_1", "question": "q", "ground_truth": [{"f": {}}]},
            {"id": "s_2"},
            {"id": 7, "ground_truth": []},
            {"id": [1]},
            [0],
        ]
        assert [row.data for row in rows[5:]] == [b"broken", b'{"id":"s_1"}']
        assert list(data(rows[:1])[0]) == ["id", "question", "ground_truth"]


def test_a_companion_without_ids_is_refused(rows_of):
    how = {"paths": ("a.json",), "container": "jsonl", "join": "answer/{file}"}
    with pytest.raises(MalformedSource, match=r"answer/a\.json:0 is not a JSON object with an id"):
        rows_of({"a.json": b'{"id":1}\n', "answer/a.json": b"{}\n"}, how)


FILES = {
    "a.jsonl": b"".join(b'{"a":%d}\n' % n for n in range(50)),
    "b.json": b'[{"b":0},{"b":1}]',
    "c.parquet": parquet(pa.table({"c": list(range(30))}), row_group_size=7),
    "d.jsonl.gz": gzip.compress(b'{"d":0}\n{"d":1}\n'),
    "e/0.json": b'{"e":0}',
    "e/1.json": b'{"e":1}',
}
ENTRIES = (
    SourceFiles(paths=("c.parquet",), container="parquet", config="c"),
    SourceFiles(paths=("*.jsonl", "*.jsonl.gz"), container="jsonl"),
    SourceFiles(paths=("b.json",), container="json_array", split="test"),
    SourceFiles(paths=("e/*.json",), container="json_file", config="e"),
)


@pytest.mark.parametrize("limit", [1, 6, 7, 8, 30, 31, 80, 83, 84, 86, 1000])
def test_limit_is_the_first_rows_in_file_order(mirror, put, spec, limit):
    put(mirror, "org/set", FILES)
    listing = list_files(spec(files=ENTRIES), root=str(mirror))
    everything = [row for unit in plan_units(listing, unit_bytes=40) for row in read_unit(unit)]
    assert len(everything) == 86
    (unit,) = plan_units(listing, limit=limit)
    assert list(read_unit(unit)) == everything[:limit]


def test_the_same_rows_from_the_hub(hub, mirror, put, spec):
    put(mirror, "org/set", FILES)
    hub.add("org/set", FILES)
    read = []
    for root in (str(mirror), None):
        listing = list_files(spec(files=ENTRIES), root=root)
        rows = [row for unit in plan_units(listing, unit_bytes=40) for row in read_unit(unit)]
        read.append([msgspec.structs.replace(row, revision="") for row in rows])
    assert read[0] == read[1]
    assert {(row.config, row.split) for row in read[0]} == {
        ("c", "train"),
        ("default", "train"),
        ("default", "test"),
        ("e", "train"),
    }


@given(
    files=st.lists(st.lists(st.sampled_from(['{"n":1}', "", '{"t":"é𝄞"}', '{"x":"' + "y" * 90 + '"}'])), max_size=10),
    crlf=st.booleans(),
    closed=st.booleans(),
    unit_bytes=st.integers(1, 200),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_units_hold_every_byte_once_and_give_the_same_rows(spec, files, crlf, closed, unit_bytes):
    import fsspec

    end = "\r\n" if crlf else "\n"
    memory = fsspec.filesystem("memory")
    if memory.exists("/p"):
        memory.rm("/p", recursive=True)
    for n, lines in enumerate(files):
        text = end.join(lines) + (end if closed and lines else "")
        memory.pipe(f"/p/org/set/data/{n}.jsonl", text.encode())
    memory.pipe("/p/org/set/data/z.jsonl", b"{}")
    listing = list_files(spec(), root="memory://p")
    units = plan_units(listing, unit_bytes=unit_bytes)
    parts: dict[str, list[Part]] = {}
    for unit in units:
        assert sum(part.stop - part.start for part in unit.parts) <= unit_bytes
        for part in unit.parts:
            parts.setdefault(part.file.path, []).append(part)
    for file in listing.files:
        pieces = [(part.start, part.stop) for part in parts.get(file.path, [])]
        edges = sorted({edge for piece in pieces for edge in piece} | {0, file.size})
        assert pieces == list(pairwise(edges))
    rows = [row for unit in units for row in read_unit(unit)]
    (whole,) = plan_units(listing, limit=10**6)
    assert rows == list(read_unit(whole))
    expected = [line.encode() for lines in files for line in lines if line]
    assert [row.data for row in rows] == [*expected, b"{}"]
