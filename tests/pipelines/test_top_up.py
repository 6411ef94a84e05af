"""`tier1 --top_up gold`: gold traces fill what the sources lack of the target, and only that."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

Command = Callable[..., Any]


def rows(directory: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(directory.glob("data/*.parquet")) for row in pq.read_table(path).to_pylist()]


@pytest.mark.parametrize("near", [(), ("--near=0.9",)], ids=["exact", "near"])
def test_the_target_is_met_exactly(
    tier1: Command, gatling: Command, tmp_path: Path, expected: dict[str, tuple[int, ...]], near: tuple[str, ...]
) -> None:
    output = tmp_path / "out"
    assert tier1(output, "--target=250", "--top_up=gold", "--seed=3", *near).code == 0
    written = rows(output)
    assert len(written) == 250
    by_source = {
        name: sum(row["source"]["name"] == name for row in written)
        for name in {row["source"]["name"] for row in written}
    }
    gold = by_source.pop("gold")
    if not near:
        # Nothing of the data sets is left out for a gold trace.
        assert by_source == {name: counts[-1] for name, counts in expected.items()}
    assert gold == 250 - sum(by_source.values())
    assert len({row["intent_hash"] for row in written}) == 250
    assert len({row["execution_plan"]["nodes"][0]["tool_name"].split(".")[0] for row in written}) > 40
    assert gatling("validate", output).code == 0
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["sources"]["gold"]["licence"] == "apache-2.0"
    assert manifest["loader_statistics"]["gold"] == gold


def test_gold_is_not_taken_where_the_sources_suffice(
    tier1: Command, tmp_path: Path, expected: dict[str, tuple[int, ...]]
) -> None:
    plans = sum(counts[-1] for counts in expected.values())
    assert tier1(tmp_path / "with", f"--target={plans - 5}", "--top_up=gold", "--quiet").code == 0
    assert tier1(tmp_path / "without", f"--target={plans - 5}", "--quiet").code == 0
    assert rows(tmp_path / "with") == rows(tmp_path / "without")


def test_the_bytes_do_not_depend_on_the_workers(tier1: Command, gatling: Command, mirror: Path, tmp_path: Path) -> None:
    flags = ("--target=300", "--top_up=gold", "--shards=2", "--quiet")
    assert tier1(tmp_path / "one", *flags).code == 0
    many = ("tier1", "--root", mirror, "--sources=xlam,turkish,hermes", "--workers=2", *flags)
    assert gatling(*many, "--output", tmp_path / "two").code == 0
    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two


def test_a_target_is_needed(tier1: Command, tmp_path: Path) -> None:
    done = tier1(tmp_path / "out", "--top_up=gold")
    assert done.code != 0
    assert "--target" in done.err and "Traceback" not in done.err
    assert not (tmp_path / "out").exists()
    done = tier1(tmp_path / "out", "--top_up=silver", "--target=5")
    assert done.code != 0 and "gold" in done.err
