import os
from functools import partial

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.transforms.window import FixedWindows

from gatling_beam.exchange import bucket_of
from gatling_beam.hashing import digest
from gatling_beam.sample import DeadLetter, Sample, Tally
from gatling_beam.transforms.dedup_by_intent_hash import DedupByIntentHash
from gatling_beam.transforms.exchange_by_hash import ExchangeByHash, spill_folder, uses_files


def describe(index: int, table: pa.Table, column: str = "sample_id"):
    yield f"{index}:{','.join(sorted(table[column].to_pylist()))}"
    yield Tally("test", str(index), "in", table.num_rows)


@pytest.mark.parametrize("exchange", ["files", "shuffle", "auto"])
def test_every_bucket_is_merged_once_with_all_its_rows(run_pipeline, strategies, tmp_path, exchange):
    rows = strategies.plain_samples(100)

    def build(pipeline):
        done = (
            pipeline
            | beam.Create(rows)
            | ExchangeByHash(
                describe,
                buckets=300,
                key="sample_id",
                exchange=exchange,
                spill_to=str(tmp_path / "runs"),
                result_type=str,
            )
        )
        return {"buckets": (done.results, str), "tallies": (done.tallies, Tally)}

    result = run_pipeline(build)
    expected = {k: [] for k in range(300)}
    for row in rows:
        expected[bucket_of(row.sample_id, 300)].append(row.sample_id)
    assert sorted(result["buckets"]) == sorted(f"{k}:{','.join(sorted(ids))}" for k, ids in expected.items())
    assert {int(t.source): t.n for t in result["tallies"]} == {k: len(ids) for k, ids in expected.items()}
    runs = list((tmp_path / "runs").rglob("*.arrow")) if (tmp_path / "runs").exists() else []
    assert bool(runs) == (exchange != "shuffle")


def test_rows_of_another_type_and_a_function_as_key(run_pipeline, tmp_path):
    dead = [DeadLetter(f"id{i}", "s", "x", "bad_call", "", str(i)) for i in range(20)]

    def build(pipeline):
        done = (
            pipeline
            | beam.Create(dead)
            | ExchangeByHash(
                partial(describe, column="location"),
                buckets=2,
                row_type=DeadLetter,
                key=lambda letter: digest(letter.location),
                spill_to="memory://runs",
                result_type=str,
            )
        )
        return {"buckets": (done.results, str)}

    by_bucket = [sorted(str(i) for i in range(20) if bucket_of(digest(str(i)), 2) == k) for k in (0, 1)]
    assert sorted(run_pipeline(build)["buckets"]) == [f"{k}:{','.join(ids)}" for k, ids in enumerate(by_bucket)]


def test_a_row_without_a_hash_fails_the_run_with_its_key(run_pipeline, strategies):
    def build(pipeline):
        pipeline | beam.Create(strategies.plain_samples(2)) | ExchangeByHash(describe, buckets=2, key="label")

    with pytest.raises(Exception, match="the key 'benign' does not begin with eight hexadecimal digits"):
        run_pipeline(build)


def test_windowed_and_unbounded_input_is_refused(strategies):
    pipeline = beam.Pipeline()
    windowed = pipeline | beam.Create(strategies.plain_samples(1)) | beam.WindowInto(FixedWindows(60))
    with pytest.raises(ValueError, match="ExchangeByHash takes bounded input in the global window"):
        windowed | ExchangeByHash(describe, buckets=2)
    endless = beam.pvalue.PCollection(pipeline, element_type=Sample, is_bounded=False)
    with pytest.raises(ValueError, match="DedupByIntentHash takes bounded input"):
        endless | DedupByIntentHash()


def test_the_wrong_input_type_is_refused(strategies):
    with pytest.raises(beam.typehints.TypeCheckError):
        ["a"] | ExchangeByHash(describe, buckets=2)
    with pytest.raises(beam.typehints.TypeCheckError):
        strategies.plain_samples(1) | ExchangeByHash(describe, buckets=2, row_type=DeadLetter, key="dead_id")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"buckets": 0}, "buckets=0"),
        ({"buckets": 200_000}, "buckets=200000"),
        ({"buckets": 2, "exchange": "rows"}, "exchange='rows'"),
        ({"buckets": 2, "key": "no_such_field"}, "key='no_such_field'"),
        ({"buckets": 2, "row_type": DeadLetter}, "key='intent_hash' is not a text field of DeadLetter"),
    ],
)
def test_bad_arguments_are_refused_at_construction(arguments, message):
    with pytest.raises(ValueError, match=message):
        ExchangeByHash(describe, **arguments)
    with pytest.raises(TypeError, match="merge="):
        ExchangeByHash("describe", buckets=2)


class FlinkRunner:
    pass


class FnApiRunner:
    pass


class FakePipeline:
    def __init__(self, runner, **options):
        self.runner = runner
        self.options = beam.options.pipeline_options.PipelineOptions(**options)


@pytest.mark.parametrize(
    ("exchange", "spill_to", "runner", "files"),
    [
        ("auto", None, FnApiRunner(), True),
        ("auto", None, FlinkRunner(), False),
        ("auto", "/shared", FlinkRunner(), False),
        ("auto", "gs://bucket/tmp", FlinkRunner(), True),
        ("files", None, FlinkRunner(), True),
        ("shuffle", "gs://bucket/tmp", FnApiRunner(), False),
    ],
)
def test_auto_takes_files_where_workers_share_them(exchange, spill_to, runner, files):
    assert uses_files(exchange, spill_to, FakePipeline(runner)) is files


def test_the_spill_folder_is_new_and_below_what_was_given():
    pipeline = FakePipeline(None, temp_location="gs://bucket/temp")
    assert spill_folder(None, pipeline).startswith("gs://bucket/temp/exchange-")
    assert spill_folder("/data/spill/", pipeline).startswith("/data/spill/exchange-")
    assert spill_folder("/data", pipeline) != spill_folder("/data", pipeline)
    # A worker may have another working directory.
    assert spill_folder("spill", pipeline).startswith(f"{os.getcwd()}/spill/exchange-")


def test_rows_keep_their_type(strategies):
    done = beam.Pipeline() | beam.Create(strategies.plain_samples(1)) | ExchangeByHash(describe, buckets=2)
    assert done.results.element_type is Sample
    assert done.tallies.element_type is Tally
