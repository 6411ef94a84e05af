"""A gold trace that a validator finds at fault becomes a dead letter, and the run goes on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatling_beam.oracle.shard import GoldJob, shard_file, write_gold_shard
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.pipelines import gold
from gatling_beam.sample import DeadLetter
from gatling_beam.shards import read_shard

Command = Callable[..., Any]
#: The numbers of the traces that are broken, in two of five files, and the size of a file.
BROKEN = (7, 150, 151)
FLAGS = ("--total=500", "--seed=3", "--checkpoint_every=100", "--workers=1", "--quiet")


@pytest.fixture
def broken_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The template oracle, except that the traces `BROKEN` forget what the policy forbids."""
    make = TemplateOracle.trace

    def trace(self: TemplateOracle, number: int) -> GoldTrace:
        good = make(self, number)
        if number not in BROKEN:
            return good
        return msgspec.structs.replace(good, policy=msgspec.structs.replace(good.policy, rules=()))

    monkeypatch.setattr(TemplateOracle, "trace", trace)


def letters(output: Path, format: str) -> list[DeadLetter]:
    return [
        letter
        for path in sorted(output.glob(f"dead_letters/*.{format}"))
        for letter in read_shard(str(path), format, DeadLetter)
    ]


def numbers(dead: list[DeadLetter]) -> list[int]:
    return sorted(int(letter.location.rpartition("_")[2]) for letter in dead)


def check(dead: list[DeadLetter], stage: str) -> None:
    assert {(letter.stage, letter.source, letter.reason) for letter in dead} == {(stage, "gold", "invalid_trace")}
    assert all("policy_changed" in letter.detail and len(letter.payload) == 2_000 for letter in dead)
    assert len({letter.dead_id for letter in dead}) == len(dead)


@pytest.mark.usefixtures("broken_oracle")
def test_the_gold_command_writes_them(gatling: Command, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert gatling("gold", *FLAGS, f"--output={output}").code == 0
    dead = letters(output, "jsonl")
    check(dead, "gold")
    assert numbers(dead) == list(BROKEN)
    counts = json.loads((output / "ledger.json").read_text())["stages"]["gold"]["gold"]
    assert (counts["in"], counts["out"], counts["dead"]) == (500, 497, 3)
    assert gatling("validate", output).code == 0


@pytest.mark.usefixtures("broken_oracle")
def test_a_run_that_goes_on_makes_files_again_that_lack_traces(tmp_path: Path) -> None:
    """Of the traces that failed nothing is written before the end of a run."""
    job = GoldJob(str(tmp_path / "data"), 500, 3, ("finance", "hr"), 100)
    for index in range(job.shards - 1):
        write_gold_shard(index, job)
    kept = {shard.name for shard in gold._finished(job)}
    assert kept == {shard_file(index, 5) for index in (2, 3)}


@pytest.mark.usefixtures("broken_oracle")
def test_the_top_up_of_tier1_writes_them(tier1: Command, gatling: Command, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert tier1(output, "--target=250", "--top_up=gold", "--seed=3").code == 0
    dead = [letter for letter in letters(output, "parquet") if letter.source == "gold"]
    check(dead, "normalize")
    assert numbers(dead) == list(BROKEN)
    ledger = json.loads((output / "ledger.json").read_text())["stages"]
    assert ledger["normalize"]["gold"]["dead"] == 3
    assert gatling("validate", output).code == 0
