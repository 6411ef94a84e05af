"""Which output directories may be used, and what --resume and --overwrite do to them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.fixture
def output(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


def test_a_directory_with_a_run_is_refused_without_a_word_about_it(tier1: Command, output: Path) -> None:
    before = (output / "manifest.json").read_bytes()
    done = tier1(output)
    assert done.code == 1
    assert "not empty" in done.err and "--resume" in done.err and "--overwrite" in done.err
    assert (output / "manifest.json").read_bytes() == before


def test_resume_of_the_same_run_does_nothing(tier1: Command, output: Path) -> None:
    times = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    done = tier1(output, "--shards=2", "--resume")
    assert done.code == 0
    assert "nothing to do" in done.err
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == times


def test_resume_of_another_run_is_refused_and_says_what_differs(tier1: Command, output: Path) -> None:
    done = tier1(output, "--shards=3", "--seed=9", "--resume")
    assert done.code == 1
    assert "shards (2 there, 3 here)" in done.err and "seed (0 there, 9 here)" in done.err
    assert (output / "manifest.json").exists()


def test_resume_of_a_run_over_other_sources_names_them(tier1: Command, output: Path) -> None:
    done = tier1(output, "--shards=2", "--resume", sources="xlam,hermes")
    assert done.code == 1
    assert "sources: turkish (local-" in done.err and "None here" in done.err
    assert "xlam" not in done.err


def test_resume_starts_an_unfinished_run_again(tier1: Command, finished: Path, output: Path) -> None:
    (output / "manifest.json").unlink()
    (output / "data/part-00000-of-00009.parquet").write_bytes(b"left over")
    (output / "_tmp/exchange-1").mkdir(parents=True)
    assert tier1(output, "--shards=2", "--resume").code == 0
    assert {path.name for path in (output / "data").iterdir()} == {path.name for path in (finished / "data").iterdir()}
    assert (output / "manifest.json").read_bytes() == (finished / "manifest.json").read_bytes()
    assert not (output / "_tmp").exists()


def test_overwrite_leaves_nothing_of_the_earlier_run(tier1: Command, output: Path) -> None:
    assert tier1(output, "--shards=1", "--format=jsonl", "--overwrite").code == 0
    assert [path.name for path in (output / "data").iterdir()] == ["part-00000-of-00001.jsonl"]
    assert json.loads((output / "manifest.json").read_text())["format"] == "jsonl"


@pytest.mark.parametrize("flag", ["--overwrite", "--resume"])
def test_files_that_no_run_wrote_are_never_removed(tier1: Command, tmp_path: Path, flag: str) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    done = tier1(tmp_path, flag)
    assert done.code == 1
    assert "thesis.tex" in done.err
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_file_is_no_output_directory(tier1: Command, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    done = tier1(tmp_path / "out", "--overwrite")
    assert done.code == 1
    assert "is a file" in done.err
