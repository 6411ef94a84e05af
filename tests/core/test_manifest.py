import json
import os
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.commit import LedgerMismatch, commit
from gatling_beam.ledger import KINDS, LEAVING, Counts, Ledger, ledger_bytes, read_ledger
from gatling_beam.manifest import (
    Manifest,
    UnfinishedDirectory,
    make_manifest,
    manifest_sha256,
    read_manifest,
    stage_key,
    write_manifest,
)
from gatling_beam.sample import Tally
from gatling_beam.shards import ShardFile

TALLIES = [
    Tally("read", "xlam", "in", 10),
    Tally("read", "xlam", "out", 10),
    Tally("normalize", "xlam", "in", 10),
    Tally("normalize", "xlam", "expanded", 2),
    Tally("normalize", "xlam", "out", 6),
    Tally("normalize", "xlam", "no_call", 1),
    Tally("normalize", "xlam", "filtered", 1, "prefix_row"),
    Tally("normalize", "xlam", "dead", 3, "bad_arguments"),
    Tally("normalize", "xlam", "dead", 1, "cycle"),
    Tally("normalize", "xlam", "note", 5, "undeclared_argument"),
]
STAGES = ["read", "normalize"]


def options(**others):
    return {
        "stage": "tier1",
        "stage_key": "a" * 64,
        "recipe": {"target": 1000},
        "seed": 0,
        "versions": {"apache-beam": "2.77.0"},
        "sources": {},
        "format": "parquet",
        "files": [ShardFile("b.parquet", 200, 5, "00"), ShardFile("a.parquet", 300, 5, "11")],
        "target_samples": 1000,
    } | others


def ledger_of(**by_source):
    tallies = [Tally("write", source, kind, n) for source, n in by_source.items() for kind in ("in", "out")]
    return Ledger.from_tallies(tallies, ["write"])


def test_a_ledger_sums_and_splits_by_reason():
    ledger = Ledger.from_tallies(TALLIES, STAGES)
    assert ledger.stages["normalize"]["xlam"] == Counts(
        in_=10,
        expanded=2,
        out=6,
        no_call=1,
        filtered=1,
        dead=4,
        reasons={"dead": {"bad_arguments": 3, "cycle": 1}, "filtered": {"prefix_row": 1}},
        notes={"undeclared_argument": 5},
    )
    assert ledger.check() == []
    assert ledger.out_by_source() == {"xlam": 6}
    assert ledger.dead_by_source() == {"xlam": 4}
    stored = json.loads(ledger_bytes(ledger))
    assert stored["stages"]["normalize"]["xlam"]["in"] == 10


@given(st.randoms(use_true_random=False))
def test_a_ledger_does_not_depend_on_the_order_or_the_cut_of_tallies(rng: random.Random):
    pieces = [msgspec.structs.replace(t, n=1) for t in TALLIES for _ in range(t.n)]
    rng.shuffle(pieces)
    whole = Ledger.from_tallies(TALLIES, STAGES)
    assert ledger_bytes(Ledger.from_tallies(pieces, STAGES)) == ledger_bytes(whole)
    assert Ledger.from_tallies(whole.tallies(), STAGES) == whole


@pytest.mark.parametrize("kind", ["in", "expanded", *LEAVING])
def test_a_row_too_many_of_any_kind_is_found(kind):
    problems = Ledger.from_tallies([*TALLIES, Tally("normalize", "xlam", kind, 1)], STAGES).check()
    expected = 13 if kind in ("in", "expanded") else 12
    assert any(f"stage 'normalize', source 'xlam': in + expanded = {expected}, but" in problem for problem in problems)


def test_notes_stand_outside_the_balance():
    assert Ledger.from_tallies([*TALLIES, Tally("normalize", "xlam", "note", 99, "x")], STAGES).check() == []


def test_rows_lost_between_stages_are_found():
    less = [msgspec.structs.replace(t, n=9) if t.stage == "read" else t for t in TALLIES]
    assert Ledger.from_tallies(less, STAGES).check() == [
        "source 'xlam': 9 rows leave stage 'read', but 10 enter stage 'normalize'"
    ]
    vanished = [*TALLIES, Tally("read", "gone", "in", 4), Tally("read", "gone", "out", 4)]
    assert Ledger.from_tallies(vanished, STAGES).check() == [
        "source 'gone': 4 rows leave stage 'read', but 0 enter stage 'normalize'"
    ]


def test_a_source_may_join_later_and_a_stage_may_be_empty():
    joined = [*TALLIES, Tally("normalize", "gold", "in", 4), Tally("normalize", "gold", "out", 4)]
    assert Ledger.from_tallies(joined, ["read", "unused", "normalize"]).check() == []


def test_rows_that_enter_no_stage_at_all_are_lost():
    read = [Tally("read", "xlam", kind, 10) for kind in ("in", "out")]
    for stages in (["read", "normalize"], ["read", "normalize", "dedup"]):
        assert Ledger.from_tallies(read, stages).check() == [
            "source 'xlam': 10 rows leave stage 'read', but 0 enter stage 'normalize'"
        ]


def test_totals_are_sums_over_sources():
    more = [Tally("normalize", "gold", "in", 4), Tally("normalize", "gold", "dead", 4, "cycle")]
    total = Ledger.from_tallies([*TALLIES, *more], STAGES).total("normalize")
    assert (total.in_, total.dead, total.reasons["dead"]["cycle"]) == (14, 8, 5)
    assert Ledger.from_tallies([], STAGES).total("read") == Counts()


