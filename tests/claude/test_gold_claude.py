"""`gatling-beam gold --oracle claude` and `reword` against a server on loopback: what is written, paid and booked."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from gatling_beam.pipelines.cli import main

ROOT = Path(__file__).parents[2]
KEY = "sk-ant-recognisable-0123456789"
FAULTS = {
    "rate_limit": 0.03, "overloaded": 0.03, "server_error": 0.03, "cut": 0.02, "bad_json": 0.03, "refusal": 0.02,
    "max_tokens": 0.02, "retry_after": 0.1,
}  # fmt: skip


class Result(NamedTuple):
    code: int
    out: str
    err: str


class Place(NamedTuple):
    """A server with canned answers, and the command line that asks it."""

    server: Any
    run: Callable[..., Result]


@pytest.fixture
def place(
    claude_server: Callable[..., Any],
    claude_server_module: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Place]:
    answers = importlib.import_module("tools.claude_server.gold_answers").GoldAnswers

    def start(total: int, wrong: float = 0.0, denied: float = 0.0, **options: Any) -> Place:
        server = claude_server(answer=answers(1, total, wrong=wrong, denied=denied), api_key=KEY, **options)
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)

        def run(output: Path, *flags: str, oracle: str = "claude") -> Result:
            capsys.readouterr()
            code = main(["gold", f"--oracle={oracle}", f"--total={total}", "--seed=1", f"--output={output}", *flags])
            return Result(code, *capsys.readouterr())

        return Place(server, run)

    return start


def traces(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(output.glob("data/*.jsonl")) for line in path.read_text().splitlines()]


def manifest(output: Path) -> dict[str, Any]:
    return json.loads((output / "manifest.json").read_text())


@pytest.mark.parametrize("mode", ["online", "batches"])
def test_faults_cost_no_answer_twice_and_no_trace(place: Callable[..., Place], tmp_path: Path, mode: str) -> None:
    faults = FAULTS if mode == "online" else {"batch_expired": 0.05, "batch_errored": 0.05, "refusal": 0.02}
    here = place(200, wrong=0.1, denied=0.1, **faults)
    flags = (
        f"--mode={mode}",
        "--checkpoint_every=100",
        "--second_reading=0.3",
        "--poll_s=0.1",
        "--quiet",
        "--tries=20",
    )
    out = tmp_path / "out"
    assert here.run(out, *flags).code == 0
    made = traces(out)
    assert len(made) == 200 == len({trace["trace_id"] for trace in made})
    assert all(trace["validated"] and trace["metadata"]["oracle"] == "claude" for trace in made)
    assert here.server.stats(hashes=False)["paid_again"] == 0
    counts = json.loads((out / "ledger.json").read_text())["stages"]["gold"]["gold"]
    assert counts["in"] == counts["out"] + counts["dead"] and counts["out"] == 200 and counts["dead"] > 0
    assert main(["validate", str(out)]) == 0
    # The same command once more, and the other mode: the same traces, and nothing is asked.
    before, booked = here.server.stats(hashes=False)["paid_answers"], manifest(out)["usage"]
    assert here.run(out, *flags, "--overwrite").code == 0
    assert traces(out) == made and manifest(out)["usage"] == booked
    other = tmp_path / "other"
    assert here.run(other, "--mode=online", *flags[1:], f"--answers={out}-answers").code == 0
    assert traces(other) == made
    assert here.server.stats(hashes=False)["paid_answers"] == before


def test_what_is_booked_is_what_the_server_served(place: Callable[..., Place], tmp_path: Path) -> None:
    here = place(100, wrong=0.1)
    assert here.run(tmp_path / "out", "--quiet", "--second_reading=0.5").code == 0
    usage = manifest(tmp_path / "out")["usage"]
    assert {row["phase"] for row in usage} == {"requests", "graphs", "compliance"}
    [(model, tokens)] = here.server.stats(hashes=False)["tokens"].items()
    served = tokens["standard"]
    assert {row["model"] for row in usage} == {model}
    assert sum(row["calls"] for row in usage) == served["answers"]
    assert sum(row["output_tokens"] for row in usage) == served["output"]
    assert sum(row["input_tokens"] for row in usage) == served["input"]
    assert sum(row["cache_read_tokens"] for row in usage) == served["cache_read"]
    dollars = (
        2 * served["input"] + 10 * served["output"] + 0.1 * served["cache_read"] + 2.5 * served["cache_write_5m"]
    ) / 1e6
    assert sum(row["usd"] for row in usage) == pytest.approx(dollars, rel=1e-4)


def test_reworded_traces_have_the_templates_plans(place: Callable[..., Place], tmp_path: Path) -> None:
    here = place(100, wrong=0.1)
    result = here.run(tmp_path / "out", "--second_reading=0", oracle="reword")
    assert result.code == 0 and "reword" in result.out and "dollars" in result.out
    made = traces(tmp_path / "out")
    assert len(made) == 100 and {trace["metadata"]["oracle"] for trace in made} == {"reword"}
    assert {row["phase"] for row in manifest(tmp_path / "out")["usage"]} == {"reword"}


def test_the_cap_is_kept_and_a_higher_one_goes_on(place: Callable[..., Place], tmp_path: Path) -> None:
    here = place(200)
    flags = ("--quiet", "--in_flight=4", "--checkpoint_every=100")
    stopped = here.run(tmp_path / "out", "--max_cost_usd=0.35", *flags)
    assert stopped.code == 1 and "cap of $0.35" in stopped.err and "goes on from there" in stopped.err
    assert "Traceback" not in stopped.err and not (tmp_path / "out" / "manifest.json").exists()
    paid = here.server.stats(hashes=False)["paid_answers"]
    assert paid > 0
    assert here.run(tmp_path / "out", "--overwrite", *flags).code == 0
    stats = here.server.stats(hashes=False)
    assert stats["paid_again"] == 0 and stats["duplicates"] == 0
    whole = sum(row["usd"] for row in manifest(tmp_path / "out")["usage"])
    assert whole > 0.35 * 0.2


def test_killed_it_goes_on_and_repeats_only_what_was_in_flight(place: Callable[..., Place], tmp_path: Path) -> None:
    here = place(400, latency=0.5)
    flags = ["--in_flight=16", "--quiet", "--second_reading=0"]
    command = [sys.executable, "-m", "gatling_beam.pipelines.cli", "gold", "--oracle=claude", "--total=400", "--seed=1",
               f"--output={tmp_path / 'out'}", *flags]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path, env=dict(os.environ), stderr=subprocess.DEVNULL)
    while here.server.stats(hashes=False)["paid_answers"] < 20:
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert here.run(tmp_path / "out", *flags, "--overwrite").code == 0
    assert len(traces(tmp_path / "out")) == 400
    assert here.server.stats(hashes=False)["duplicates"] <= 16


def test_without_a_key_one_sentence_says_so_before_anything_starts(
    place: Callable[..., Place], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place(10)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    result = here.run(tmp_path / "out")
    assert result.code == 1 and "ANTHROPIC_API_KEY is not set" in result.err and result.err.count("\n") == 1
    assert not (tmp_path / "out").exists() and here.server.stats()["requests"] == {}


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--model=claude-nonesuch"], "has no price"),
        (["--model=claude-3-7-sonnet-20250219"], "no price"),
        (["--in_flight=2", "--callers=4"], "raise it"),
        (["--temperatures=requests=2"], "numbers from 0 to 1"),
        (["--max_cost_usd=0"], "> 0"),
        (["--prices=/nonesuch.yaml"], "nonesuch"),
        (["--workers=2", "--callers=1"], "raise it to 2"),
        (["--direct_num_workers=2"], "raise it to 2"),
        (["--answers=/dev/null/answers"], "no answers can be kept"),
    ],
)
def test_a_wrong_flag_is_named(place: Callable[..., Place], tmp_path: Path, flags: list[str], says: str) -> None:
    here = place(10)
    result = here.run(tmp_path / "out", *flags)
    assert result.code in (1, 2) and says in result.err and "Traceback" not in result.err
    assert here.server.stats(hashes=False)["paid_answers"] == 0


def test_a_flag_of_claude_says_nothing_to_the_templates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gold", "--total=10", f"--output={tmp_path / 'out'}", "--max_cost_usd=1"]) == 1
    assert "--max_cost_usd is about Claude" in capsys.readouterr().err


def test_a_key_that_is_not_accepted_is_said_without_the_key(
    place: Callable[..., Place], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place(10)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-wrong-987654321")
    result = here.run(tmp_path / "out")
    assert result.code == 1 and "does not accept the key" in result.err
    assert "987654321" not in result.out + result.err


def test_the_key_is_in_no_file_and_no_output(place: Callable[..., Place], tmp_path: Path) -> None:
    here = place(100, wrong=0.1, **FAULTS)
    result = here.run(tmp_path / "out", "--tries=20")
    assert result.code == 0
    assert KEY not in result.out + result.err
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 5 and not [path for path in files if KEY.encode() in path.read_bytes()]


def test_missing_traces_fail_the_run_unless_they_are_allowed(place: Callable[..., Place], tmp_path: Path) -> None:
    here = place(50, wrong=0.9)
    short = here.run(tmp_path / "out", "--tries=2", "--quiet")
    assert short.code == 1 and "were not valid in 2 tries" in short.err
    assert here.run(tmp_path / "out", "--tries=2", "--quiet", "--allow_short", "--overwrite").code == 0
    ledger = json.loads((tmp_path / "out" / "ledger.json").read_text())["stages"]["gold"]["gold"]
    assert ledger["notes"]["shortfall"] == 50 - len(traces(tmp_path / "out")) > 0


@pytest.mark.parametrize("mode", ["online", "batches"])
def test_a_parameter_that_every_call_is_refused_for_stops_the_run(
    place: Callable[..., Place], tmp_path: Path, mode: str
) -> None:
    here = place(100)
    flags = (f"--mode={mode}", "--poll_s=0.1", "--quiet", "--temperatures=requests=0.8")
    stopped = here.run(tmp_path / "out", *flags)
    assert stopped.code == 1 and "refuses all" in stopped.err and "temperature" in stopped.err
    stats = here.server.stats(hashes=False)
    assert stats["statuses"].get("400", 0) <= 16 and sum(batch["requests"] for batch in stats["batches"]) <= 10
    assert here.run(tmp_path / "out", *flags[:3], "--overwrite").code == 0
    assert len(traces(tmp_path / "out")) == 100


def test_the_answers_of_a_pilot_serve_a_longer_run(place: Callable[..., Place], tmp_path: Path) -> None:
    here = place(60)
    pilot = ["gold", "--oracle=claude", "--total=20", "--seed=1", f"--output={tmp_path / 'pilot'}", "--quiet"]
    assert main(pilot) == 0
    answers = f"--answers={tmp_path / 'pilot-answers'}"
    assert here.run(tmp_path / "out", answers, "--quiet").code == 0
    assert here.run(tmp_path / "both", answers, "--quiet", "--mode=batches", "--poll_s=0.1").code == 0
    stats = here.server.stats(hashes=False)
    assert stats["duplicates"] == 0 and stats["batches"] == []
    assert traces(tmp_path / "out")[:20] == traces(tmp_path / "pilot")


@pytest.mark.parametrize("flags", [["--overwrite"], ["--overwrite", "--mode=batches"], ["--dry_run"]])
def test_a_corrupt_file_of_answers_is_named(place: Callable[..., Place], tmp_path: Path, flags: list[str]) -> None:
    here = place(20)
    assert here.run(tmp_path / "out", "--quiet").code == 0
    [part, *_] = sorted((tmp_path / "out-answers").glob("responses/requests/*/*.jsonl"))
    part.write_bytes(part.read_bytes()[:-40])
    paid = here.server.stats(hashes=False)["paid_answers"]
    result = here.run(tmp_path / "out", "--quiet", *flags)
    assert result.code == 1 and part.name in result.err and "is not an answer" in result.err
    assert "Traceback" not in result.err and here.server.stats(hashes=False)["paid_answers"] == paid


def test_answers_inside_of_the_output_are_refused(place: Callable[..., Place], tmp_path: Path) -> None:
    here = place(10)
    result = here.run(tmp_path / "out", f"--answers={tmp_path / 'out' / '_tmp' / 'answers'}")
    assert result.code == 1 and "name a folder beside it" in result.err
    assert here.server.stats(hashes=False)["paid_answers"] == 0


@pytest.mark.parametrize("key", ["sk-ant-one\n", " sk-ant-one", "sk\u2013ant-one", "sk-ant-one\r\n"])
def test_what_cannot_be_a_key_is_said_without_it(
    place: Callable[..., Place], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    here = place(10)
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    for flags in ([], ["--dry_run"]):
        result = here.run(tmp_path / "out", *flags)
        assert result.code == 1 and "that no key has" in result.err and "one" not in result.err.split("ANTHROPIC")[0]
        assert key.strip() not in result.err
    assert here.server.stats(hashes=False)["requests"] == {}


def test_a_run_of_refusals_says_that_they_are_refusals(place: Callable[..., Place], tmp_path: Path) -> None:
    here = place(20, refusal=1.0)
    result = here.run(tmp_path / "out", "--tries=2", "--quiet")
    assert result.code == 1 and "4 requests refusal:frontier_llm" in result.err


def heed_interrupts() -> None:
    """A process that is started in the background of a script ignores Ctrl-C, and its children do."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupted_it_says_so_and_keeps_the_answers_in_flight(place: Callable[..., Place], tmp_path: Path) -> None:
    here = place(100, latency=1)
    flags = ["--in_flight=4", "--quiet", "--second_reading=0"]
    command = [sys.executable, "-m", "gatling_beam.pipelines.cli", "gold", "--oracle=claude", "--total=100", "--seed=1",
               f"--output={tmp_path / 'out'}", *flags]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=tmp_path, env=dict(os.environ), stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    )
    while here.server.stats(hashes=False)["paid_answers"] < 6:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in err and "Traceback" not in err
    here.server.configure(latency=0)
    assert here.run(tmp_path / "out", *flags, "--overwrite").code == 0
    assert here.server.stats(hashes=False)["duplicates"] == 0
