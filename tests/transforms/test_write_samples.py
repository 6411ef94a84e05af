import hashlib
import sys
from pathlib import Path
from typing import Any

import apache_beam as beam
import msgspec
import pytest

from gatling_beam.sample import DeadLetter, GovernanceContext, Sample, Tally
from gatling_beam.shards import ShardFile, read_shard
from gatling_beam.transforms.dedup_by_intent_hash import DedupByIntentHash
from gatling_beam.transforms.sum_tallies import SumTallies
from gatling_beam.transforms.take_exactly import TakeExactly
from gatling_beam.transforms.write_dead_letters import WriteDeadLetters
from gatling_beam.transforms.write_samples import WriteSamples

content = msgspec.msgpack.Encoder(order="deterministic").encode

TWO_PROCESSES = ("--direct_num_workers=2", "--direct_running_mode=multi_processing")


def duplicated(strategies) -> list[Sample]:
    """120 rows of two sources, 30 of which stand in both, and 10 of which are there twice."""
    first, second = strategies.plain_samples(80, "xlam"), strategies.plain_samples(30, "turkish")
    second = [
        msgspec.structs.replace(row, intent_hash=first[i].intent_hash, language="tr", request=f"{i} cekilis nerede?")
        for i, row in enumerate(second)
    ]
    return first + second + first[:10]


def digests(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}


def write(run_pipeline, rows: list[Sample], directory: Path, *flags: str, **arguments: Any) -> dict[str, list]:
    def build(pipeline):
        written = pipeline | beam.Create(rows) | WriteSamples(str(directory), shards=4, **arguments)
        return {"files": (written.files, ShardFile), "tallies": (written.tallies | SumTallies(), Tally)}

    return run_pipeline(build, *flags)


def test_files_are_unique_sorted_and_named_by_number(run_pipeline, strategies, tmp_path):
    rows = duplicated(strategies)
    result = write(run_pipeline, rows, tmp_path / "out", unique_by="intent", priorities={"xlam": 1})
    files = sorted(result["files"], key=lambda file: file.name)
    assert [file.name for file in files] == [f"part-{k:05d}-of-00004.parquet" for k in range(4)]
    assert {file.name: file.sha256 for file in files} == digests(tmp_path / "out")
    read = [list(read_shard(str(tmp_path / "out" / file.name), "parquet", Sample)) for file in files]
    assert [len(shard) for shard in read] == [file.rows for file in files]
    for k, shard in enumerate(read):
        assert [row.sample_id for row in shard] == sorted(row.sample_id for row in shard)
        assert {int(row.intent_hash[:8], 16) * 4 >> 32 for row in shard} == {k}
    found = {row.sample_id: row for shard in read for row in shard}
    assert found.keys() == {row.sample_id for row in rows[:80]}
    assert [v.request for v in found[rows[3].sample_id].request_variants] == ["3 cekilis nerede?"]
    assert sorted(result["tallies"], key=lambda t: (t.kind, t.source)) == [
        Tally("dedup", "turkish", "duplicate", 30, "xlam"),
        Tally("dedup", "xlam", "duplicate", 10, "xlam"),
        Tally("dedup", "turkish", "in", 30),
        Tally("dedup", "xlam", "in", 90),
        Tally("dedup", "xlam", "out", 80),
    ]


@pytest.mark.parametrize("format", ["parquet", "jsonl", "avro"])
def test_files_and_shuffle_give_equal_bytes_in_any_order(run_pipeline, strategies, tmp_path, format):
    rows = duplicated(strategies)
    write(run_pipeline, rows, tmp_path / "a", unique_by="intent", format=format, exchange="files")
    write(run_pipeline, rows[::-1], tmp_path / "b", unique_by="intent", format=format, exchange="shuffle")
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert len(digests(tmp_path / "a")) == 4


