"""tier2, tier3 and contrast end to end: exact numbers, books that balance, the same files however they are made."""

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest

from gatling_beam.families.build import BOUNDARY_KINDS, STRATEGIES
from gatling_beam.families.compound import STRATEGY as COMPOUND
from gatling_beam.ledger import read_ledger
from gatling_beam.manifest import read_manifest
from gatling_beam.pipelines.cli import main
from gatling_beam.quotas import kind_of, stratum_of, tier2_quotas

Command = Callable[..., Any]
QUOTAS = tier2_quotas(STRATEGIES, 40, (40, 35, 25))


@pytest.fixture(scope="module")
def anchors(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tier I of 360 rows, nearly all of them gold, in two files; tests must not change it."""
    output = tmp_path_factory.mktemp("anchors") / "out"
    flags = ["--sources=turkish", "--target=360", "--top_up=gold", "--shards=2", "--workers=1", "--quiet"]
    assert main(["tier1", "--root", str(mirror), "--output", str(output), *flags]) == 0
    return output


@pytest.fixture(scope="module")
def tier2(anchors: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tier2 of 40 negatives a term; tests must not change it."""
    output = tmp_path_factory.mktemp("tier2") / "out"
    assert main(["tier2", *flags(anchors, output), "--shards=2"]) == 0
    return output


def flags(anchors: Path, output: Path, workers: int = 1) -> list[str]:
    return [
        f"--input={anchors}", f"--output={output}", "--per_term=40", "--k=2", "--seed=5", "--quiet",
        f"--workers={workers}", "--audit=no",
    ]  # fmt: skip


def rows(directory: Path, folder: str) -> list[dict[str, Any]]:
    return [row for path in sorted(directory.glob(f"{folder}/*.parquet")) for row in pq.read_table(path).to_pylist()]


def five_keys(anchors: Path) -> list[dict[str, Any]]:
    """The rows of the input in the form that existing consumers write."""
    found = []
    for row in rows(anchors, "data"):
        nodes = [{**node, "arguments": json.loads(node["arguments"])} for node in row["execution_plan"]["nodes"]]
        plan = {"nodes": nodes, "edges": row["execution_plan"]["edges"]}
        own = {key: row[key] for key in ("label", "original_id", "category")}
        found.append({"execution_plan": plan, "metadata": json.loads(row["metadata"]), **own})
    return found


def strata(found: list[dict[str, Any]], of: Any = stratum_of) -> Counter[str]:
    keys = ("strategy", "ratio_band", "difficulty")
    return Counter(of(*(row["mutation"][key] for key in keys)) for row in found)


def contents(directory: Path, but: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Every file of a directory, by relative name."""
    files = (path for path in directory.rglob("*") if path.is_file() and path.name not in but)
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def test_compounds_come_on_top(anchors: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    asked = ["--per_term=2", "--compounds=4", "--difficulty=100,0,0", "--k=2", "--seed=5", "--quiet", "--workers=1"]
    assert main(["tier2", f"--input={anchors}", f"--output={output}", *asked]) == 0
    found = Counter(row["mutation"]["strategy"] for row in rows(output, "data"))
    assert found == dict.fromkeys(STRATEGIES, 2) | {COMPOUND: 4}
    for row in rows(output, "data"):
        violated = [label["energy_term"] for label in row["violation_labels"] if label["violated"]]
        assert violated == ["E_SCOPE", "E_FLOW"] if row["mutation"]["strategy"] == COMPOUND else len(violated) == 1


def test_every_stratum_has_exactly_its_number(tier2: Path, gatling: Command) -> None:
    negatives, benign = rows(tier2, "data"), rows(tier2, "benign")
    assert strata(negatives) == QUOTAS and sum(QUOTAS.values()) == 160
    assert {row["label"] for row in negatives} == {"adversarial"} and {row["label"] for row in benign} == {"benign"}
    assert {row["tier"] for row in negatives} == {"II"} and {row["tier"] for row in benign} == {"I"}
    everything = [*negatives, *benign]
    for key in ("sample_id", "row_hash"):
        assert len({row[key] for row in everything}) == len(everything)
    assert gatling("validate", tier2).code == 0


def test_crossings_are_whole(tier2: Path) -> None:
    cells: dict[str, Counter[str]] = {}
    for row in (*rows(tier2, "data"), *rows(tier2, "benign")):
        cells.setdefault(row["mutation"]["parent"], Counter())[row["label"]] += 1
    shapes = Counter((found["benign"], found["adversarial"]) for found in cells.values())
    assert set(shapes) <= {(2, 2), (3, 2)} and sum(shapes.values()) == 80
    ids = {row["sample_id"] for row in rows(tier2, "benign")}
    assert set(cells) <= ids  # the parent of a crossing is one of its benign rows


def test_each_row_has_one_violated_term_at_most_and_its_energies(tier2: Path) -> None:
    for row in (*rows(tier2, "data"), *rows(tier2, "benign")):
        labels = row["violation_labels"]
        assert [label["energy_term"] for label in labels] == ["E_SCOPE", "E_HIERARCHY", "E_PROVENANCE", "E_FLOW"]
        violated = [label for label in labels if label["violated"]]
        assert len(violated) == (row["label"] == "adversarial")
        assert all(label["explanation"] and label["delta_estimate"] >= 2 for label in violated)
        assert (row["energies"]["risk"] >= 2) == bool(violated) and row["energies_original"] is not None


def test_the_books(tier2: Path, anchors: Path) -> None:
    ledger, manifest = read_ledger(str(tier2)), read_manifest(str(tier2))
    families, take = ledger.total("families"), ledger.total("take")
    assert families.in_ == 360 and families.not_selected == 360 and families.out == take.in_
    # The rows of the data set have tools of nobody's registry.
    turkish = ledger.stages["families"]["turkish"]
    assert turkish.notes.keys() == {f"{strategy}: unmapped_tools" for strategy in STRATEGIES}
    assert all(0 < n <= turkish.in_ for n in turkish.notes.values())
    assert manifest.actual_samples == manifest.target_samples == take.out
    assert manifest.sources["gold"].dataset == read_manifest(str(anchors)).sources["gold"].dataset
    assert {file.name.split("/")[0] for file in manifest.files} == {"data", "benign"}


def test_load_dataset_knows_both_configs(tier2: Path, tmp_path: Path) -> None:
    for config, folder in (("negatives", "data"), ("benign", "benign")):
        loaded = datasets.load_dataset(str(tier2), config, split="train", cache_dir=str(tmp_path))
        assert sorted(loaded["sample_id"]) == sorted(row["sample_id"] for row in rows(tier2, folder))


def test_two_workers_write_the_same_files(tier2: Path, anchors: Path, tmp_path: Path) -> None:
    assert main(["tier2", *flags(anchors, tmp_path / "two", workers=2), "--shards=2"]) == 0
    assert contents(tmp_path / "two") == contents(tier2)


@pytest.mark.slow
def test_a_portable_runner_writes_the_same_files(tier2: Path, anchors: Path, tmp_path: Path) -> None:
    log = tmp_path / "workers"
    worker = f"{sys.executable} -m apache_beam.runners.worker.sdk_worker_main 2>>{log}.err && echo ended >>{log}"
    portable = [
        "--runner=PortableRunner",
        "--job_endpoint=embed",
        "--environment_type=beam:env:harness_subprocess_python:v1",
        f"--environment_config={worker}",
        "--exchange=files",
    ]
    own = [flag for flag in flags(anchors, tmp_path / "portable") if not flag.startswith("--workers")]
    assert main(["tier2", *own, "--shards=2", *portable]) == 0
    assert log.read_text().count("ended") >= 2  # a worker for each pipeline, of which a refill is one
    assert contents(tmp_path / "portable") == contents(tier2)


def test_another_seed_and_other_formats(tier2: Path, anchors: Path, gatling: Command, tmp_path: Path) -> None:
    own = flags(anchors, tmp_path / "lines")
    assert main(["tier2", *own, "--shards=2", "--format=jsonl"]) == 0
    lines = [
        json.loads(line) for path in tmp_path.glob("lines/*/part-*.jsonl") for line in path.read_text().splitlines()
    ]
    ids = {row["sample_id"] for folder in ("data", "benign") for row in rows(tier2, folder)}
    assert {row["sample_id"] for row in lines if "sample_id" in row} == ids
    assert gatling("validate", tmp_path / "lines").code == 0
    # Its benign rows belong to families: they are no anchors.
    done = gatling("tier2", *flags(tmp_path / "lines", tmp_path / "again"))
    assert done.code == 1 and "short of negatives" in done.err
    assert main(["tier2", *flags(anchors, tmp_path / "other"), "--seed=6"]) == 0
    assert not ids & {row["sample_id"] for row in rows(tmp_path / "other", "data")}


def test_a_short_stratum_is_refilled_without_changing_what_was_taken(anchors: Path, tmp_path: Path) -> None:
    wanted = ["--per_term=300", "--k=1", "--allow_short"]
    assert main(["tier2", *flags(anchors, tmp_path / "one"), *wanted, "--max_rounds=1"]) == 0
    assert main(["tier2", *flags(anchors, tmp_path / "more"), *wanted, "--max_rounds=3"]) == 0
    one, more = ({row["sample_id"] for row in rows(tmp_path / name, "data")} for name in ("one", "more"))
    assert one < more
    short, filled = (read_ledger(str(tmp_path / name)) for name in ("one", "more"))
    assert sum(short.stages["take"][""].notes.values()) == 4 * 300 - len(one)
    assert filled.total("families").in_ == 360  # anchors are counted once
    assert len(more) == 4 * 300 - sum(filled.total("take").notes.values())


def test_a_shortfall_fails_the_run_and_stands_in_the_ledger(anchors: Path, gatling: Command, tmp_path: Path) -> None:
    ask = ["--per_term=10000", "--max_rounds=0"]
    done = gatling("tier2", *flags(anchors, tmp_path / "out"), *ask)
    assert done.code == 1 and "--allow_short" in done.err and "exfiltration_pivot/hard" in done.err
    assert "Traceback" not in done.err and not (tmp_path / "out/manifest.json").exists()
    notes = read_ledger(str(tmp_path / "out")).stages["take"][""].notes
    assert notes.keys() == {f"shortfall:{name}" for name in tier2_quotas(STRATEGIES, 10_000, (40, 35, 25))}
    done = gatling("tier2", *flags(anchors, tmp_path / "out"), *ask, "--allow_short", "--resume")
    assert done.code == 0 and "negatives short of 4,000" in done.err
    manifest = read_manifest(str(tmp_path / "out"))
    assert manifest.actual_samples < manifest.target_samples
    assert gatling("validate", tmp_path / "out").code == 0
    assert gatling("tier2", *flags(anchors, tmp_path / "out"), *ask, "--resume").err.count("nothing to do") == 1


def test_the_original_as_an_output_of_its_own(anchors: Path, gatling: Command, tmp_path: Path) -> None:
    ask = ["--catalogue=original", "--allow_short"]
    assert gatling("tier2", *flags(anchors, tmp_path / "out"), *ask).code == 0
    negatives = rows(tmp_path / "out", "data")
    assert {row["label_basis"] for row in negatives} == {"declared"}
    assert strata(negatives, kind_of)["exfiltration_pivot"] == 40
    assert "attacker.com" in str(negatives)
    assert {row["mutation"]["parent"] for row in negatives} == {
        row["mutation"]["parent"] for row in rows(tmp_path / "out", "benign")
    }
    assert gatling("validate", tmp_path / "out").code == 0


def test_the_audit_is_the_last_step(anchors: Path, gatling: Command, tmp_path: Path) -> None:
    asked = ["--audit=gate", "--per_term=4", "--difficulty=100,0,0", "--shards=2"]
    own = flags(anchors, tmp_path / "out")
    own.remove("--quiet")
    done = gatling("tier2", *own, *asked)
    assert done.code == 0 and "0 judged (from 5,000 rows of a label on): 0 passed, 0 failed" in done.out
    assert "FAILED" not in done.err and "provenance_rug_pull" in done.out
    manifest = read_manifest(str(tmp_path / "out"))
    assert {"audit.json", "audit.html"} <= {file.name for file in manifest.documents}
    assert gatling("validate", tmp_path / "out").code == 0
    assert gatling("tier2", *flags(anchors, tmp_path / "out"), *asked, "--resume").code == 0
    # Rows as they are read from the finished folder give the same audit, which changes nothing there.
    before = contents(tmp_path / "out")
    done = gatling("audit", tmp_path / "out")
    assert done.code == 0 and "stays as its run wrote it" in done.out and contents(tmp_path / "out") == before
    done = gatling("audit", tmp_path / "out", f"--output={tmp_path / 'again'}")
    assert "all of it" in done.out and contents(tmp_path / "again").items() <= before.items()
    done = gatling("audit", tmp_path / "out", f"--output={tmp_path / 'out'}")
    assert done.code == 1 and "name another folder" in done.err and contents(tmp_path / "out") == before
    page = (tmp_path / "out/audit.html").read_text()
    assert "<h2>Beside the original</h2>" in page and page.count("<td class=n>0.907</td>") == 1


def test_an_audit_that_fails_is_told_by_exit_status_and_commits(
    anchors: Path, gatling: Command, tmp_path: Path
) -> None:
    ask = [*flags(anchors, tmp_path / "out"), "--catalogue=original", "--allow_short", "--per_term=20"]
    done = gatling("tier2", *ask, "--audit=gate")
    told = "negatives with the row_hash of a benign row = "
    assert done.code == 1 and f"FAILED: {told}" in done.err and "WARNING: negatives" not in done.err
    assert gatling("validate", tmp_path / "out").code == 0
    before = contents(tmp_path / "out")
    for flag, code, says in (("gate", 1, f"FAILED: {told}"), ("report", 0, f"WARNING: {told}"), ("no", 0, "")):
        done = gatling("tier2", *ask, "--resume", f"--audit={flag}")
        assert done.code == code and says in done.err and "nothing to do" in done.err
        assert ("negatives with" in done.err) == bool(says)
    ask.remove("--audit=no")
    done = gatling("tier2", *ask, "--resume")
    assert done.code == 0 and f"WARNING: {told}" in done.err  # what is expected of the original
    assert contents(tmp_path / "out") == before
    (tmp_path / "out/audit.json").write_bytes(before["audit.json"].replace(b"fail", b"pass"))
    done = gatling("tier2", *ask, "--resume")
    assert done.code == 1 and "audit.json is not the file that the run wrote" in done.err


def test_a_finished_folder_without_an_audit_gets_one(anchors: Path, gatling: Command, tmp_path: Path) -> None:
    ask = [*flags(anchors, tmp_path / "out"), "--per_term=2", "--difficulty=100,0,0"]
    assert gatling("tier2", *ask).code == 0
    before = contents(tmp_path / "out")
    assert "audit.json" not in before
    assert gatling("tier2", *ask, "--resume", "--audit=report").code == 0
    assert contents(tmp_path / "out", but=("audit.json", "audit.html")) == before
    assert gatling("validate", tmp_path / "out").code == 0
    first = (tmp_path / "out/audit.json").read_bytes()
    assert gatling("audit", tmp_path / "out", "--min_rows=20", "--quiet").code == 0
    assert (tmp_path / "out/audit.json").read_bytes() != first


def test_tier_three_and_contrast_sets(tier2: Path, anchors: Path, gatling: Command, tmp_path: Path) -> None:
    own = [flag for flag in flags(anchors, tmp_path / "tier3") if not flag.startswith("--per_term")]
    assert gatling("tier3", *own, "--pairs=61").code == 0
    written = rows(tmp_path / "tier3", "data")
    outside = Counter(row["mutation"]["strategy"] for row in written if row["label"] == "adversarial")
    assert outside.total() == 61 and outside.keys() == set(BOUNDARY_KINDS) and set(outside.values()) <= {10, 11}
    assert {row["tier"] for row in written} == {"III"}
    parents = Counter(row["mutation"]["parent"] for row in written if row["label"] == "benign")
    assert parents.keys() == {row["mutation"]["parent"] for row in written} and set(parents.values()) == {2}
    for name, source in (("of_tier2", tier2), ("of_tier3", tmp_path / "tier3")):
        output = tmp_path / name
        assert gatling("contrast", f"--input={source}", f"--output={output}", "--workers=1", "--quiet").code == 0
        loaded = datasets.load_dataset(str(output), split="train", cache_dir=str(tmp_path / "cache"))
        cells = sorted(cell["row_hash"] for one in loaded for cell in one["relation"])
        assert cells == sorted(row["row_hash"] for folder in ("data", "benign") for row in rows(source, folder))
        assert gatling("validate", output).out.startswith(f"ok: {len(loaded):,} rows")
        shown = gatling("inspect", output, "--n=1")
        assert shown.code == 0 and "family of" in shown.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--per_term=41"], "41 is not an even number"),
        (["--per_term=0"], "--per_term=0 is not an integer >= 2"),
        (["--difficulty=40,35"], "--difficulty=40,35"),
        (["--difficulty=10,10,80"], "at most 70 % easy rows"),
        (["--k=0"], "--k=0 is not an integer >= 1"),
        (["--catalogue=theirs"], "--catalogue=theirs is not one of 'ours' or 'original'"),
        (["--input=/nowhere"], "--input=/nowhere"),
        (["--input=/nowhere/a.parquet"], "--input=/nowhere/a.parquet"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(
    anchors: Path, gatling: Command, tmp_path: Path, arguments: list[str], says: str
) -> None:
    done = gatling("tier2", *flags(anchors, tmp_path / "out"), *arguments)
    assert done.code in (1, 2) and says in done.err and "Traceback" not in done.err
    assert not (tmp_path / "out").exists()


def test_files_that_hold_something_else_are_named(anchors: Path, gatling: Command, tmp_path: Path) -> None:
    assert gatling("gold", "--total=100", f"--output={tmp_path / 'gold'}", "--workers=1", "--quiet").code == 0
    done = gatling("tier2", *flags(tmp_path / "gold", tmp_path / "out"))
    assert done.code == 1 and "GoldTrace" in done.err
    table = pq.read_table(next(anchors.glob("data/*.parquet")))
    pq.write_table(table.append_column("mood", table["label"]), tmp_path / "more.parquet")
    done = gatling("tier2", *flags(tmp_path / "more.parquet", tmp_path / "out"))
    assert done.code == 1 and "unknown column mood" in done.err and "Traceback" not in done.err


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_row_that_cannot_be_read_ends_the_run_with_its_place(
    anchors: Path, gatling: Command, tmp_path: Path, workers: int
) -> None:
    lines = [json.dumps({**row, "mood": "bad"} if k == 300 else row) for k, row in enumerate(five_keys(anchors))]
    (tmp_path / "five.jsonl").write_text("\n".join(lines))
    done = gatling("tier2", *flags(tmp_path / "five.jsonl", tmp_path / "out", workers))
    assert done.code == 1 and "Traceback" not in done.err
    assert "cannot be read after 300 rows" in done.err and "line 301" in done.err and "mood" in done.err
    assert not (tmp_path / "out/manifest.json").exists()


def test_a_file_of_the_five_original_keys_is_valid_input(anchors: Path, tmp_path: Path) -> None:
    (tmp_path / "five.jsonl").write_text("".join(json.dumps(row) + "\n" for row in five_keys(anchors)))
    ask = ["--allow_short", "--max_rounds=0"]
    assert main(["tier2", *flags(tmp_path / "five.jsonl", tmp_path / "out"), *ask]) == 0
    negatives = rows(tmp_path / "out", "data")
    assert len(negatives) > 40 and {row["label_basis"] for row in negatives} == {"annotated"}
    assert read_ledger(str(tmp_path / "out")).total("families").in_ == 360
