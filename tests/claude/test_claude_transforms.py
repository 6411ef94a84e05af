"""`GenerateClaudeTraces` and `RewordRequests` inside Beam jobs, against a server on loopback."""

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import apache_beam as beam
import pytest

from gatling_beam.claude.engine import close_engines
from gatling_beam.claude.engine_settings import EngineSettings
from gatling_beam.claude.settings import ModelSettings
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter, Tally
from gatling_beam.transforms import GenerateClaudeTraces, GenerateGoldTraces, RewordRequests, SumTallies
from gatling_beam.validate import trace_problems

DOMAINS = ["finance", "hr"]


@pytest.fixture
def serve(
    claude_server: Callable[..., Any], claude_server_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    answers = importlib.import_module("tools.claude_server.gold_answers").GoldAnswers

    def start(total: int, **options: Any) -> Any:
        server = claude_server(answer=answers(3, total, domains=DOMAINS, **options))
        monkeypatch.setenv("ANTHROPIC_API_KEY", server.api_key)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        return server

    yield start
    close_engines()


def kinds(tallies: list[Tally]) -> dict[str, int]:
    return {f"{one.kind} {one.reason}".strip(): one.n for one in tallies if one.kind != "note"}


@pytest.fixture
def generate(run_pipeline: Callable[..., dict[str, list]], tmp_path: Path) -> Callable[..., dict[str, list]]:
    """The traces and the sums of a job."""

    def run(total: int, *flags: str, **more: Any) -> dict[str, list]:
        def build(pipeline: beam.Pipeline) -> dict[str, Any]:
            made = pipeline | GenerateClaudeTraces(
                total, answers=str(tmp_path / "answers"), seed=3, domains=DOMAINS, **more
            )
            return {"traces": (made.traces, GoldTrace), "tallies": (made.tallies | SumTallies(), Tally)}

        return run_pipeline(build, *flags)

    return run


def test_traces_and_counts_come_out_of_a_job_and_a_second_run_is_free(serve: Any, generate: Any) -> None:
    server = serve(60, wrong=0.2)
    made = generate(60)
    traces = sorted(made["traces"], key=lambda trace: trace.trace_id)
    assert len(traces) == 60 and all(trace_problems(trace) == [] for trace in traces)
    assert {trace.request.domain for trace in traces} == set(DOMAINS)
    counts = kinds(made["tallies"])
    assert counts["in"] == counts["out"] + sum(n for name, n in counts.items() if name.startswith("dead"))
    assert counts["out"] == 60 < counts["in"]
    paid = server.stats(hashes=False)["paid_answers"]
    again = generate(60)["traces"]
    assert sorted(again, key=lambda trace: trace.trace_id) == traces
    assert server.stats(hashes=False)["paid_answers"] == paid


def test_a_bundle_that_is_run_twice_pays_once(serve: Any, generate: Any) -> None:
    server = serve(40)
    generate(40, "--direct_runner_bundle_repeat=1", second_reading=0.0)
    stats = server.stats(hashes=False)
    assert stats["paid_answers"] == stats["paid_requests"] == 8


def test_requests_are_reworded_and_bad_ones_are_dead(serve: Any, run_pipeline: Any, tmp_path: Path) -> None:
    server = serve(0, wrong=0.3)

    def build(pipeline: beam.Pipeline) -> dict[str, Any]:
        gold = pipeline | GenerateGoldTraces(50, seed=8, domains=DOMAINS)
        rows = gold.traces | RewordRequests(answers=str(tmp_path / "answers"))
        return {
            "rows": (rows.rows, GoldTrace),
            "dead": (rows.dead, DeadLetter),
            "tallies": (rows.tallies | SumTallies(), Tally),
        }

    made = run_pipeline(build)
    assert len(made["rows"]) + len(made["dead"]) == 50 and made["rows"] and made["dead"]
    assert {trace.metadata["oracle"] for trace in made["rows"]} == {"reword"}
    assert all(trace_problems(trace) == [] for trace in made["rows"])
    counts = kinds(made["tallies"])
    assert (counts["in"], counts["out"]) == (50, len(made["rows"]))
    paid = server.stats(hashes=False)["paid_answers"]
    assert paid == 2 * 3  # 25 traces of each domain, ten to a call
    again = run_pipeline(build)
    assert sorted(trace.trace_id for trace in again["rows"]) == sorted(trace.trace_id for trace in made["rows"])
    assert server.stats(hashes=False)["paid_answers"] == paid


@pytest.mark.parametrize(
    "make", [lambda **o: GenerateClaudeTraces(1, answers="a", **o), lambda **o: RewordRequests(answers="a", **o)]
)
def test_one_job_has_one_model(make: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="name one model"):
        make(model=ModelSettings(model="claude-haiku-5-5"), engine=EngineSettings(model="claude-sonnet-5-5"))


def test_options_are_checked_when_the_job_is_written() -> None:
    with pytest.raises(ValueError, match="total=0"):
        GenerateClaudeTraces(0, answers="a")
    with pytest.raises(ValueError, match="parts=0"):
        RewordRequests(answers="a", parts=0)
    with pytest.raises(ValueError, match="no domain"):
        GenerateClaudeTraces(1, answers="a", domains=["nonesuch"])
