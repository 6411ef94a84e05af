"""`gatling-beam gold`: a run that was killed goes on where it was."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]

FLAGS = ("--total=900", "--seed=3", "--checkpoint_every=100", "--workers=1", "--quiet")


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The output of a run that was killed when it had written some of its nine files."""
    output = tmp_path / "killed"
    # Slowed down, so that it is killed in the middle on any machine.
    code = (
        "import sys, time, gatling_beam.pipelines.gold as gold\n"
        "write = gold.write_gold_shard\n"
        "def slowly(index, job):\n"
        "    time.sleep(0.3)\n"
        "    return write(index, job)\n"
        "gold.write_gold_shard = slowly\n"
        "raise SystemExit(gold.main())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, *FLAGS, f"--output={output}"])
    while len(list(output.glob("data/gold-*.jsonl"))) < 3:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return output


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(gatling: Command, killed: Path, tmp_path: Path) -> None:
    finished = {path: path.stat().st_mtime_ns for path in killed.glob("data/gold-*.jsonl")}
    assert 3 <= len(finished) < 9
    refused = gatling("gold", *FLAGS, f"--output={killed}")
    assert refused.code == 1 and "--resume" in refused.err
    assert gatling("gold", *FLAGS, f"--output={killed}", "--resume").code == 0
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    whole = tmp_path / "whole"
    assert gatling("gold", *FLAGS, f"--output={whole}").code == 0
    assert files(killed) == files(whole)
    assert gatling("validate", killed).code == 0


def test_resume_of_another_recipe_starts_again(gatling: Command, killed: Path) -> None:
    other = [flag.replace("--seed=3", "--seed=4") for flag in FLAGS]
    assert gatling("gold", *other, f"--output={killed}", "--resume").code == 0
    assert gatling("validate", killed).code == 0
    assert b'"seed": 4' in (killed / "manifest.json").read_bytes()


def test_resume_of_a_finished_run_does_nothing(gatling: Command, tmp_path: Path) -> None:
    assert gatling("gold", *FLAGS, f"--output={tmp_path / 'out'}").code == 0
    before = files(tmp_path / "out")
    done = gatling("gold", *FLAGS, f"--output={tmp_path / 'out'}", "--resume")
    assert done.code == 0 and "nothing to do" in done.err
    assert files(tmp_path / "out") == before
