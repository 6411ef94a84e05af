"""tier1 against a Hub: the commit that is looked up first is the one that is read and recorded."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gatling_beam.manifest import read_manifest

Command = Callable[..., Any]


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fake_hub", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fake_hub = _load(Path(__file__).parents[1] / "hub/conftest.py")
hub = fake_hub.hub

XLAM = "Salesforce/xlam-function-calling-60k"
TURKISH = "atasoglu/turkish-function-calling-20k"


@pytest.fixture
def filled(hub: Any, mirror: Path) -> Any:
    """The Hub with xlam, gated, and turkish."""
    xlam = (mirror / XLAM / "xlam_function_calling_60k.json").read_bytes()
    hub.add(XLAM, {"xlam_function_calling_60k.json": xlam}, gated=True)
    hub.add(TURKISH, {"train.jsonl": (mirror / TURKISH / "train.jsonl").read_bytes()})
    return hub


def test_the_commit_is_resolved_once_read_and_recorded(gatling: Command, filled: Any, tmp_path: Path) -> None:
    done = gatling("tier1", "--sources=turkish", "--workers=1", "--output", tmp_path / "out")
    assert done.code == 0
    manifest = read_manifest(str(tmp_path / "out"))
    assert manifest.sources["turkish"].revision == fake_hub.COMMIT
    assert manifest.actual_samples == 25
    resolved = [request.path for request in filled.asked("/revision/")]
    assert resolved[0].endswith("/revision/main")
    assert all(path.endswith(f"/revision/{fake_hub.COMMIT}") for path in resolved[1:])


def test_a_gated_source_says_what_to_do_or_is_skipped(gatling: Command, filled: Any, tmp_path: Path) -> None:
    common = ["--sources=xlam,turkish", "--workers=1", "--output", tmp_path / "out"]
    refused = gatling("tier1", *common)
    assert refused.code == 1
    assert "xlam" in refused.err and "gated" in refused.err and "HF_TOKEN" in refused.err
    assert not (tmp_path / "out").exists()
    assert gatling("tier1", *common, "--skip_unavailable").code == 0
    assert read_manifest(str(tmp_path / "out")).recipe["unavailable"] == ["xlam"]


def test_no_token_reaches_any_file(
    gatling: Command, filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.repos[XLAM].accepted = ("hf_secret_of_the_test",)
    monkeypatch.setenv("HF_TOKEN", "hf_secret_of_the_test")
    assert gatling("tier1", "--sources=xlam", "--workers=1", "--output", tmp_path / "out").code == 0
    assert json.loads((tmp_path / "out/manifest.json").read_text())["actual_samples"] == 60
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert files and not any(b"hf_secret" in path.read_bytes() for path in files)
