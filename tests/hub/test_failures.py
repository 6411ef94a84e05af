"""A read that goes wrong is tried again; it never gives rows that are not those of the file."""

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatling_beam.hub import (
    MalformedSource,
    SourceUnavailable,
    TruncatedSource,
    list_files,
    plan_units,
    read_unit,
    store,
)
from gatling_beam.sources.spec import SourceFiles

LINES = b"".join(b'{"n":%d}\n' % n for n in range(500))
FILES = {"README.md": b"# a set", "data/a.jsonl": LINES, "data/b.jsonl": LINES[:70], "more/c.jsonl": b"{}\n"}
PASSING = ["cut", "short_length", "short_range", "other_range", "other_size", "gzip", "ignore_range_short"]


def read(spec, revision=None, **cut):
    listing = list_files(spec, revision=revision)
    return [row for unit in plan_units(listing, **{"unit_bytes": 1000, **cut}) for row in read_unit(unit)]


@pytest.mark.parametrize("kind", [*PASSING, "408", "429", "500", "502", "503", "504"])
@pytest.mark.parametrize("lfs", [True, False])
def test_a_passing_fault_is_not_seen_in_the_rows(hub, waits, spec, kind, lfs):
    hub.add("org/set", FILES, lfs=lfs)
    whole = read(spec())
    hub.fail("cdn:/cdn" if lfs else "hub:/datasets/", kind, times=2)
    assert read(spec()) == whole
    assert [row.data for row in whole if "/a." in row.location] == LINES.splitlines()
    assert len(waits) == 2


@pytest.mark.parametrize("kind", PASSING)
def test_a_lasting_fault_ends_the_read(hub, waits, spec, kind):
    hub.add("org/set", FILES)
    hub.fail("cdn:/cdn", kind)
    with pytest.raises(TruncatedSource, match=r"data/a\.jsonl"):
        read(spec())
    assert len(hub.asked("/cdn/")) == store.ATTEMPTS


@pytest.mark.parametrize("status", ["429", "500", "503"])
def test_a_lasting_refusal_says_to_come_back(hub, waits, spec, status):
    hub.add("org/set", FILES)
    hub.fail("cdn:/cdn", status)
    with pytest.raises(SourceUnavailable, match=f"answers {status} for org/set.*run again later"):
        read(spec())


def test_retry_after_is_kept(hub, waits, spec):
    hub.add("org/set", FILES)
    hub.fail("hub:/api/datasets/org/set/revision", "429", times=1)
    read(spec())
    assert waits == [3.0]  # the server asked for 2; huggingface_hub adds one


@pytest.mark.parametrize("where", ["revision/main", "tree"])
@pytest.mark.parametrize("status", ["429", "500"])
def test_listing_is_tried_again_too(hub, waits, spec, where, status):
    hub.add("org/set", FILES)
    hub.fail(f"hub:/api/datasets/org/set/{where}", status, times=3)
    assert len(read(spec())) == 509
    assert len(waits) == 3


def test_a_server_that_ignores_ranges_gives_the_same_rows(hub, spec):
    hub.add("org/set", FILES)
    whole = read(spec())
    hub.fail("cdn:/cdn", "ignore_range")
    assert read(spec()) == whole


def test_whole_files_are_checked_against_their_hash(hub, waits, spec):
    table = FILES | {"x.json": b'[{"n":1},{"n":2}]'}
    array = spec(files=(SourceFiles(paths=("x.json",), container="json_array"),))
    hub.add("org/set", table)
    rows = read(array)
    first_byte_only = 1  # the read of one byte that shows whether the set is gated
    hub.fail("cdn:", "other_bytes", times=first_byte_only + 2)
    assert read(array) == rows
    hub.fail("cdn:", "other_bytes")
    with pytest.raises(TruncatedSource, match="SHA-256"):
        read(array)


def test_parquet_is_checked_while_arrow_reads_it(hub, waits, spec, monkeypatch):
    monkeypatch.setattr("gatling_beam.hub.parquet._WHOLE_BYTES", 0)
    sink = io.BytesIO()
    noise = random.Random(3)
    table = pa.table({"n": list(range(3000)), "text": [noise.randbytes(100).hex() for _ in range(3000)]})
    pq.write_table(table, sink, row_group_size=1000)
    hub.add("org/set", {"p.parquet": sink.getvalue()})
    one = spec(files=(SourceFiles(paths=("p.parquet",), container="parquet"),))
    listing = list_files(one)
    units = plan_units(listing, unit_bytes=1, row_group_bytes=1)
    assert len(units) == 3
    rows = [list(read_unit(unit)) for unit in units]
    assert [len(part) for part in rows] == [1000, 1000, 1000]
    for kind in PASSING:
        hub.fail("cdn:", kind, times=2)
        assert list(read_unit(units[1])) == rows[1]
        hub.fail("cdn:", kind)
        with pytest.raises(TruncatedSource):
            list(read_unit(units[1]))
        hub.faults.clear()


