"""tier1 through Beam's job service, with workers that are processes of their own: the same files, byte for byte."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatling_beam.manifest import read_manifest
from gatling_beam.pipelines.cli import main
from gatling_beam.transforms import _read_counted

#: A worker is the command of --environment_config, run by a shell; LOOPBACK workers would be threads of this process.
SUBPROCESS = "beam:env:harness_subprocess_python:v1"


def portable(arguments: list[str], log: Path) -> int:
    """Runs `gatling-beam tier1`; every worker process adds a line to `log` when it has ended well."""
    worker = f"{sys.executable} -m apache_beam.runners.worker.sdk_worker_main 2>>{log}.err && echo ended >>{log}"
    flags = ["--runner=PortableRunner", "--job_endpoint=embed", f"--environment_type={SUBPROCESS}"]
    return main(["tier1", "--quiet", *arguments, *flags, f"--environment_config={worker}"])


def contents(directory: Path) -> dict[str, bytes]:
    """Every file of a directory, by relative name."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def refuse(*_: Any) -> None:
    raise AssertionError("a row was read in the process of the test")


@pytest.mark.parametrize("exchange", ["files", "shuffle"])
def test_the_files_are_the_same_from_workers_out_of_process(
    finished: Path, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: str
) -> None:
    monkeypatch.setattr(_read_counted, "read_unit", refuse)
    recipe = ["--root", str(mirror), f"--sources={','.join(read_manifest(str(finished)).sources)}", "--shards=2"]
    output, log = tmp_path / "out", tmp_path / "workers"
    assert portable([*recipe, "--output", str(output), f"--exchange={exchange}"], log) == 0
    assert set(log.read_text().split()) == {"ended"}
    assert contents(output) == contents(finished)


def test_rows_are_taken_by_a_second_pipeline_on_the_same_engine(
    tier1: Callable[..., Any], mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = ["--root", str(mirror), "--sources=xlam,turkish", "--target=20", "--near=0.9", "--format=jsonl"]
    assert tier1(tmp_path / "here", *recipe).code == 0
    monkeypatch.setattr(_read_counted, "read_unit", refuse)
    assert portable([*recipe, "--output", str(tmp_path / "there")], tmp_path / "workers") == 0
    assert (tmp_path / "workers").read_text().split() == ["ended", "ended"]
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
