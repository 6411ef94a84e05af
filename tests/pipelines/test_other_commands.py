"""`sources`, `inspect` and `validate`."""

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gatling_beam.shards import FORMATS
from gatling_beam.sources import load_catalogue

Command = Callable[..., Any]


def test_commands_that_run_no_pipeline_do_not_wait_for_beam() -> None:
    code = (
        "import sys, gatling_beam.pipelines.cli as c; from gatling_beam.pipelines import inspect, sources, validate; "
    )
    code += "print('apache_beam' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_sources_lists_every_name_whole(gatling: Command) -> None:
    done = gatling("sources")
    assert done.code == 0
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(load_catalogue())
    assert all(spec.hub_id in done.out for spec in load_catalogue().values())
    assert "not checked" in done.err


def test_sources_says_what_a_mirror_holds(gatling: Command, mirror: Path) -> None:
    done = gatling("sources", "--root", mirror, "--role=plans")
    there = {line.split()[0] for line in done.out.splitlines() if line.endswith("yes")}
    assert there == {"xlam", "turkish", "hermes"}
    assert "no folder" in gatling("sources", "--root", mirror, "--check").err


def test_sources_on_a_terminal_is_a_table(gatling: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    done = gatling("sources", "--role=reasoning")
    assert "gsm8k" in done.out and "─" in done.out


def test_inspect_shows_plans(gatling: Command, finished: Path) -> None:
    done = gatling("inspect", finished, "--n=2", "--source=turkish")
    assert done.code == 0
    assert done.out.count("plan: 1 calls, 0 edges") == 2
    assert "forecast   trust 1 USER" in done.out and 'city = "köy' in done.out


def test_inspect_finds_a_row_by_its_id_in_a_file(gatling: Command, finished: Path) -> None:
    file = finished / "data/part-00001-of-00002.parquet"
    wanted = pq.read_table(file, columns=["sample_id"])["sample_id"].to_pylist()[7]
    done = gatling("inspect", file, "--id", wanted)
    assert done.out.startswith(wanted) and done.out.count("plan:") == 1
    assert "no such row" in gatling("inspect", file, "--id=nowhere").err


def test_inspect_shows_dead_letters_as_a_table(gatling: Command, finished: Path) -> None:
    done = gatling("inspect", finished / "dead_letters/part-00000-of-00001.parquet", "--n=50")
    lines = done.out.splitlines()
    assert lines[0].split() == ["reason", "source", "location", "detail"]
    assert len(lines) == 5
    assert any("undeclared_tool" in line and "xlam" in line and "'other'" in line for line in lines)


@pytest.mark.parametrize("format", ["jsonl", "avro"])
def test_inspect_reads_every_format(tier1: Command, gatling: Command, tmp_path: Path, format: str) -> None:
    assert tier1(tmp_path / "out", f"--format={format}", "--limit=3", "--quiet").code == 0
    assert gatling("inspect", tmp_path / "out", "--n=1").out.count("plan:") == 1
    assert "no such row" in gatling("inspect", tmp_path / f"out/dead_letters/part-00000-of-00001.{format}").err


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.txt", "x", "ends in none of"),
        ("a.parquet", "x", "cannot be read as parquet"),
        ("a.jsonl", '{"a": 1}\n', "neither samples, gold traces, contrast sets nor dead letters"),
        ("a.jsonl", '{"sample_id": 1}\n', "cannot be decoded"),
        ("", "", "no data files"),
        ("missing.parquet", "", "is not there"),
    ],
)
def test_inspect_of_something_else(gatling: Command, tmp_path: Path, name: str, content: str, word: str) -> None:
    if content:
        (tmp_path / name).write_text(content)
    done = gatling("inspect", tmp_path / name)
    assert done.code == 1
    assert word in done.err and "Traceback" not in done.err


@pytest.mark.parametrize("format", FORMATS)
def test_inspect_of_damaged_files_says_so(
    gatling: Command, make_directory: Command, tmp_path: Path, format: str
) -> None:
    file = Path(make_directory(tmp_path / "out", shards=1, format=format), f"part-00000-of-00001.{format}")
    data = file.read_bytes()
    rng = random.Random(7)
    failed = 0
    for _ in range(40):
        bad = bytearray(data[: rng.choice((len(data), rng.randrange(1, len(data))))])
        for _ in range(rng.choice((1, 3, 200))):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        file.write_bytes(bad)
        done = gatling("inspect", file, "--n=100")
        assert done.code == 0 or file.name in done.err
        failed += done.code
    assert failed > 10


@pytest.mark.parametrize(
    ("place", "word"),
    [("foo://x/y", "Protocol not known: foo"), ("github://x", "cannot be opened"), ("a::b", "chains file systems")],
)
def test_places_that_cannot_be_reached(gatling: Command, place: str, word: str) -> None:
    for command in (
        ("inspect", place),
        ("validate", place),
        ("tier1", "--root=embedded", f"--output={place}"),
        ("tier1", f"--root={place}", "--output=out"),
        ("gold", "--sample", f"--output={place}"),
    ):
        done = gatling(*command)
        assert done.code == 2
        assert place in done.err and word in done.err and "Traceback" not in done.err


def test_a_file_system_whose_package_is_missing(gatling: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    done = gatling("inspect", "s3://bucket/rows.parquet")
    assert done.code == 2
    assert "s3://bucket/rows.parquet" in done.err and "not installed" in done.err and "s3fs" in done.err


def test_validate_says_ok(gatling: Command, finished: Path) -> None:
    assert gatling("validate", finished)[:2] == (0, "ok: 75 rows in 5 files\n")


def test_validate_finds_a_lost_row(gatling: Command, finished: Path, tmp_path: Path) -> None:
    output = shutil.copytree(finished, tmp_path / "out")
    file = output / "data/part-00000-of-00002.parquet"
    table = pq.read_table(file)
    pq.write_table(table.slice(1), file)
    done = gatling("validate", output)
    assert done.code == 1
    assert "part-00000-of-00002.parquet" in done.out and "not sound" in done.err


def test_validate_of_an_unfinished_directory(gatling: Command, tmp_path: Path) -> None:
    done = gatling("validate", tmp_path)
    assert done.code == 1
    assert "manifest.json" in done.out
