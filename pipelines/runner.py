"""The runner of a command: Beam's in-process runner, pinned, unless another one is asked for."""

import logging
import os
import re
import shlex
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    DebugOptions,
    DirectOptions,
    PipelineOptions,
    PortableOptions,
    StandardOptions,
    TypeOptions,
    WorkerOptions,
)
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.runners.portability.portable_runner import JobServiceHandle
from apache_beam.runners.runner import PipelineState, create_runner
from apache_beam.transforms.environments import SubprocessSDKEnvironment
from pydantic import Field

from gatling_beam.hub import SourceError
from gatling_beam.pipelines.options import Options, UsageError, UserError, refuse_unknown
from gatling_beam.shard_list import ShardError
from gatling_beam.transforms.exchange_by_hash import Exchange

#: A day; Beam's default of 300 s kills every longer run on Prism.
_JOB_SERVER_TIMEOUT_S = 86_400
#: Runners that hand flags to a job server, which may know more of them than Python does.
_JOB_SERVER_RUNNERS = ("flink", "spark", "portable")
_SOURCE_ERROR = re.compile(
    r"gatling_beam\.(?:hub\.errors|shard_list)\.\w+: (.+?)(?: \[while running .*)?$", re.MULTILINE
)


class EngineOptions(Options):
    """Engine; all other flags go to Beam, for example --runner=FlinkRunner --flink_master=host:8081."""

    workers: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="worker processes of the in-process runner; 1 works inside this process; default: the cores",
        json_schema_extra={"metavar": "N"},
    )
    exchange: Exchange = Field(
        "auto",
        description="how rows are regrouped: through files below --output (files), through the runner's own shuffle "
        "(shuffle), or as suits the runner (auto); the result is the same",
        json_schema_extra={"metavar": "WAY"},
    )
    quiet: bool = Field(False, description="no progress and no closing summary")


def beam_options(engine: EngineOptions, args: Sequence[str], model: type[Options]) -> PipelineOptions:
    """Beam's options of a run, checked: `args` are the flags that are none of `model`'s.

    Raises:
      UsageError: for a flag that Beam does not have either, and for settings that lose rows or say two things.
    """
    options = PipelineOptions(list(args))
    parser, leftover = _beam_parser(options, args)
    name = runner_name(options)
    if not (name in _JOB_SERVER_RUNNERS and all(arg.startswith("-") for arg in leftover)):
        refuse_unknown(model, leftover, [flag for action in parser._actions for flag in action.option_strings])
    _refuse_unknown_runner(options)
    _refuse_lossy(options)
    if name == "prism" and not _given(args, "job_server_timeout"):
        options.view_as(PortableOptions).job_server_timeout = _JOB_SERVER_TIMEOUT_S
    if is_local(options):
        _set_workers(options, engine, args)
    elif engine.workers is not None:
        raise UsageError(
            f"--workers={engine.workers} is about the in-process runner, but --runner={name} has workers of its own: "
            "leave it out, and say how many with that runner's flags (--parallelism, --num_workers)"
        )
    return options


def runner_name(options: PipelineOptions) -> str:
    """`flink` for FlinkRunner and so on; "" if no runner is named."""
    name = options.view_as(StandardOptions).runner or ""
    return str(name).rpartition(".")[2].lower().removesuffix("runner")


def is_local(options: PipelineOptions) -> bool:
    """Whether the run is done by the in-process runner."""
    return runner_name(options) in ("", "fnapi", "direct", "switchingdirect")


def make_runner(options: PipelineOptions) -> Any:
    """The runner for `options`: ours as an object, others by name."""
    if not is_local(options):
        return options.view_as(StandardOptions).runner
    if runner_name(options) in ("direct", "switchingdirect"):
        print(
            "--runner=DirectRunner runs as FnApiRunner: DirectRunner would download Prism when it can, so the same "
            "command would behave differently on two machines",
            file=sys.stderr,
        )
    # The bare runner does not hand the options to its workers.
    encoded = JobServiceHandle.encode_pipeline_options(options.get_all_options())
    info = fn_runner.ExtendedProvisionInfo(beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded))
    if options.view_as(DirectOptions).direct_num_workers == 1:
        return fn_runner.FnApiRunner(provision_info=info)
    command = f"{shlex.quote(sys.executable)} -m gatling_beam.pipelines.worker"
    processes = SubprocessSDKEnvironment.from_command_string(command_string=command)
    # It warns of several workers without its own mode for them.
    logging.getLogger(fn_runner.__name__).setLevel(logging.ERROR)
    return fn_runner.FnApiRunner(default_environment=processes, provision_info=info)


