"""Progress is read off the files that appear."""

import time
from pathlib import Path

import pytest

from gatling_beam.pipelines.progress import Seen, Watcher, describe, watched


def test_a_finished_run_is_seen_as_it_is(finished: Path) -> None:
    seen = Watcher(str(finished)).look()
    assert (seen.parts, seen.part_total, seen.rows, seen.runs) == (2, 2, 75, 0)


def test_runs_between_steps_are_counted_and_hidden_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "_tmp").mkdir()
    (tmp_path / "_tmp/a.arrow").write_bytes(b"x" * 1000)
    (tmp_path / "_tmp/.b.arrow.tmp").write_bytes(b"x")
    seen = Watcher(str(tmp_path)).look()
    assert (seen.runs, seen.run_bytes, seen.parts) == (1, 1000, 0)


def test_a_line_says_phase_amounts_rate_and_time() -> None:
    assert (
        describe(Seen(runs=3, run_bytes=8_000_000), 65, "2 files")
        == "reading 2 files: 3 runs, 8.0 MB, 0.1 MB/s, 1:05 elapsed"
    )
    line = describe(Seen(parts=1, part_bytes=2_000_000, rows=1234, part_total=4), 2)
    assert line == "writing: 1/4 parts, 2.0 MB, 1,234 rows, 1.0 MB/s, 0:02 elapsed"
    assert describe(Seen(), 1, "2 files").startswith("reading 2 files, ")


def test_without_a_terminal_lines_are_logged_and_quiet_says_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gatling_beam.pipelines.progress._LOG_EVERY_S", 0.01)
    with watched(str(tmp_path), "all", quiet=False):
        time.sleep(0.1)
    assert "elapsed" in capsys.readouterr().err
    with watched(str(tmp_path), "all", quiet=True):
        time.sleep(0.1)
    assert capsys.readouterr().err == ""
