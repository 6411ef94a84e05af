"""What all tests share: which of them run, and where real data is."""

import os
import uuid
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import apache_beam as beam
import msgspec
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.runners.portability.portable_runner import JobServiceHandle

from gatling_beam.columns import StructColumns
from gatling_beam.commit import commit
from gatling_beam.ledger import Ledger
from gatling_beam.manifest import SourceVersion
from gatling_beam.sample import DeadLetter, Sample, Tally
from gatling_beam.shards import shard_name, write_shard


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects `slow` tests unless -m says which to run, `external` ones where
    $GATLING_BEAM_DATA is unset, and `live` ones where $GATLING_BEAM_LIVE is."""
    unwanted = set()
    if not config.option.markexpr:
        unwanted.add("slow")
    if not os.environ.get("GATLING_BEAM_DATA"):
        unwanted.add("external")
    if not os.environ.get("GATLING_BEAM_LIVE"):
        unwanted.add("live")
    deselected = {item for item in items if any(item.get_closest_marker(name) for name in unwanted)}
    if deselected:
        config.hook.pytest_deselected(items=list(deselected))
        items[:] = [item for item in items if item not in deselected]


@pytest.fixture(scope="session")
def strategies() -> ModuleType:
    """The module tests/strategies.py: `structs(cls)` for hypothesis, `plain_samples(n)`."""
    spec = spec_from_file_location("gatling_beam_test_strategies", Path(__file__).parent / "strategies.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run_pipeline(tmp_path: Path) -> Callable[..., dict[str, list]]:
    """`run_pipeline(build, *flags)` runs what `build(pipeline)` makes on the in-process runner.

    `build` returns {name: (PCollection, type of its elements)}; so does the run, with lists in the place of
    PCollections, in any order. `--direct_num_workers=2 --direct_running_mode=multi_processing` work as they should.
    """

    def run(build, *flags: str) -> dict[str, list]:
        options = PipelineOptions(list(flags))
        # The bare runner does not hand the options to its workers.
        encoded = JobServiceHandle.encode_pipeline_options(options.get_all_options())
        info = fn_runner.ExtendedProvisionInfo(beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded))
        folder = tmp_path / f"collected-{uuid.uuid4().hex}"
        folder.mkdir()

        # Nested functions travel to worker processes by value; they could not import this module.
        def save(elements, path):
            with open(path, "wb") as file:
                file.write(msgspec.msgpack.encode(elements))

        def encode(element):
            return msgspec.msgpack.encode(element)

        with beam.Pipeline(runner=fn_runner.FnApiRunner(provision_info=info), options=options) as pipeline:
            built = build(pipeline) or {}
            for name, (elements, _) in built.items():
                (
                    elements
                    | f"Encode{name}" >> beam.Map(encode).with_output_types(bytes)
                    | f"Collect{name}" >> beam.combiners.ToList()
                    | f"Save{name}" >> beam.Map(save, str(folder / name))
                )
        return {
            name: [
                msgspec.msgpack.decode(element, type=kind)
                for element in msgspec.msgpack.decode((folder / name).read_bytes())
            ]
            for name, (_, kind) in built.items()
        }

    return run


@pytest.fixture
def make_directory(strategies: ModuleType) -> Callable[..., str]:
    """`make_directory(path, samples=..., dead=..., format=..., shards=2)`: a finished output directory."""

    def make(path: Path, samples=None, dead=(), format="parquet", shards=2, **manifest) -> str:
        samples = strategies.plain_samples(10) if samples is None else samples
        directory = str(path)
        files = [
            write_shard(
                directory,
                shard_name(k, shards, format),
                StructColumns(Sample).encode(samples[k::shards]),
                format,
                Sample,
            )
            for k in range(shards)
        ]
        name = f"dead_letters/{shard_name(0, 1, format)}"
        dead_files = [write_shard(directory, name, StructColumns(DeadLetter).encode(dead), format, DeadLetter)]
        tallies = [Tally("write", s.source.name, kind, 1) for s in samples for kind in ("in", "out")]
        tallies += [
            Tally("write", d.source, kind, 1, reason) for d in dead for kind, reason in (("in", ""), ("dead", d.reason))
        ]
        ledger = Ledger.from_tallies(tallies, ["write"])
        sources = {
            s.source.name: SourceVersion(dataset=s.source.dataset, revision="26d14eb", licence=s.source.licence)
            for s in samples
        }
        options = {
            "stage": "tier1",
            "stage_key": "0" * 64,
            "recipe": {"tier": "I"},
            "seed": 7,
            "versions": {"apache-beam": "2.77.0"},
        }
        options |= {"sources": sources, "format": format, "files": files, "dead_letters": dead_files} | manifest
        commit(directory, ledger, **options)
        return directory

    return make
