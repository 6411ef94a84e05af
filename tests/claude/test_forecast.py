"""What a dry run expects, against what a server then books."""

import importlib
import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gatling_beam.claude.forecast import cache_hits_of, plan_calls, valid_share_of
from gatling_beam.claude.group import GroupJob
from gatling_beam.domains.loader import domain_names
from gatling_beam.pipelines.cli import main

JOB = GroupJob(1, domain_names(), judged=0.0)


def test_where_all_is_valid_a_group_makes_one_call_a_phase() -> None:
    plans = plan_calls(JOB, 4_000, valid=1.0)
    assert [(plan.phase, plan.calls) for plan in plans] == [("requests", 400), ("graphs", 400)]
    assert 30 <= len(plans[0].sample) <= 40


def test_the_less_is_valid_the_more_calls_are_expected() -> None:
    counts = [[plan.calls for plan in plan_calls(JOB, 4_000, valid)] for valid in (1.0, 0.8, 0.5, 0.2)]
    assert all(fewer < more for a, b in pairwise(counts) for fewer, more in zip(a, b, strict=True))


def test_few_calls_read_little_from_a_cache() -> None:
    shares = [cache_hits_of(0.9, JOB, calls) for calls in (10, 114, 300, 1_000, 100_000)]
    assert shares == sorted(shares) and shares[0] == shares[1] == 0.0 and 0.89 < shares[-1] < 0.9
    assert cache_hits_of(0.9, JOB, 10_000, measured=0.45, measured_calls=228) == pytest.approx(0.9 * (1 - 114 / 10_000))


def expected(text: str) -> float:
    total = next(line for line in text.splitlines() if line.startswith("total"))
    return float(re.findall(r"\$([\d,.]+)", total)[0].replace(",", ""))


@pytest.mark.slow
def test_a_pilot_foretells_the_dollars_of_a_thousand_calls(
    claude_server: Callable[..., Any],
    claude_server_module: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers = importlib.import_module("tools.claude_server.gold_answers").GoldAnswers(1, 2_400, wrong=0.1)
    server = claude_server(answer=answers)
    monkeypatch.setenv("ANTHROPIC_API_KEY", server.api_key)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)

    def gold(name: str, total: int, *flags: str) -> str:
        assert (
            main(["gold", "--oracle=claude", "--seed=1", f"--total={total}", f"--output={tmp_path / name}", *flags])
            == 0
        )
        return capsys.readouterr().out

    gold("pilot", 300, "--quiet")
    assert valid_share_of(str(tmp_path / "pilot-answers")) == pytest.approx(0.81, abs=0.05)
    paid = server.stats(hashes=False)["paid_answers"]
    guess = expected(gold("all", 2_400, "--dry_run", f"--answers={tmp_path / 'pilot-answers'}"))
    assert server.stats(hashes=False)["paid_answers"] == paid
    gold("all", 2_400, "--quiet")
    usage = json.loads((tmp_path / "all" / "manifest.json").read_text())["usage"]
    assert 1_000 <= sum(row["calls"] for row in usage) <= 1_200
    assert guess == pytest.approx(sum(row["usd"] for row in usage), rel=0.1)
