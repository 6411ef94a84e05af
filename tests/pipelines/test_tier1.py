"""The tier1 pipeline from end to end: every row is accounted for, and the files are the same however it runs."""

import gc
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatling_beam.hub import Listing, ReadRequest, Unit
from gatling_beam.ledger import read_ledger
from gatling_beam.manifest import read_manifest
from gatling_beam.pipelines import tier1 as tier1_module
from gatling_beam.pipelines.outcome import Outcome
from gatling_beam.sample import DeadLetter, Sample, SourceRow, Tally
from gatling_beam.shards import ShardFile, format_of, read_shard
from gatling_beam.transforms import _read_counted
from gatling_beam.validate_dir import validate_directory

Command = Callable[..., Any]


def contents(directory: Path) -> dict[str, bytes]:
    """Every file of a directory, by relative name."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def rows(directory: Path) -> list[Sample]:
    """The stored rows, by sample_id."""
    paths = sorted(str(path) for path in (directory / "data").iterdir())
    found = [row for path in paths for row in read_shard(path, format_of(path), Sample)]
    return sorted(found, key=lambda row: row.sample_id)


def test_every_row_is_accounted_for(finished: Path, expected: dict[str, tuple[int, ...]]) -> None:
    ledger = read_ledger(str(finished))
    assert ledger.check() == []
    assert list(ledger.stages) == ["read", "normalize", "validate", "dedup"]
    for source, (read, no_call, dead, duplicates, plans) in expected.items():
        held = ledger.stages["read"][source]
        normalized, unique = ledger.stages["normalize"][source], ledger.stages["dedup"][source]
        assert (held.in_, held.out) == (read, read)
        assert (normalized.in_, normalized.no_call, normalized.dead) == (read, no_call, dead)
        assert (unique.duplicate, unique.out) == (duplicates, plans)
    assert Counter(row.source.name for row in rows(finished)) == {name: found[-1] for name, found in expected.items()}
    assert validate_directory(str(finished)).problems == ()


def test_duplicates_go_to_the_source_of_least_priority_and_leave_their_wording(finished: Path) -> None:
    duplicate = read_ledger(str(finished)).stages["dedup"]["turkish"].reasons["duplicate"]
    assert duplicate == {"xlam": 20}
    row = next(row for row in rows(finished) if row.request == "Weather in town 3 for 3 days?")
    assert [(variant.language, variant.request) for variant in row.request_variants] == [
        ("tr", "town 3 için 3 günlük hava?")
    ]


def test_manifest_says_what_was_read_and_written(finished: Path) -> None:
    manifest = read_manifest(str(finished))
    assert [file.name for file in manifest.files] == [
        "data/part-00000-of-00002.parquet",
        "data/part-00001-of-00002.parquet",
    ]
    assert [file.name for file in manifest.dead_letters] == ["dead_letters/part-00000-of-00001.parquet"]
    assert manifest.recipe["sources"] == {name: version.revision for name, version in manifest.sources.items()}
    assert all(version.revision.startswith("local-") for version in manifest.sources.values())
    assert manifest.actual_samples == sum(file.rows for file in manifest.files) == 75
    assert set(contents(finished)) == {
        *(file.name for file in (*manifest.files, *manifest.dead_letters)),
        "ledger.json",
        "manifest.json",
        "README.md",
    }


def test_the_files_are_the_same_with_worker_processes_from_another_program(
    finished: Path, mirror: Path, tmp_path: Path
) -> None:
    """As a module, so that its functions would be those of __main__; in two worker processes."""
    command = [sys.executable, "-m", "gatling_beam.pipelines.tier1", "--root", mirror, "--sources=hermes,turkish,xlam"]
    done = subprocess.run(
        [*command, "--shards=2", "--workers=2", "--output", tmp_path / "out"],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "xlam" in done.stdout and "gatling-beam inspect" in done.stdout
    assert contents(tmp_path / "out") == contents(finished)


def test_the_files_are_the_same_when_every_bundle_is_tried_twice(
    finished: Path, tier1: Command, tmp_path: Path
) -> None:
    assert tier1(tmp_path / "out", "--shards=2", "--direct_runner_bundle_repeat=1").code == 0
    assert contents(tmp_path / "out") == contents(finished)


@pytest.mark.parametrize("format", ["jsonl", "avro"])
def test_other_formats_hold_the_same_rows(finished: Path, tier1: Command, tmp_path: Path, format: str) -> None:
    assert tier1(tmp_path / "out", f"--format={format}").code == 0
    assert rows(tmp_path / "out") == rows(finished)
    assert validate_directory(str(tmp_path / "out")).problems == ()


def test_target_takes_exactly_so_many_and_the_same_ones_in_any_number_of_files(
    finished: Path, tier1: Command, tmp_path: Path
) -> None:
    assert tier1(tmp_path / "a", "--target=20", "--seed=5", "--shards=1").code == 0
    assert tier1(tmp_path / "b", "--target=20", "--seed=5", "--shards=3", "--format=jsonl").code == 0
    assert tier1(tmp_path / "c", "--target=20", "--seed=6", "--shards=1").code == 0
    a, b, c = (rows(tmp_path / name) for name in "abc")
    assert len(a) == 20
    assert a == b
    assert {row.sample_id for row in a} != {row.sample_id for row in c}
    everything = {row.sample_id for row in rows(finished)}
    assert {row.sample_id for row in [*a, *c]} <= everything
    total = read_ledger(str(tmp_path / "a")).total("take")
    assert (total.in_, total.out, total.not_selected) == (75, 20, 55)
    assert read_manifest(str(tmp_path / "a")).coverage == "100.0%"
    assert validate_directory(str(tmp_path / "b")).problems == ()


def test_target_does_not_depend_on_the_number_of_staged_files(
    tier1: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tier1(tmp_path / "a", "--target=20", "--shards=2").code == 0
    monkeypatch.setattr("gatling_beam.pipelines.preflight._ROWS_PER_SHARD", 20)
    assert tier1(tmp_path / "b", "--target=20", "--shards=2").code == 0
    assert contents(tmp_path / "a/data") == contents(tmp_path / "b/data")


def test_target_that_cannot_be_met_is_said(finished: Path, tier1: Command, tmp_path: Path) -> None:
    done = tier1(tmp_path / "out", "--target=100", "--shards=2")
    assert done.code == 0
    assert "25 rows short of the 100 asked for" in done.out
    assert read_ledger(str(tmp_path / "out")).stages["take"][""].notes == {"shortfall": 25}
    assert read_manifest(str(tmp_path / "out")).coverage == "75.0%"
    assert rows(tmp_path / "out") == rows(finished)


def test_limit_is_rows_of_each_source(tier1: Command, tmp_path: Path) -> None:
    assert tier1(tmp_path / "out", "--limit=5").code == 0
    read = {name: counts.in_ for name, counts in read_ledger(str(tmp_path / "out")).stages["normalize"].items()}
    assert read == {"xlam": 5, "turkish": 5, "hermes": 5}


def test_near_leaves_out_rows_that_are_almost_equal(gatling: Command, tmp_path: Path) -> None:
    def row(i: int, text: str) -> dict[str, Any]:
        call = {"name": "note", "arguments": {"text": f"{text} {i}"}}
        tools = [{"name": "note", "description": "d", "parameters": {"text": {"type": "str", "description": "d"}}}]
        return {"id": i, "query": f"Note: {text} {i}", "answers": json.dumps([call]), "tools": json.dumps(tools)}

    long = " ".join(f"word{k}" for k in range(100))
    file = tmp_path / "mirror/Salesforce/xlam-function-calling-60k/xlam_function_calling_60k.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps([row(1, long), row(2, long), row(3, "something else altogether, and shorter")]))
    common = ["--root", tmp_path / "mirror", "--sources=xlam", "--workers=1", "--quiet"]
    assert gatling("tier1", *common, "--output", tmp_path / "all").code == 0
    assert gatling("tier1", *common, "--output", tmp_path / "near", "--near=0.8").code == 0
    assert [row.original_id for row in sorted(rows(tmp_path / "all"), key=lambda row: row.original_id)] == [
        "1",
        "2",
        "3",
    ]
    assert [row.original_id for row in sorted(rows(tmp_path / "near"), key=lambda row: row.original_id)] == ["1", "3"]
    assert list(read_ledger(str(tmp_path / "near")).stages) == ["read", "normalize", "validate", "dedup", "write"]
    assert validate_directory(str(tmp_path / "near")).problems == ()


@pytest.mark.parametrize("arguments", [["--target=20"], ["--near=0.9"]])
def test_nothing_between_steps_is_pickled(
    tier1: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    def refuse(self: Any) -> Any:
        raise AssertionError(f"{type(self).__name__} has no coder of its own here")

    for struct in (SourceRow, Sample, DeadLetter, Tally, ShardFile, ReadRequest, Listing, Unit):
        monkeypatch.setattr(struct, "__reduce__", refuse)
    assert tier1(tmp_path / "out", *arguments).code == 0


def test_too_many_bad_rows_fail_the_run(tier1: Command, tmp_path: Path) -> None:
    done = tier1(tmp_path / "out", "--max_bad_fraction=0.01")
    assert done.code == 1
    assert "4 of 102 rows are bad (3.9%)" in done.err and "Traceback" not in done.err
    assert not (tmp_path / "out/manifest.json").exists()
    assert tier1(tmp_path / "out", "--max_bad_fraction=0.04", "--resume").code == 0


def test_a_source_without_any_row_is_said_loudly(gatling: Command, tmp_path: Path) -> None:
    file = tmp_path / "mirror/atasoglu/turkish-function-calling-20k/train.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text("")
    done = gatling(
        "tier1",
        "--root",
        tmp_path / "mirror",
        "--sources=turkish",
        "--workers=1",
        "--quiet",
        "--output",
        tmp_path / "out",
    )
    assert done.code == 0
    assert "source turkish gave no row at all" in done.err
    assert read_ledger(str(tmp_path / "out")).stages["read"]["turkish"].in_ == 0


def test_a_source_with_bytes_and_no_row_fails_the_run(gatling: Command, tmp_path: Path) -> None:
    file = tmp_path / "mirror/atasoglu/turkish-function-calling-20k/train.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text("\n\n")
    common = ["tier1", "--root", tmp_path / "mirror", "--sources=turkish", "--workers=1", "--output", tmp_path / "out"]
    done = gatling(*common)
    assert done.code == 1
    assert "no row was read from turkish" in done.err and "--skip_unavailable" in done.err
    assert not (tmp_path / "out/manifest.json").exists()
    assert gatling(*common, "--skip_unavailable", "--overwrite").code == 0


@pytest.mark.parametrize("kept", [0, 20])
def test_rows_that_are_lost_right_after_they_are_read_fail_the_run(
    tier1: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    real = _read_counted._ReadUnit.process
    monkeypatch.setattr(_read_counted._ReadUnit, "process", lambda self, unit: list(real(self, unit))[:kept])
    done = tier1(tmp_path / "out")
    assert done.code == 1
    assert "63 rows leave stage 'read', but " in done.err and "'xlam'" in done.err
    assert not (tmp_path / "out/manifest.json").exists()


def test_a_source_that_is_there_in_part(tier1: Command, mirror: Path, tmp_path: Path) -> None:
    root = tmp_path / "mirror"
    shutil.copytree(mirror, root)
    (root / "NousResearch/hermes-function-calling-v1/json-mode-agentic.json").unlink()
    refused = tier1(tmp_path / "out", "--root", root)
    assert refused.code == 1
    assert "1 part of a source is unavailable" in refused.err and "hermes/json_mode_agentic/train" in refused.err
    done = tier1(tmp_path / "out", "--root", root, "--skip_unavailable")
    assert done.code == 0
    assert "unavailable: hermes/json_mode_agentic/train: no file matches json-mode-agentic.json" in done.out
    assert read_manifest(str(tmp_path / "out")).recipe["unavailable"] == ["hermes/json_mode_agentic/train"]
    hermes = read_ledger(str(tmp_path / "out")).stages["read"]["hermes"]
    assert hermes.notes == {"unavailable json_mode_agentic/train": 1}
    assert hermes.in_ == 12


def test_a_run_leaves_the_process_as_it_was(tier1: Command, tmp_path: Path) -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    assert tier1(tmp_path / "out").code == 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, frozen)


def test_a_row_that_is_lost_on_the_way_fails_the_run(
    tier1: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lossy(path: str) -> Outcome:
        outcome = real(path)
        lost = Tally("validate", "xlam", "in", -1)
        tallies = [
            msgspec.structs.replace(tally, n=tally.n + lost.n)
            if (tally.stage, tally.source, tally.kind) == ("validate", "xlam", "in")
            else tally
            for tally in outcome.tallies
        ]
        return msgspec.structs.replace(outcome, tallies=tuple(tallies))

    real = tier1_module.read_outcome
    monkeypatch.setattr(tier1_module, "read_outcome", lossy)
    done = tier1(tmp_path / "out")
    assert done.code == 1
    assert "the ledger does not add up" in done.err and "'xlam'" in done.err
    assert not (tmp_path / "out/manifest.json").exists()


def test_a_file_with_fewer_rows_than_were_counted_fails_the_run(
    tier1: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lossy(build: Any, options: Any) -> None:
        real(build, options)
        file = tmp_path / "out/data/part-00000-of-00001.jsonl"
        file.write_text("\n".join(file.read_text("utf-8").splitlines()[1:]) + "\n", "utf-8")

    real = tier1_module.run_pipeline
    monkeypatch.setattr(tier1_module, "run_pipeline", lossy)
    done = tier1(tmp_path / "out", "--format=jsonl")
    assert done.code == 1
    assert "the files hold 74 rows, the ledger says 75" in done.err
    assert not (tmp_path / "out/manifest.json").exists()


def test_a_malformed_file_is_an_error_for_users(gatling: Command, tmp_path: Path) -> None:
    file = tmp_path / "mirror/Salesforce/xlam-function-calling-60k/xlam_function_calling_60k.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"not": "an array"}))
    done = gatling(
        "tier1", "--root", tmp_path / "mirror", "--sources=xlam", "--workers=1", "--quiet", "--output", tmp_path / "out"
    )
    assert done.code == 1
    assert "is not a JSON array" in done.err and "while running" not in done.err
    assert "source xlam (Salesforce/xlam-function-calling-60k in " in done.err and "repair it" in done.err
    assert "Traceback" not in done.err and len(done.err.splitlines()) == 1
    assert not (tmp_path / "out/manifest.json").exists()
