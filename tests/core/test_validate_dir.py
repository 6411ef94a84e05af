import json
import random
import tracemalloc
from pathlib import Path

import msgspec
import pytest

from gatling_beam.columns import StructColumns
from gatling_beam.files import sha256_of
from gatling_beam.plan import ExecutionPlan
from gatling_beam.sample import DeadLetter, Sample
from gatling_beam.shards import FORMATS, write_shard
from gatling_beam.validate_dir import validate_directory

DEAD = [DeadLetter(f"d{k}", "normalize", "xlam", "cycle", "", f"f:{k}") for k in range(3)]


def relist(directory, name, **fields):
    """Changes a file's entry in the manifest, as a tool that rewrites the file and its hash would."""
    path = Path(directory, "manifest.json")
    manifest = json.loads(path.read_text())
    for entry in manifest["files"]:
        if entry["name"] == name:
            entry.update({"sha256": sha256_of(f"{directory}/{name}")} | fields)
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize("format", FORMATS)
def test_a_sound_directory_has_no_problems(make_directory, tmp_path, format):
    report = validate_directory(make_directory(tmp_path, dead=DEAD, format=format))
    assert report.problems == () and report.ok
    assert (report.rows, report.files) == (10, 5)


def test_an_unfinished_directory(tmp_path):
    report = validate_directory(str(tmp_path))
    assert not report.ok
    assert "has no manifest.json" in report.problems[0]


def test_missing_changed_and_unknown_files(make_directory, tmp_path):
    directory = make_directory(tmp_path, shards=3)
    (tmp_path / "part-00000-of-00003.parquet").unlink()
    (tmp_path / "part-00001-of-00003.parquet").write_bytes(b"PAR1")
    (tmp_path / "part-00000-of-00004.parquet").write_bytes(b"left over")
    (tmp_path / "report.html").write_text("planted")
    (tmp_path / "README.md").write_text("# Another card")
    problems = validate_directory(directory).problems
    assert "part-00000-of-00003.parquet is listed in the manifest but is not there" in problems
    assert "part-00001-of-00003.parquet is not the file that was written: its SHA-256 is another" in problems
    assert "part-00000-of-00004.parquet is not listed in the manifest" in problems
    assert "source 'xlam': the files hold 3 rows, the ledger says 10" in problems
    assert "report.html is not listed in the manifest" in problems
    assert "README.md is not the file that was written: its SHA-256 is another" in problems


def test_a_manifest_that_lists_no_card(make_directory, tmp_path):
    directory = make_directory(tmp_path)
    path = tmp_path / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["documents"] = [file for file in manifest["documents"] if file["name"] != "README.md"]
    path.write_text(json.dumps(manifest))
    problems = validate_directory(directory).problems
    assert problems == (
        "the manifest does not list README.md, which every run writes",
        "README.md is not listed in the manifest",
    )


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_files_are_problems_and_no_crash(make_directory, tmp_path, format):
    name = f"part-00000-of-00001.{format}"
    directory = make_directory(tmp_path, shards=1, format=format)
    data = Path(directory, name).read_bytes()
    rng = random.Random(5)
    for _ in range(40):
        bad = bytearray(data[: rng.choice((len(data), rng.randrange(1, len(data))))])
        for _ in range(rng.choice((1, 3, 200))):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        Path(directory, name).write_bytes(bad)
        relist(directory, name)
        validate_directory(directory)


def test_a_file_that_is_no_parquet_at_all(make_directory, tmp_path):
    directory = make_directory(tmp_path)
    (tmp_path / "part-00000-of-00002.parquet").write_bytes(b"nonsense")
    relist(directory, "part-00000-of-00002.parquet")
    problems = validate_directory(directory).problems
    assert any("part-00000-of-00002.parquet cannot be read as parquet" in problem for problem in problems)


@pytest.mark.parametrize("format", FORMATS)
def test_rows_are_counted_from_the_files(make_directory, strategies, tmp_path, format):
    directory = make_directory(tmp_path, format=format)
    name = f"part-00000-of-00002.{format}"
    write_shard(directory, name, StructColumns(Sample).encode(strategies.plain_samples(4)), format, Sample)
    relist(directory, name)
    assert f"{name} holds 4 rows, the manifest says 5" in validate_directory(directory).problems