@pytest.mark.parametrize("flags", [("--direct_runner_bundle_repeat=1",), TWO_PROCESSES])
def test_replayed_bundles_and_more_processes_give_equal_files_and_counts(run_pipeline, strategies, tmp_path, flags):
    rows = duplicated(strategies)
    once = write(run_pipeline, rows, tmp_path / "once", unique_by="intent")

    def build(pipeline):
        created = pipeline | beam.Create(rows)
        outputs = {}
        for exchange in ("files", "shuffle"):
            directory = str(tmp_path / exchange)
            written = created | exchange >> WriteSamples(directory, shards=4, unique_by="intent", exchange=exchange)
            outputs[f"{exchange}-files"] = written.files, ShardFile
            outputs[f"{exchange}-tallies"] = written.tallies | f"Sum-{exchange}" >> SumTallies(), Tally
        return outputs

    result = run_pipeline(build, *flags)
    for exchange in ("files", "shuffle"):
        assert digests(tmp_path / exchange) == digests(tmp_path / "once")
        for name in ("files", "tallies"):
            assert sorted(result[f"{exchange}-{name}"], key=content) == sorted(once[name], key=content)


def test_without_dedup_every_row_is_written(run_pipeline, strategies, tmp_path):
    rows = duplicated(strategies)
    result = write(run_pipeline, rows, tmp_path / "out", format="jsonl")
    read = [
        row for name in digests(tmp_path / "out") for row in read_shard(str(tmp_path / "out" / name), "jsonl", Sample)
    ]
    assert sorted(read, key=content) == sorted(rows, key=content)
    assert sorted(result["tallies"], key=lambda t: (t.source, t.kind)) == [
        Tally("write", "turkish", "in", 30),
        Tally("write", "turkish", "out", 30),
        Tally("write", "xlam", "in", 90),
        Tally("write", "xlam", "out", 90),
    ]


def test_a_rerun_replaces_its_files_and_leaves_others(run_pipeline, strategies, tmp_path):
    out = tmp_path / "out"
    write(run_pipeline, strategies.plain_samples(50), out)
    (out / "notes.txt").write_text("mine")
    before = digests(out)
    write(run_pipeline, strategies.plain_samples(50), out)
    assert digests(out) == before
    write(run_pipeline, strategies.plain_samples(49), out)
    assert digests(out).keys() == before.keys() and digests(out) != before
    assert (out / "notes.txt").read_text() == "mine"


def test_no_rows_make_empty_files(run_pipeline, tmp_path):
    def build(pipeline):
        rows = pipeline | beam.Create([]).with_output_types(Sample)
        return {"files": ((rows | WriteSamples(str(tmp_path / "out"), shards=3)).files, ShardFile)}

    assert [file.rows for file in run_pipeline(build)["files"]] == [0, 0, 0]
    assert len(digests(tmp_path / "out")) == 3


def test_policies_are_joined_as_rows_are_written(run_pipeline, strategies, tmp_path):
    rows = [
        msgspec.structs.replace(row, governance_context=GovernanceContext(policy_id=None if i == 0 else f"p{i % 2}"))
        for i, row in enumerate(strategies.plain_samples(5))
    ]
    write(run_pipeline, rows, tmp_path / "out", policies={"p0": '{"max": 1}', "p1": "{}", "p2": "[]"})
    read = [
        row for name in digests(tmp_path / "out") for row in read_shard(str(tmp_path / "out" / name), "parquet", Sample)
    ]
    found = {row.original_id: row.governance_context.policy for row in read}
    assert found == {"0": None, "1": "{}", "2": '{"max": 1}', "3": "{}", "4": '{"max": 1}'}
    assert {r.governance_context.user_role for r in read} == {"user"}
    with pytest.raises(Exception, match="policies has no document for policy_id 'p1'"):
        write(run_pipeline, rows, tmp_path / "bad", policies={"p0": "{}"})


def test_dead_letters_are_written_the_same_way(run_pipeline, tmp_path):
    dead = [
        DeadLetter(f"{i * 7919 % 1000:08x}", "normalize", "xlam", "bad_call", "no name", f"data.json:{i}")
        for i in range(40)
    ]

    def build(pipeline):
        letters = pipeline | beam.Create(dead)
        return {"files": (letters | WriteDeadLetters(str(tmp_path / "dead"), format="jsonl"), ShardFile)}

    (file,) = run_pipeline(build)["files"]
    read = list(read_shard(str(tmp_path / "dead" / file.name), "jsonl", DeadLetter))
    assert read == sorted(dead, key=lambda letter: letter.dead_id)