def test_a_row_group_is_read_without_the_others(hub, spec, monkeypatch):
    monkeypatch.setattr("gatling_beam.hub.parquet._WHOLE_BYTES", 0)
    sink = io.BytesIO()
    noise = random.Random(3)
    table = pa.table({"text": [noise.randbytes(500).hex() for _ in range(8000)]})
    pq.write_table(table, sink, row_group_size=1000)
    size = len(sink.getvalue())
    hub.add("org/set", {"p.parquet": sink.getvalue()})
    one = spec(files=(SourceFiles(paths=("p.parquet",), container="parquet"),))
    units = plan_units(list_files(one), unit_bytes=1, row_group_bytes=1)
    hub.requests.clear()
    rows = list(read_unit(units[5]))
    assert rows[0].location == "p.parquet:5000"
    assert sum(request.sent for request in hub.requests) < size / 8 + 200_000


def test_gated(hub, spec, monkeypatch):
    hub.add("org/set", FILES, gated=True, accepted=("hf_good",))
    advice = r"accept the terms at https://huggingface\.co/datasets/org/set and set HF_TOKEN"
    with pytest.raises(SourceUnavailable, match=advice):
        list_files(spec())
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    with pytest.raises(SourceUnavailable, match=advice):
        list_files(spec())
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    assert len(read(spec())) == 509


def test_the_token_goes_to_the_hub_alone(hub, spec, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.add("org/set", FILES)
    read(spec())
    assert {request.server for request in hub.requests} == {"hub", "cdn"}
    for request in hub.requests:
        assert ("hf_secret" in request.headers.get("authorization", "")) == (request.server == "hub")
    assert all("range" in request.headers for request in hub.requests if request.server == "cdn")


@pytest.mark.parametrize("token", [None, "hf_any"])
def test_no_such_data_set(hub, spec, monkeypatch, token):
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(SourceUnavailable, match=r"there is no data set org/set at .*check the id"):
        list_files(spec())


def test_no_such_revision(hub, spec):
    hub.add("org/set", FILES)
    with pytest.raises(SourceUnavailable, match="org/set has no revision 'v9'"):
        list_files(spec(), revision="v9")


@pytest.mark.parametrize("status, message", [("401", "HF_TOKEN"), ("403", "HF_TOKEN")])
def test_a_refusal_without_a_code(hub, spec, status, message):
    hub.add("org/set", FILES)
    hub.fail("hub:/datasets/org/set/resolve", status)
    with pytest.raises(SourceUnavailable, match=message):
        list_files(spec())


def test_offline(hub, spec, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(SourceUnavailable, match="unset it, or pass root="):
        list_files(spec())


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no-such-host.invalid"])
def test_nobody_listens(hub, waits, spec, monkeypatch, url):
    monkeypatch.setenv("HF_ENDPOINT", url)
    with pytest.raises(SourceUnavailable, match=r"cannot be reached .*check the network and HF_ENDPOINT"):
        list_files(spec())
    assert sum(waits) < 3


def test_a_mirror_that_changes_is_noticed(mirror, put, waits, spec):
    put(mirror, "org/set", FILES)
    listing = list_files(spec(), root=str(mirror))
    units = plan_units(listing, unit_bytes=1000)
    for body in (LINES[:-1], LINES + b"x"):
        put(mirror, "org/set", {"data/a.jsonl": body})
        with pytest.raises(TruncatedSource, match="when it was listed"):
            [row for unit in units for row in read_unit(unit)]
    (mirror / "org/set/data/a.jsonl").unlink()
    with pytest.raises(SourceUnavailable, match="is gone"):
        list(read_unit(units[0]))


def test_files_that_are_not_what_the_catalogue_says(rows_of):
    for body, how in (
        (b"PAR1 no", {"container": "parquet"}),
        (b'{"a":1}', {"container": "json_array"}),
        (b"[1,2", {"container": "json_array"}),
        (b"[1]", {"container": "json_object"}),
        (b'{"a":1}', {"container": "json_array", "rows_at": "b"}),
        (b"a,a\n1,2\n", {"container": "csv"}),
        (b'a,b\n"1,2\n', {"container": "csv"}),
    ):
        told = (
            r"^source set \(org/set in .*/mirror\): x\.dat.*Fetch the file again or repair it, or leave the source set"
        )
        with pytest.raises(MalformedSource, match=told):
            rows_of({"x.dat": body}, {"paths": ("x.dat",), **how})


def test_json_documents_over_the_limit_are_refused_before_they_are_read(rows_of, monkeypatch):
    monkeypatch.setattr("gatling_beam.hub.units.MAX_JSON_BYTES", 10)
    with pytest.raises(MalformedSource, match="at most 10 are read"):
        rows_of({"x.json": b'{"a":{},"b":{}}'}, {"paths": ("x.json",), "container": "json_object"})
