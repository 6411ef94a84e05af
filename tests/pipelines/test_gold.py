"""`gatling-beam gold`: a run that was killed goes on where it was."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatling_beam.pipelines.cli import main

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


def test_the_same_bytes_from_one_and_four_workers(gatling: Command, tmp_path: Path) -> None:
    for workers in (1, 4):
        flags = ("--total=1100", "--seed=5", "--checkpoint_every=100", f"--workers={workers}", "--quiet")
        assert gatling("gold", *flags, f"--output={tmp_path / str(workers)}").code == 0
    assert files(tmp_path / "1") == files(tmp_path / "4")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("gold") / "sample"
    assert main(["gold", "--sample", f"--output={output}", "--workers=1", "--quiet"]) == 0
    return output


def test_inspect_shows_traces_with_policy_and_plan(gatling: Command, sample: Path) -> None:
    done = gatling("inspect", sample, "--source=finance", "--n=1")
    assert done.code == 0
    for part in ("finance_", "policy finance_v", "session: today is", "request (en):", "finance."):
        assert part in done.out
    assert done.out.count("plan: ") == 1
    assert gatling("inspect", sample, "--n=7").out.count("session: ") == 7
    assert "no such row" in gatling("inspect", sample, "--id=nothing").err


def test_validate_judges_every_trace(gatling: Command, sample: Path) -> None:
    assert gatling("validate", sample).out == "ok: 100 rows in 4 files\n"
    [path] = sample.glob("data/*.jsonl")
    first, *others = path.read_text().splitlines()
    trace = json.loads(first)
    trace["policy"]["forbidden_operations"] = [call["tool_id"] for call in trace["graph"]["calls"]]
    data = "\n".join([json.dumps(trace), *others, ""]).encode()
    path.write_bytes(data)
    manifest = json.loads((sample / "manifest.json").read_text())
    manifest["files"][0] |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (sample / "manifest.json").write_text(json.dumps(manifest))
    done = gatling("validate", sample)
    assert done.code == 1
    assert "row 0: policy_changed" in done.out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--sample", "--total=50"), "drop --sample to make 50, or --total to make 100"),
        ((), "--total is missing"),
        (("--sample", "--domains=finance,finance"), "names finance twice"),
        (("--sample", "--domains=finance, finance"), "names finance twice"),
        (("--sample", "--domains=hr,finance,hr , finance"), "names hr, finance twice"),
        (("--sample", "--domains=finance,"), "has an empty name"),
        (("--sample", "--domains="), "has an empty name"),
        (("--sample", "--domains=finance, ,hr"), "has an empty name"),
        (("--sample", "--domains=finanse"), "did you mean finance"),
    ],
)
def test_flags_that_contradict_are_refused(
    gatling: Command, tmp_path: Path, flags: tuple[str, ...], message: str
) -> None:
    done = gatling("gold", *flags, f"--output={tmp_path / 'out'}")
    assert done.code == 1 and message in done.err
    assert not (tmp_path / "out").exists()


def test_names_of_domains_may_have_blanks_around_them(gatling: Command, tmp_path: Path) -> None:
    done = gatling("gold", "--total=4", "--domains=hr, finance", "--workers=1", f"--output={tmp_path / 'out'}")
    assert done.code == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["recipe"]["domains"] == ["hr", "finance"]
