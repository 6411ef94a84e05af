import json
import shutil
from pathlib import Path

import apache_beam as beam
import msgspec
import pytest
from apache_beam import coders
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from gatling_beam.files import sha256_of
from gatling_beam.sample import GovernanceContext, Sample
from gatling_beam.shard_list import ShardRef, list_shards, without_documents
from gatling_beam.shards import FORMATS
from gatling_beam.transforms._coders import StructCoder
from gatling_beam.transforms.read_samples import ReadSamples


def read(samples, *args, **options):
    """Runs ReadSamples and wants `samples`, in any order."""
    with beam.Pipeline(runner=FnApiRunner()) as p:
        rows = p | ReadSamples(*args, **options)
        assert rows.element_type is Sample
        assert_that(rows, equal_to(samples))


@pytest.mark.parametrize("format", FORMATS)
def test_a_finished_directory_is_read_as_the_manifest_lists_it(make_directory, strategies, tmp_path, format):
    samples = strategies.plain_samples(9)
    directory = make_directory(tmp_path, samples=samples, format=format, shards=3)
    shutil.copy(tmp_path / f"part-00000-of-00003.{format}", tmp_path / f"part-00000-of-00004.{format}")
    read(samples, directory)
    read(samples, Path(directory), format=format, validate=False)


def test_globs_files_and_lists_are_read_once(make_directory, strategies, tmp_path):
    samples = strategies.plain_samples(8)
    directory = make_directory(tmp_path / "a", samples=samples, shards=4)
    read(samples, f"{directory}/part-*.parquet")
    read(samples[0::4] + samples[1::4], [f"{directory}/part-0000{k}-of-00004.parquet" for k in (0, 1)])
    read(samples, [directory, f"{directory}/part-*", f"{directory}/part-00000-of-00004.parquet"])


def test_a_file_with_another_ending_needs_the_format(make_directory, strategies, tmp_path):
    directory = make_directory(tmp_path / "a", samples=strategies.plain_samples(2), shards=1)
    shutil.copy(f"{directory}/part-00000-of-00001.parquet", tmp_path / "rows_a.data")
    read(strategies.plain_samples(2), f"{tmp_path}/rows_*", format="parquet")
    with pytest.raises(ValueError, match="give format="):
        list_shards([f"{tmp_path}/rows_*"])


def test_the_pipeline_is_built_without_touching_files():
    beam.Pipeline(runner=FnApiRunner()) | ReadSamples("/nowhere/at/all")


def test_an_unfinished_directory_fails_with_what_to_do(tmp_path):
    with pytest.raises(Exception, match=r"has no manifest\.json"):
        read([], str(tmp_path))


def test_a_glob_without_files_fails(tmp_path):
    with pytest.raises(Exception, match="no file matches"):
        read([], f"{tmp_path}/*.parquet")


@pytest.mark.parametrize("name", ["out[1]", "run.parquet", "what?", "*"])
def test_a_directory_may_be_called_like_a_glob_or_a_file(make_directory, strategies, tmp_path, name):
    samples = strategies.plain_samples(4)
    directory = make_directory(tmp_path / name, samples=samples, shards=2)
    shutil.copy(f"{directory}/part-00000-of-00002.parquet", f"{directory}/part-00000-of-00003.parquet")
    read(samples, directory)
    assert {shard.rows for shard in list_shards([directory])} == {2}


def test_a_file_may_be_called_like_a_glob(make_directory, strategies, tmp_path):
    samples = strategies.plain_samples(2)
    directory = make_directory(tmp_path / "a", samples=samples, shards=1)
    shutil.copy(f"{directory}/part-00000-of-00001.parquet", tmp_path / "rows[1].parquet")
    read(samples, f"{tmp_path}/rows[1].parquet")


def test_an_unfinished_directory_called_like_a_file_is_not_read(tmp_path):
    (tmp_path / "run.parquet").mkdir()
    with pytest.raises(ValueError, match=r"has no manifest\.json"):
        list_shards([str(tmp_path / "run.parquet")])


def test_a_changed_file_fails(make_directory, strategies, tmp_path):
    directory = make_directory(tmp_path, format="jsonl")
    path = tmp_path / "part-00000-of-00002.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(Exception, match="has SHA-256"):
        read([], directory)
    with pytest.raises(Exception, match="holds 4 rows, the manifest says 5"):
        read([], directory, validate=False)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["files"][0]["sha256"] = sha256_of(str(path))
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(Exception, match="holds 4 rows, the manifest says 5"):
        read([], directory)


def test_another_format_or_other_rows_are_refused(make_directory, tmp_path):
    directory = make_directory(tmp_path / "a")
    with pytest.raises(ValueError, match=r"the manifest of .* says 'parquet'"):
        list_shards([directory], "avro")
    other = make_directory(tmp_path / "b", row_type="GoldTrace")
    with pytest.raises(ValueError, match="holds rows of type GoldTrace, not Sample"):
        list_shards([other])


def test_wrong_arguments_are_refused_at_construction():
    for nothing in ([], "", [""]):
        with pytest.raises(ValueError, match="names nothing"):
            ReadSamples(nothing)
    with pytest.raises(ValueError, match="format='csv' is not one of parquet, jsonl, avro"):
        ReadSamples("out", format="csv")
    with pytest.raises(TypeError):
        ReadSamples([3])


def test_documents_can_stay_behind_where_an_id_stands_for_them(make_directory, strategies, tmp_path):
    first, second = strategies.plain_samples(2)
    first = msgspec.structs.replace(
        first, governance_context=GovernanceContext(policy_id="p", policy="{}"), toolset_id="t", toolset="[]"
    )
    second = msgspec.structs.replace(second, governance_context=GovernanceContext(policy="{}"), toolset="[]")
    directory = make_directory(tmp_path, samples=[first, second])
    read([first, second], directory)
    read([without_documents(first), second], directory, documents=False)
    light = without_documents(first)
    assert (light.governance_context.policy, light.toolset) == (None, None)
    assert (light.governance_context.policy_id, light.toolset_id) == ("p", "t")


def test_worker_processes_read_the_same_rows(make_directory, strategies, tmp_path):
    samples = strategies.plain_samples(20)
    directory = make_directory(tmp_path, samples=samples, shards=4)
    options = PipelineOptions(["--direct_running_mode=multi_processing", "--direct_num_workers=2"])
    with beam.Pipeline(runner=FnApiRunner(), options=options) as p:
        assert_that(p | ReadSamples(directory) | beam.Reshuffle(), equal_to(samples))


def test_what_flows_between_the_steps_is_not_pickled():
    for struct in (Sample, ShardRef):
        assert coders.registry.get_coder(struct) == StructCoder(struct)