def test_rows_of_another_source_are_found(make_directory, strategies, tmp_path):
    directory = make_directory(tmp_path)
    other = StructColumns(Sample).encode(strategies.plain_samples(5, source="glaive"))
    write_shard(directory, "part-00000-of-00002.parquet", other, "parquet", Sample)
    relist(directory, "part-00000-of-00002.parquet")
    problems = validate_directory(directory).problems
    assert "source 'glaive': the files hold 5 rows, the ledger says 0" in problems
    assert "source 'xlam': the files hold 5 rows, the ledger says 10" in problems


def test_a_ledger_that_does_not_add_up(make_directory, tmp_path):
    directory = make_directory(tmp_path)
    path = tmp_path / "ledger.json"
    path.write_text(path.read_text().replace('"in": 10', '"in": 11'))
    problems = validate_directory(directory).problems
    assert "ledger.json is not the file that was written: its SHA-256 is another" in problems
    assert any("in + expanded = 11, but 10 rows are accounted for" in problem for problem in problems)
    path.unlink()
    assert any("there is no ledger" in problem for problem in validate_directory(directory).problems)


def test_dead_letters_are_counted_by_source(make_directory, tmp_path):
    directory = make_directory(tmp_path, dead=DEAD)
    path = tmp_path / "ledger.json"
    text = path.read_text()
    for kind, n in (("in", 13), ("dead", 3), ("cycle", 3)):
        text = text.replace(f'"{kind}": {n}', f'"{kind}": {n - 1}')
    path.write_text(text)
    problems = validate_directory(directory).problems
    assert "source 'xlam': the files hold 3 dead letters, the ledger says 2" in problems


def test_bad_plans_are_named(make_directory, strategies, tmp_path):
    samples = strategies.plain_samples(4)
    nodes = samples[1].execution_plan.nodes
    ids = [node.node_id for node in nodes]
    cycle = ExecutionPlan(nodes, ((ids[0], ids[1]), (ids[1], ids[0])))
    samples[1] = msgspec.structs.replace(samples[1], execution_plan=cycle)
    samples[3] = msgspec.structs.replace(samples[3], execution_plan=ExecutionPlan(samples[3].execution_plan.nodes))
    directory = make_directory(tmp_path, samples=samples, shards=1)
    problems = validate_directory(directory).problems
    assert len(problems) == 2
    assert problems[0].startswith("part-00000-of-00001.parquet, row 1: cycle: 1_tool_0 -> 1_tool_1")
    assert "row 3: disconnected" in problems[1]
    assert len(validate_directory(directory, connected=False).problems) == 1


def test_repeated_keys_are_counted(make_directory, strategies, tmp_path):
    samples = strategies.plain_samples(6)
    samples[1] = msgspec.structs.replace(samples[1], sample_id=samples[0].sample_id, intent_hash="same")
    samples[2] = msgspec.structs.replace(samples[2], intent_hash="same")
    samples[3] = msgspec.structs.replace(samples[3], intent_hash="same", in_family=True)
    assert validate_directory(make_directory(tmp_path, samples=samples)).problems == (
        "1 rows repeat the sample_id of another row",
        "1 rows repeat the intent_hash of another row",
    )


def test_many_problems_of_a_kind_are_cut(make_directory, strategies, tmp_path):
    samples = [msgspec.structs.replace(s, execution_plan=ExecutionPlan(())) for s in strategies.plain_samples(50)]
    problems = validate_directory(make_directory(tmp_path, samples=samples)).problems
    assert len(problems) == 21
    assert problems[-1] == "... and 30 more of the kind: bad plan"


def test_an_undecodable_row(make_directory, tmp_path):
    directory = make_directory(tmp_path, format="jsonl")
    path = tmp_path / "part-00001-of-00002.jsonl"
    path.write_text(path.read_text().replace('"label":"benign"', '"label":3', 1))
    relist(directory, path.name)
    assert any("part-00001-of-00002.jsonl: row 0 or one after it" in p for p in validate_directory(directory).problems)


def test_memory_does_not_hold_the_rows(make_directory, strategies, tmp_path):
    directory = make_directory(tmp_path, samples=strategies.plain_samples(6_000))
    tracemalloc.start()
    try:
        assert validate_directory(directory).ok
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # 6,000 such rows are about 30 MB as objects; a batch of 2,000 is in memory at once.
    assert peak < 20_000_000