@pytest.mark.parametrize(
    "tally, message",
    [
        (Tally("write", "x", "out", 1), "stage='write', which is not one of read, normalize"),
        (Tally("read", "x", "lost", 1), "kind='lost', which is not one of in, expanded"),
        (Tally("read", "x", "out", -1), "n=-1; counts are 0 or more"),
    ],
)
def test_a_wrong_tally_is_refused(tally, message):
    with pytest.raises(ValueError, match=message):
        Ledger.from_tallies([tally], STAGES)


def test_the_kinds_are_those_of_a_tally():
    assert set(KINDS) == {kind.strip() for kind in Tally.__doc__.split("one of ")[1].split(".")[0].split(",")}


def test_a_manifest_works_out_its_counts():
    manifest = make_manifest(ledger=ledger_of(salesforce_xlam=400, toolbank=100, empty=0), **options())
    assert (manifest.actual_samples, manifest.target_samples, manifest.coverage) == (500, 1000, "50.0%")
    assert manifest.total_loaders_successful == 2
    assert manifest.loader_statistics == {"salesforce_xlam": 400, "toolbank": 100}
    assert [file.name for file in manifest.files] == ["a.parquet", "b.parquet"]
    assert {"python", "gatling-beam", "apache-beam", "pyarrow", "msgspec"} <= manifest.versions.keys()
    assert make_manifest(ledger=ledger_of(x=500), **options(target_samples=None)).coverage is None


def test_a_manifest_comes_back_equal_and_has_the_same_bytes(tmp_path):
    manifest = make_manifest(ledger=ledger_of(x=500), **options())
    write_manifest(str(tmp_path), manifest)
    first = manifest_sha256(str(tmp_path))
    assert read_manifest(str(tmp_path)) == manifest
    assert isinstance(read_manifest(str(tmp_path)).files[0], ShardFile)
    write_manifest(str(tmp_path), manifest)
    assert manifest_sha256(str(tmp_path)) == first
    assert os.listdir(tmp_path) == ["manifest.json"]


def test_a_file_listed_twice_is_refused():
    with pytest.raises(ValueError, match=r"listed twice: a\.parquet"):
        make_manifest(ledger=ledger_of(x=1), **options(files=[ShardFile("a.parquet", 1, 1, "0")] * 2))


def test_a_directory_without_manifest_is_unfinished(tmp_path):
    with pytest.raises(UnfinishedDirectory, match=r"has no manifest\.json.*--resume"):
        read_manifest(str(tmp_path))


@pytest.mark.parametrize("content", ["", "{}", '{"files": 3}'])
def test_a_broken_manifest_is_a_clear_error(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match="is not a manifest of this version"):
        read_manifest(str(tmp_path))


def test_a_broken_file_entry_is_a_clear_error(tmp_path):
    text = make_manifest(ledger=ledger_of(x=500), **options()).model_dump_json()
    (tmp_path / "manifest.json").write_text(text.replace('"rows":300', '"rows":"many"'))
    with pytest.raises(ValueError, match="is not a manifest"):
        read_manifest(str(tmp_path))


def test_a_stage_key_changes_with_everything_that_decides_the_rows():
    key = stage_key("tier1", {"a": 1, "b": [2]}, "0.1.0", ["x", "y"])
    assert key == stage_key("tier1", {"b": [2], "a": 1}, "0.1.0", ["y", "x"])
    assert len(key) == 64
    others = [
        stage_key("tier2", {"a": 1, "b": [2]}, "0.1.0", ["x", "y"]),
        stage_key("tier1", {"a": 2, "b": [2]}, "0.1.0", ["x", "y"]),
        stage_key("tier1", {"a": 1, "b": [2]}, "0.1.1", ["x", "y"]),
        stage_key("tier1", {"a": 1, "b": [2]}, "0.1.0", ["xy"]),
    ]
    assert len({key, *others}) == 5


def test_commit_writes_ledger_card_and_manifest(make_directory, tmp_path):
    directory = make_directory(tmp_path)
    assert {"ledger.json", "README.md", "manifest.json"} <= set(os.listdir(tmp_path))
    manifest = read_manifest(directory)
    assert isinstance(manifest, Manifest)
    assert [file.name for file in manifest.documents] == ["README.md", "ledger.json"]
    assert read_ledger(directory).out_by_source() == manifest.loader_statistics == {"xlam": 10}


def test_commit_refuses_books_that_do_not_add_up(tmp_path):
    with pytest.raises(LedgerMismatch, match="the files hold 500 rows, the ledger says 499"):
        commit(str(tmp_path), ledger_of(x=499), **options())
    unbalanced = Ledger.from_tallies([Tally("write", "x", "out", 500)], ["write"])
    with pytest.raises(LedgerMismatch, match=r"in \+ expanded = 0, but 500"):
        commit(str(tmp_path), unbalanced, **options())
    assert os.listdir(tmp_path) == ["ledger.json"]


def test_a_broken_ledger_is_a_clear_error(tmp_path):
    (tmp_path / "ledger.json").write_text("[]")
    with pytest.raises(ValueError, match="is not a ledger"):
        read_ledger(str(tmp_path))