PLUGIN = """
from gatling_beam.sample import Sample

def refuse(self, protocol=None):
    raise TypeError("a Sample was pickled")

Sample.__reduce_ex__ = Sample.__reduce__ = refuse
"""


@pytest.fixture
def refuse_pickle(tmp_path, monkeypatch):
    """Makes every pickled Sample an error, in this process and in the workers, which import the plugin first."""
    (tmp_path / "refuse_pickled_samples.py").write_text(PLUGIN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    kept = Sample.__reduce_ex__, Sample.__reduce__
    import refuse_pickled_samples  # noqa: F401

    yield "--beam_plugin=refuse_pickled_samples"
    Sample.__reduce_ex__, Sample.__reduce__ = kept
    del sys.modules["refuse_pickled_samples"]


def test_no_row_is_pickled(run_pipeline, strategies, tmp_path, refuse_pickle):
    rows = duplicated(strategies)

    def build(pipeline):
        created = pipeline | beam.Create(rows)
        for exchange in ("files", "shuffle"):
            created | exchange >> WriteSamples(str(tmp_path / exchange), shards=2, unique_by="shape", exchange=exchange)
        combined = created | "Combined" >> DedupByIntentHash(near=0.8)
        spilled = created | "Spilled" >> DedupByIntentHash(near=0.8, spill_to=str(tmp_path / "spill"), buckets=2)
        taken = combined.rows | TakeExactly(7, seed=1)
        return {"combined": (combined.rows, Sample), "spilled": (spilled.rows, Sample), "taken": (taken.rows, Sample)}

    result = run_pipeline(build, refuse_pickle, *TWO_PROCESSES)
    assert digests(tmp_path / "files") == digests(tmp_path / "shuffle")
    assert sorted(result["combined"], key=content) == sorted(result["spilled"], key=content) != []
    assert len(result["taken"]) == 7


def test_the_guard_against_pickle_works_in_the_workers(run_pipeline, strategies, refuse_pickle):
    rows = strategies.plain_samples(3)

    def untyped(pipeline):
        def forget(row):
            return "key", row

        hidden = pipeline | beam.Create(rows) | beam.Map(forget).with_output_types(tuple[str, Any])
        hidden | beam.GroupByKey()

    with pytest.raises(Exception, match="a Sample was pickled"):
        run_pipeline(untyped, refuse_pickle, *TWO_PROCESSES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shards": 0}, "shards=0"),
        ({"shards": 2, "format": "csv"}, "format='csv'"),
        ({"shards": 2, "unique_by": "text"}, "key='text'"),
        ({"shards": 2, "exchange": "disk"}, "exchange='disk'"),
    ],
)
def test_bad_arguments_are_refused_at_construction(arguments, message):
    with pytest.raises(ValueError, match=message):
        WriteSamples("out", **arguments)


def test_the_wrong_input_type_is_refused(strategies):
    with pytest.raises(beam.typehints.TypeCheckError):
        [1] | WriteSamples("out", shards=1)
    with pytest.raises(beam.typehints.TypeCheckError):
        strategies.plain_samples(1) | WriteDeadLetters("out")
    with pytest.raises(beam.typehints.TypeCheckError):
        strategies.plain_samples(1) | SumTallies()


def test_tallies_are_summed_by_everything_but_n(run_pipeline):
    tallies = [
        Tally("s", "a", "in", 2),
        Tally("s", "a", "in", 3),
        Tally("s", "a", "in", 1, 'r"|,'),
        Tally("t", "a", "in", 1),
    ]

    def build(pipeline):
        return {"sums": (pipeline | beam.Create(tallies) | SumTallies(), Tally)}

    assert sorted(run_pipeline(build)["sums"], key=content) == [
        Tally("s", "a", "in", 1, 'r"|,'),
        Tally("s", "a", "in", 5),
        Tally("t", "a", "in", 1),
    ]
