"""Wrong flags: one line that names flag, value, what is allowed and the cure; exit code 2; no stack trace."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from gatling_beam.pipelines.tier1 import Tier1Options

Command = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target=-5"], ["--target=-5", "an integer >= 1", "rows wanted"]),
        (["--target=many"], ["--target=many", "an integer >= 1"]),
        (["--shards=0"], ["--shards=0", ">= 1", "<= 100000"]),
        (["--max_bad_fraction=1.5"], ["--max_bad_fraction=1.5", "a number >= 0", "<= 1"]),
        (["--near=0.2"], ["--near=0.2", ">= 0.5"]),
        (["--format=csv"], ["--format=csv", "'parquet', 'jsonl' or 'avro'"]),
        (["--exchange=rows"], ["--exchange=rows", "'auto', 'files' or 'shuffle'"]),
        (["--workers=0"], ["--workers=0", ">= 1"]),
        (["--sources=xlamm"], ["xlamm", "did you mean", "xlam"]),
        (["--sources=deepset"], ["deepset", "role injections", "plans"]),
        (["--sources=,"], ["names no source"]),
        (["--resume", "--overwrite"], ["--resume", "--overwrite", "one of them"]),
        (["--skip-unavailable"], ["--skip-unavailable", "did you mean --skip_unavailable"]),
        (["--shrads=3"], ["--shrads", "did you mean --shards"]),
        (["--runer=FlinkRunner"], ["--runer", "did you mean --runner"]),
        (["--temp_locaton", "/tmp"], ["--temp_locaton", "did you mean --temp_location"]),
        (["stray"], ["'stray' belongs to no flag"]),
        (["--direct_num_workers=three"], ["--direct_num_workers", "three", "Beam"]),
        (["--seed"], ["--seed", "expected one argument"]),
        (["--direct_running_mode=multi_threading"], ["loses rows silently", "--workers"]),
        (["--experiments=data_buffer_time_limit_ms=20"], ["loses rows silently"]),
        (["--runtime_type_check"], ["--runtime_type_check is refused", "leave it out"]),
        (["--runner=FlinkRunner", "--workers=2"], ["--workers=2", "in-process runner", "--parallelism"]),
        (["--workers=2", "--direct_num_workers=3"], ["--workers=2", "--direct_num_workers"]),
    ],
)
def test_wrong_flags(gatling: Command, mirror: Path, tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    done = gatling("tier1", "--root", mirror, "--output", tmp_path / "out", *arguments)
    assert done.code == 2
    assert all(word in done.err for word in words), done.err
    assert done.err.startswith("gatling-beam tier1: ")
    assert "Traceback" not in done.err and len(done.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_all_wrong_values_are_named_at_once(gatling: Command) -> None:
    done = gatling("tier1", "--target=0", "--format=csv")
    assert done.code == 2
    assert all(flag in done.err for flag in ("--target=0", "--format=csv", "--output is missing"))


def test_an_unknown_command(gatling: Command) -> None:
    done = gatling("teir1")
    assert done.code == 2
    assert "did you mean tier1?" in done.err


def test_no_flag_of_ours_is_one_of_beam() -> None:
    assert not set(Tier1Options.model_fields) & set(PipelineOptions().get_all_options())


def test_unavailable_sources_are_named_together(gatling: Command, tmp_path: Path) -> None:
    done = gatling("tier1", "--root", tmp_path, "--sources=xlam,turkish", "--output", tmp_path / "out")
    assert done.code == 1
    assert "2 of 2 sources are unavailable" in done.err
    assert all(word in done.err for word in ("xlam", "turkish", "hf download", "--skip_unavailable"))
    assert (
        "no source is left"
        in gatling(
            "tier1", "--root", tmp_path, "--sources=xlam", "--skip_unavailable", "--output", tmp_path / "out"
        ).err
    )


def test_sources_that_are_skipped_are_recorded(tier1: Command, tmp_path: Path) -> None:
    from gatling_beam.ledger import read_ledger
    from gatling_beam.manifest import read_manifest

    done = tier1(tmp_path / "out", "--skip_unavailable", sources="turkish,nestful")
    assert done.code == 0
    assert "unavailable: nestful" in done.out
    assert read_manifest(str(tmp_path / "out")).recipe["unavailable"] == ["nestful"]
    assert read_ledger(str(tmp_path / "out")).stages["read"]["nestful"].notes == {"unavailable": 1}
