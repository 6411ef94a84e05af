"""Which runner does the work, and that its workers get the options."""

import os
from typing import Any

import pytest
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, PortableOptions, WorkerOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from gatling_beam.pipelines.options import UsageError
from gatling_beam.pipelines.runner import EngineOptions, beam_options, make_runner


def options_of(*args: str, workers: int | None = None) -> PipelineOptions:
    engine = EngineOptions(workers=workers)
    return beam_options(engine, args, EngineOptions)


@pytest.mark.parametrize(
    ("workers", "number", "mode"), [(1, 1, "in_memory"), (3, 3, "multi_processing"), (None, os.cpu_count(), None)]
)
def test_workers_are_processes(workers: int | None, number: int, mode: str | None) -> None:
    direct = options_of(workers=workers).view_as(DirectOptions)
    assert direct.direct_num_workers == number
    assert direct.direct_running_mode == (mode or ("multi_processing" if number > 1 else "in_memory"))


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
