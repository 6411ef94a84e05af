"""The embedded sample: complete, reproducible, and read to exactly what its generator says of each row."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gatling_beam.errors import FILTERS, REASONS
from gatling_beam.hub import list_files, plan_units, read_unit
from gatling_beam.mirror import mirror_path
from gatling_beam.normalize import normalize_row
from gatling_beam.sample import DeadLetter, Drop, Sample
from gatling_beam.sources import names, source

MIRROR = Path(mirror_path())
GENERATOR = Path(__file__).parents[2] / "tools" / "make_mirror.py"
EXPECTED: dict[str, Any] = json.loads((MIRROR / "EXPECTED.json").read_text("utf-8"))


def outcome(result: Sample | DeadLetter | Drop) -> str:
    if isinstance(result, Sample):
        return "plan"
    if isinstance(result, DeadLetter):
        return f"dead:{result.reason}"
    return f"{result.kind}:{result.reason}" if result.reason else result.kind


@pytest.fixture(scope="module")
def results() -> dict[str, list[tuple[str, Sample | DeadLetter | Drop]]]:
    """By source, each row's file and what it becomes, in file order."""
    found = {}
    for name in names("plans"):
        spec = source(name)
        units = plan_units(list_files(spec, root=str(MIRROR)))
        rows = [row for unit in units for row in read_unit(unit)]
        found[name] = [(f"{spec.hub_id}/{_path(row.location)}", normalize_row(row, spec)) for row in rows]
    return found


def _path(location: str) -> str:
    path, _, place = location.rpartition(":")
    return path if place.isdigit() else location


def test_every_source_of_plans_is_there_and_makes_plans(results):
    kinds = {name: {outcome(result) for _, result in rows} for name, rows in results.items()}
    assert len(kinds) == len(names("plans")) >= 27
    assert kinds.pop("aiq") == {"no_call"}
    assert [name for name, found in kinds.items() if "plan" not in found] == []


def test_every_row_becomes_what_the_generator_says(results):
    found = defaultdict(list)
    for rows in results.values():
        for file, result in rows:
            found[file].append(outcome(result))
    assert dict(found) == EXPECTED["outcomes"]


def test_as_many_plans_are_distinct_as_the_generator_says(results):
    plans = [result for rows in results.values() for _, result in rows if isinstance(result, Sample)]
    assert len(plans) == EXPECTED["plans"]
    assert len({plan.intent_hash for plan in plans}) == EXPECTED["distinct_plans"]


def test_translations_meet_their_originals(results):
    plans = {name: [r for _, r in rows if isinstance(r, Sample)] for name, rows in results.items()}
    originals = {plan.intent_hash for plan in plans["xlam"]}
    for name, language in (("twinkle", "zh"), ("turkish", "tr")):
        assert len(plans[name]) >= 10
        assert {plan.intent_hash for plan in plans[name]} <= originals
        assert all(language in (p.language, *(v.language for v in p.request_variants)) for p in plans[name])


def test_results_and_references_make_data_edges(results):
    for name in ("hermes", "toolace", "glaive", "nestful", "tinyagent", "taskbench", "toolbench", "toolbench_answers"):
        plans = [result for _, result in results[name] if isinstance(result, Sample)]
        assert any("data" in plan.edge_evidence for plan in plans), name


def test_broken_rows_are_few_and_of_many_kinds():
    rows = [row for outcomes in EXPECTED["outcomes"].values() for row in outcomes]
    dead = [row.removeprefix("dead:") for row in rows if row.startswith("dead:")]
    filtered = {row.removeprefix("filtered:") for row in rows if row.startswith("filtered:")}
    assert 0.04 < len(dead) / len(rows) < 0.08
    assert len(set(dead)) >= 12
    assert set(dead) <= set(REASONS)
    assert filtered <= set(FILTERS)
    assert EXPECTED["rows"] == len(rows)


def test_the_generator_writes_the_same_sample_again(tmp_path):
    subprocess.run([sys.executable, str(GENERATOR), str(tmp_path)], check=True)
    made, stored = _files(tmp_path), _files(MIRROR)
    assert sorted(made) == sorted(stored)
    for name, path in made.items():
        if name.endswith(".parquet"):  # bytes depend on the version of pyarrow
            assert pq.read_table(path).to_pylist() == pq.read_table(stored[name]).to_pylist(), name
        else:
            assert path.read_bytes() == stored[name].read_bytes(), name


def test_the_sample_stays_small():
    assert sum(path.stat().st_size for path in _files(MIRROR).values()) < 600_000


def _files(root: Path) -> dict[str, Path]:
    paths = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
    return {name: path for name, path in paths.items() if not name.endswith((".py", ".pyc"))}