def run_pipeline(build: Callable[[beam.Pipeline], None], options: PipelineOptions) -> None:
    """Runs what `build` puts into a pipeline, to its end.

    Raises:
      UserError: if the run does not end well for a reason that the user can mend.
    """
    pipeline = beam.Pipeline(runner=make_runner(options), options=options)
    build(pipeline)
    try:
        result = pipeline.run()
        state = result.wait_until_finish()
    except (RuntimeError, ShardError) as e:
        if str(e).startswith("KeyboardInterrupt [while running"):  # so Beam wraps it in process
            raise KeyboardInterrupt from None
        # In process it is the exception itself; that of a worker process comes as text, in its stack trace.
        is_ours = isinstance(e, (SourceError, ShardError))
        text = f"{SourceError.__module__}.{type(e).__name__}: {e}" if is_ours else str(e)
        if found := _SOURCE_ERROR.search(text):
            raise UserError(f"{found[1]}; nothing was committed") from e
        raise
    if state != PipelineState.DONE:
        raise UserError(f"the run ended in state {state}; the runner's log says why. Nothing was committed")


def _beam_parser(options: PipelineOptions, args: Sequence[str]) -> tuple[ArgumentParser, list[str]]:
    """Beam's own parser of all its option classes, and what it does not know of `args`."""
    parsers: list[ArgumentParser] = []

    def keep(parser: ArgumentParser) -> None:
        parser.error = _beam_error  # type: ignore[method-assign]
        parsers.append(parser)

    options.get_all_options(add_extra_args_fn=keep)
    return parsers[0], parsers[0].parse_known_args(list(args))[1]


def _beam_error(message: str) -> NoReturn:
    raise UsageError(f"{message} (a flag of Beam)")


def _refuse_unknown_runner(options: PipelineOptions) -> None:
    given = options.view_as(StandardOptions).runner
    if given is None:
        return
    try:
        create_runner(given)
    except (ValueError, ImportError, AttributeError) as e:
        raise UsageError(f"--runner={given} is no runner that Beam can make here: {e}") from e


def _refuse_lossy(options: PipelineOptions) -> None:
    if options.view_as(DirectOptions).direct_running_mode == "multi_threading":
        raise UsageError(
            "--direct_running_mode=multi_threading is refused: it loses rows silently (measured with Beam 2.77); "
            "take --workers=N, which starts N processes"
        )
    if options.view_as(TypeOptions).runtime_type_check:
        raise UsageError(
            "--runtime_type_check is refused: Beam 2.77 checks every output of a step against the type of its first "
            "one, so that dead letters and counts end the run; leave it out, types are checked when the pipeline is "
            "built"
        )
    for experiment in options.view_as(DebugOptions).experiments or ():
        if "data_buffer_time_limit_ms" in experiment:
            raise UsageError(
                f"--experiments={experiment} is refused: flushing by time loses rows silently (measured with Beam "
                "2.77); leave it out"
            )


def _set_workers(options: PipelineOptions, engine: EngineOptions, args: Sequence[str]) -> None:
    direct = options.view_as(DirectOptions)
    if _given(args, "direct_num_workers") or _given(args, "direct_running_mode"):
        if engine.workers is not None:
            raise UsageError(
                f"--workers={engine.workers} sets --direct_num_workers and --direct_running_mode: "
                "give the one or the others"
            )
        return
    workers = engine.workers or os.cpu_count() or 1
    direct.direct_num_workers = workers
    # Beam's mode multi_processing would start workers that write to our terminal while they start.
    direct.direct_running_mode = "in_memory"
    if not _given(args, "default_sdk_harness_log_level"):
        # Worker processes write to our terminal; their errors come back as exceptions, to be shown once.
        options.view_as(WorkerOptions).default_sdk_harness_log_level = "CRITICAL"


def _given(args: Sequence[str], name: str) -> bool:
    return any(arg.partition("=")[0].replace("-", "_") == f"__{name}" for arg in args)
