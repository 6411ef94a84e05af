import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner, fn_runner
from apache_beam.runners.portability.portable_runner import JobServiceHandle
from apache_beam.testing.util import assert_that, equal_to

from gatling_beam.hub import Listing, ReadRequest, SourceUnavailable, Unit, list_files, plan_units, read_unit
from gatling_beam.sample import SourceRow
from gatling_beam.sources.spec import SourceFiles
from gatling_beam.transforms.read_hf_source import ReadFromHuggingFace, ReadHFSource

LINES = b"".join(b'{"n":%d}\n' % n for n in range(100))
FILES = {"data/a.jsonl": LINES, "data/b.jsonl": LINES[:400]}


@pytest.fixture
def expected(mirror, put, spec):
    put(mirror, "org/set", FILES)
    listing = list_files(spec(), root=str(mirror))
    return [row for unit in plan_units(listing) for row in read_unit(unit)]


def pipeline(options=None):
    """A pipeline whose workers get its options, which the bare runner keeps from them."""
    options = options or PipelineOptions()
    encoded = JobServiceHandle.encode_pipeline_options(options.get_all_options())
    info = fn_runner.ExtendedProvisionInfo(beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded))
    return beam.Pipeline(runner=FnApiRunner(provision_info=info), options=options)


def test_rows_of_a_mirror(mirror, spec, expected):
    with pipeline() as p:
        rows = p | ReadHFSource(spec(), root=str(mirror))
        assert rows.element_type is SourceRow
        assert_that(rows, equal_to(expected))


def test_rows_of_the_hub(hub, spec, mirror, expected):
    hub.add("org/set", FILES)
    with pipeline() as p:
        rows = p | ReadHFSource(spec(), revision="main") | beam.Map(lambda row: (row.location, row.data))
        assert_that(rows, equal_to([(row.location, row.data) for row in expected]))


def test_limit(mirror, spec, expected):
    with pipeline() as p:
        assert_that(p | ReadHFSource(spec(), root=str(mirror), limit=120), equal_to(expected[:120]))


def test_config_and_split(mirror, put, spec):
    put(mirror, "org/set", {"t.jsonl": b'{"t":1}', "u.jsonl": b'{"u":1}'})
    entries = tuple(
        SourceFiles(paths=(f"{name}.jsonl",), container="jsonl", config=name, split=name * 2) for name in "tu"
    )
    with pipeline() as p:
        rows = p | ReadHFSource(spec(files=entries), config="u", split="uu", root=str(mirror))
        assert_that(rows | beam.Map(lambda row: (row.config, row.split, row.data)), equal_to([("u", "uu", b'{"u":1}')]))


def test_worker_processes(mirror, spec, expected):
    options = PipelineOptions(["--direct_running_mode=multi_processing", "--direct_num_workers=2"])
    with pipeline(options) as p:
        rows = p | ReadHFSource(spec(), root=str(mirror))
        read = rows | beam.Map(lambda row, here: (row.location, row.data, os.getpid() == here), os.getpid())
        assert_that(read, equal_to([(row.location, row.data, False) for row in expected]))


def test_a_source_that_is_not_there_fails_the_run_with_what_to_do(mirror, spec):
    with (
        pytest.raises(SourceUnavailable, match=r"there is no folder .*org/set; put the data set's files"),
        pipeline() as p,
    ):
        p | ReadHFSource(spec(), root=str(mirror))


@pytest.mark.parametrize("struct", [ReadRequest, Listing, Unit, SourceRow])
def test_nothing_is_pickled_between_steps(mirror, spec, expected, monkeypatch, struct):
    def refuse(self):
        raise AssertionError("pickled")

    monkeypatch.setattr(struct, "__reduce__", refuse)
    if struct is SourceRow:
        with pytest.raises(AssertionError, match="pickled"):
            pickle.dumps(expected[0])  # so the trap works
    texts = [row.data for row in expected]
    with pipeline() as p:
        rows = p | ReadHFSource(spec(), root=str(mirror)) | beam.Reshuffle()
        assert_that(rows | beam.Map(lambda row: row.data), equal_to(texts))


def test_the_token_is_no_part_of_the_pipeline(hub, spec, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecret")
    hub.add("org/set", FILES)
    p = pipeline()
    transform = ReadHFSource(spec())
    p | transform
    assert b"hf_secretsecret" not in p.to_runner_api().SerializeToString()
    assert b"hf_secretsecret" not in pickle.dumps(vars(transform))
    assert hub.requests == []  # nor is anything asked while the pipeline is built


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"limit": 0}, ValueError, r"limit=0: pass a number of rows >= 1"),
        ({"limit": True}, TypeError, r"limit=True is a bool"),
        ({"limit": "5"}, TypeError, r"limit='5' is a str"),
        ({"root": Path("/m")}, TypeError, r"root=.* is a PosixPath: pass a string"),
        ({"revision": ""}, ValueError, r"revision is empty"),
        ({"config": "x"}, ValueError, r"config='x', split=None: set has"),
        ({"split": 3}, TypeError, r"split=3 is a int"),
    ],
)
def test_bad_arguments_are_refused_at_once(spec, arguments, error, message):
    with pytest.raises(error, match=message):
        ReadHFSource(spec(), **arguments)


def test_a_name_of_the_catalogue(mirror, put):
    put(mirror, "Salesforce/xlam-function-calling-60k", {"xlam_function_calling_60k.json": b'[{"id":0},{"id":1}]'})
    with pipeline() as p:
        rows = p | ReadHFSource("xlam", root=str(mirror))
        assert_that(
            rows | beam.Map(lambda row: (row.source, row.data)),
            equal_to([("xlam", b'{"id":0}'), ("xlam", b'{"id":1}')]),
        )
    with pytest.raises(ValueError, match="'xlm' is not in the catalogue"):
        ReadHFSource("xlm")


def test_other_things_than_a_name_or_a_spec_are_refused():
    with pytest.raises(TypeError, match="pass a name of the catalogue or a SourceSpec"):
        ReadHFSource({"name": "x"})


def test_the_alias():
    assert ReadFromHuggingFace is ReadHFSource


def test_the_core_does_not_import_beam():
    code = "import sys, gatling_beam.hub; print(sum(m.startswith('apache_beam') for m in sys.modules))"
    assert json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout) == 0
