"""Which runner does the work, and that its workers get the options."""

import os
import time
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, PortableOptions, WorkerOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from gatling_beam.pipelines.options import UsageError
from gatling_beam.pipelines.runner import EngineOptions, beam_options, make_runner, run_pipeline


def options_of(*args: str, workers: int | None = None) -> PipelineOptions:
    engine = EngineOptions(workers=workers)
    return beam_options(engine, args, EngineOptions)


@pytest.mark.parametrize(("workers", "number"), [(1, 1), (3, 3), (None, os.cpu_count())])
def test_workers_are_counted(workers: int | None, number: int) -> None:
    assert options_of(workers=workers).view_as(DirectOptions).direct_num_workers == number


def worker_pids(workers: int, folder: Path) -> set[str]:
    """The processes that do the work of a pipeline with many small pieces."""
    options = options_of(workers=workers)

    def build(pipeline: beam.Pipeline) -> None:
        numbers = pipeline | beam.Create(range(200)) | beam.Reshuffle()
        numbers | "LeaveName" >> beam.Map(_leave_name, str(folder))

    run_pipeline(build, options)
    return {path.name for path in folder.iterdir()}


def _leave_name(number: int, folder: str) -> None:
    time.sleep(0.005)
    (Path(folder) / str(os.getpid())).touch()


def test_workers_are_processes_that_say_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for workers in (1, 2):
        (tmp_path / str(workers)).mkdir()
    assert worker_pids(1, tmp_path / "1") == {str(os.getpid())}
    pids = worker_pids(2, tmp_path / "2")
    assert len(pids) == 2
    assert str(os.getpid()) not in pids
    assert capfd.readouterr() == ("", "")


def test_the_default_runner_is_pinned_and_its_workers_get_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    runner = make_runner(options_of("--temp_location=/somewhere", workers=1))
    assert type(runner) is FnApiRunner
    fields = runner._provision_info.provision_info.pipeline_options.fields
    assert fields["beam:option:temp_location:v1"].string_value == "/somewhere"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["DirectRunner", "directrunner", "apache_beam.runners.direct.DirectRunner"])
def test_direct_runner_is_mapped_and_that_is_said(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert type(make_runner(options_of(f"--runner={name}", workers=1))) is FnApiRunner
    assert "would download Prism" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Nope", "no_such_package.Runner", "apache_beam.runners.Nope"])
def test_an_unknown_runner_is_a_wrong_flag(name: str) -> None:
    with pytest.raises(UsageError, match=f"--runner={name} is no runner that Beam can make here"):
        options_of(f"--runner={name}")


def test_other_runners_pass_through() -> None:
    options = options_of("--runner=FlinkRunner", "--flink_master=host:8081", "--a_flag_of_the_job_server=1")
    assert make_runner(options) == "FlinkRunner"
    assert options.view_as(DirectOptions).direct_num_workers == 1


@pytest.mark.parametrize(
    ("args", "seconds"), [([], 86_400), (["--job_server_timeout=7"], 7), (["--job-server-timeout", "7"], 7)]
)
def test_prism_is_not_killed_after_five_minutes(args: list[str], seconds: int) -> None:
    options = options_of("--runner=PrismRunner", *args)
    assert options.view_as(PortableOptions).job_server_timeout == seconds


@pytest.mark.parametrize(("args", "level"), [([], "CRITICAL"), (["--default_sdk_harness_log_level=INFO"], "INFO")])
def test_worker_processes_are_quiet_unless_asked(args: list[str], level: Any) -> None:
    assert options_of(*args, workers=2).view_as(WorkerOptions).default_sdk_harness_log_level == level
