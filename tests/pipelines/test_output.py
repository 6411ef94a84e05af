"""Which output directories may be used, and what --resume and --overwrite do to them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gatling_beam.pipelines.options import UserError
from gatling_beam.pipelines.output import PlaceOptions, prepare, release
from gatling_beam.pipelines.owner import Owner, claim, read_owner, this_process

Command = Callable[..., Any]

KEY = "a" * 64
HALF_WRITTEN = f"data/.part-00001-of-00002.parquet.{'0f' * 16}.tmp"


@pytest.fixture
def output(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run."""
    return Path(shutil.copytree(finished, tmp_path / "out"))


def mark(directory: Path, **other: Any) -> Owner:
    """Leaves the marker of a run in `directory`; by default one of a process that is dead."""
    fields: dict[str, Any] = {"stage": "tier1", "stage_key": KEY, "host": socket.gethostname(), "pid": dead_process()}
    owner = Owner(**(fields | {"recipe": {"limit": 3}} | other))
    claim(str(directory / "_tmp/owner.json"), owner, None)
    return owner


def dead_process() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def living_process() -> Iterator[int]:
    """The id of a process that is alive."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process.pid
    process.kill()
    process.wait()


def begin(directory: Path, *flags: str, keep: bool = False, key: str = KEY) -> str:
    """What `prepare` says of a run of tier1."""
    options = PlaceOptions(output=str(directory), **dict.fromkeys(flags, True))
    return prepare(options, "tier1", key, {"limit": 3}, keep=keep)


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_a_directory_with_a_run_is_refused_without_a_word_about_it(tier1: Command, output: Path) -> None:
    before = (output / "manifest.json").read_bytes()
    done = tier1(output)
    assert done.code == 1
    assert "not empty" in done.err and "--resume" in done.err and "--overwrite" in done.err
    assert (output / "manifest.json").read_bytes() == before


def test_resume_of_the_same_run_does_nothing(tier1: Command, output: Path) -> None:
    times = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    done = tier1(output, "--shards=2", "--resume")
    assert done.code == 0
    assert "nothing to do" in done.err
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == times


def test_resume_of_another_run_is_refused_and_says_what_differs(tier1: Command, output: Path) -> None:
    done = tier1(output, "--shards=3", "--seed=9", "--resume")
    assert done.code == 1
    assert "shards (2 there, 3 here)" in done.err and "seed (0 there, 9 here)" in done.err
    assert (output / "manifest.json").exists()


def test_resume_of_a_run_over_other_sources_names_them(tier1: Command, output: Path) -> None:
    done = tier1(output, "--shards=2", "--resume", sources="xlam,hermes")
    assert done.code == 1
    assert "sources: turkish (local-" in done.err and "None here" in done.err
    assert "xlam" not in done.err


def test_resume_starts_an_unfinished_run_again(tier1: Command, finished: Path, output: Path) -> None:
    (output / "manifest.json").unlink()
    mark(output)
    (output / "data/part-00000-of-00009.parquet").write_bytes(b"left over")
    (output / HALF_WRITTEN).write_bytes(b"half")
    (output / "_tmp/exchange-1").mkdir(parents=True)
    assert tier1(output, "--shards=2", "--resume").code == 0
    assert {path.name for path in (output / "data").iterdir()} == {path.name for path in (finished / "data").iterdir()}
    assert (output / "manifest.json").read_bytes() == (finished / "manifest.json").read_bytes()
    assert not (output / "_tmp").exists()


def test_overwrite_leaves_nothing_of_the_earlier_run(tier1: Command, output: Path) -> None:
    assert tier1(output, "--shards=1", "--format=jsonl", "--overwrite").code == 0
    assert [path.name for path in (output / "data").iterdir()] == ["part-00000-of-00001.jsonl"]
    assert json.loads((output / "manifest.json").read_text())["format"] == "jsonl"


@pytest.mark.parametrize("flag", ["--overwrite", "--resume"])
def test_files_that_no_run_wrote_are_never_removed(tier1: Command, tmp_path: Path, flag: str) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    done = tier1(tmp_path, flag)
    assert done.code == 1
    assert "thesis.tex" in done.err
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_file_is_no_output_directory(tier1: Command, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    done = tier1(tmp_path / "out", "--overwrite")
    assert done.code == 1
    assert "is a file" in done.err


@pytest.mark.parametrize("flag", ["resume", "overwrite"])
@pytest.mark.parametrize(
    "names",
    [
        ["data/train-00000-of-00001.parquet", "README.md"],
        ["data/part-00000-of-00001.parquet", "README.md"],
        ["README.md"],
        ["manifest.json", "data/part-00000-of-00001.parquet"],
        ["_tmp/notes.txt"],
    ],
)
def test_a_strangers_folder_is_never_touched(tmp_path: Path, flag: str, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"name": "a Chrome extension", "files": []}')
    before = contents(tmp_path)
    with pytest.raises(UserError, match=r"holds files that no run wrote .* neither the manifest nor the marker"):
        begin(tmp_path, flag)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("flag", ["resume", "overwrite"])
@pytest.mark.parametrize(
    "name",
    ["data/mine.parquet", "data/part-0-of-1.parquet", "data/more/part-00000-of-00001.parquet", "thesis.tex", ".git/x"],
)
def test_a_single_file_of_somebody_else_keeps_all(
    make_directory: Command, tmp_path: Path, flag: str, name: str
) -> None:
    make_directory(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
    (tmp_path / name).write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(UserError, match="holds files that no run wrote") as refused:
        begin(tmp_path, flag)
    assert name.partition("/")[0] in str(refused.value)
    assert contents(tmp_path) == before


def test_a_link_to_another_folder_is_not_followed(make_directory: Command, tmp_path: Path) -> None:
    make_directory(tmp_path / "out")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/part-00000-of-00001.parquet").write_text("mine")
    (tmp_path / "out/data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"no run wrote \(data\)"):
        begin(tmp_path / "out", "overwrite")
    assert (tmp_path / "elsewhere/part-00000-of-00001.parquet").read_text() == "mine"


def test_overwrite_removes_all_that_a_run_wrote(make_directory: Command, tmp_path: Path) -> None:
    make_directory(tmp_path)
    for name in ("data/part-00000-of-00007.avro", "data/gold-00000-of-00002.jsonl", HALF_WRITTEN, "diversity.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("left over")
    assert begin(tmp_path, "overwrite") == "start"
    assert list(contents(tmp_path)) == ["_tmp/owner.json"]


def test_the_marker_comes_first_and_goes_last(tmp_path: Path) -> None:
    assert begin(tmp_path / "new/out") == "start"
    marker = str(tmp_path / "new/out/_tmp/owner.json")
    assert read_owner(marker) == this_process("tier1", KEY, {"limit": 3})
    release(str(tmp_path / "new/out"))
    assert list((tmp_path / "new/out").iterdir()) == []


@pytest.mark.parametrize("flags", [[], ["resume"], ["overwrite"]])
def test_a_run_that_is_at_work_is_left_alone(tmp_path: Path, living_process: int, flags: list[str]) -> None:
    mark(tmp_path, pid=living_process)
    with pytest.raises(UserError, match=rf"process {living_process} on .* is at work there"):
        begin(tmp_path, *flags)
    assert list(contents(tmp_path)) == ["_tmp/owner.json"]


@pytest.mark.parametrize("other", [{}, {"pid": os.getpid()}, {"host": "another", "pid": 1}])
def test_the_marker_of_a_dead_run_is_taken_over(tmp_path: Path, other: dict[str, Any]) -> None:
    mark(tmp_path, **other)
    with pytest.raises(UserError, match="is not empty: --resume"):
        begin(tmp_path)
    assert begin(tmp_path, "resume") == "start"
    taken = read_owner(str(tmp_path / "_tmp/owner.json"))
    assert taken is not None and taken.pid == os.getpid()
    assert len(contents(tmp_path)) == 1


def test_of_two_claims_one_succeeds(tmp_path: Path) -> None:
    marker = str(tmp_path / "_tmp/owner.json")
    mine = this_process("tier1", KEY, {})
    claim(marker, mine, None)
    with pytest.raises(UserError, match="another run has just begun"):
        claim(marker, this_process("gold", KEY, {}), None)
    with pytest.raises(UserError, match="another run has just begun"):
        claim(marker, this_process("gold", KEY, {}), mark(tmp_path / "elsewhere"))
    assert read_owner(marker) == mine


def test_a_damaged_marker_is_no_licence_to_remove(tmp_path: Path) -> None:
    (tmp_path / "_tmp").mkdir()
    (tmp_path / "_tmp/owner.json").write_text("{")
    with pytest.raises(UserError, match="does not say which run"):
        begin(tmp_path, "overwrite")


def test_finished_shards_are_kept_for_the_same_run_alone(tmp_path: Path) -> None:
    def unfinished() -> None:
        mark(tmp_path)
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data/gold-00000-of-00002.jsonl").write_text("{}")
        (tmp_path / f"data/.gold-00001-of-00002.jsonl.{'0f' * 16}.tmp").write_text("{")

    unfinished()
    assert begin(tmp_path, "resume", keep=True) == "go_on"
    assert set(contents(tmp_path)) == {"_tmp/owner.json", "data/gold-00000-of-00002.jsonl"}
    for flags, key in ((["overwrite"], KEY), (["resume"], "b" * 64)):
        release(str(tmp_path))
        unfinished()
        assert begin(tmp_path, *flags, keep=True, key=key) == "start"
        assert list(contents(tmp_path)) == ["_tmp/owner.json"]


def test_a_marker_left_beside_a_manifest_is_tidied_up(make_directory: Command, tmp_path: Path) -> None:
    make_directory(tmp_path, stage_key=KEY, recipe={"limit": 3})
    mark(tmp_path)
    assert begin(tmp_path, "resume") == "finished"
    assert not (tmp_path / "_tmp").exists()


@pytest.mark.parametrize("place", ["file/x", "dangling", "dangling/x", "/proc/x", "/dev/null/x"])
def test_places_that_cannot_be_written(gatling: Command, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere/at/all")
    target = place if place.startswith("/") else f"{tmp_path}/{place}"
    done = gatling("gold", "--sample", "--workers=1", f"--output={target}")
    assert done.code == 1
    assert f"--output={target}" in done.err and "Traceback" not in done.err


def test_of_two_runs_at_once_one_is_refused(gatling: Command, tmp_path: Path) -> None:
    flags = [sys.executable, "-m", "gatling_beam.pipelines.gold", "--workers=1", f"--output={tmp_path / 'out'}"]
    first = subprocess.Popen([*flags, "--total=200000"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        marker = tmp_path / "out/_tmp/owner.json"
        while not (marker.exists() and marker.stat().st_size):
            assert first.poll() is None
        for flag in ("--quiet", "--resume", "--overwrite"):
            done = gatling("gold", "--sample", "--workers=1", f"--output={tmp_path / 'out'}", flag)
            assert done.code == 1
            assert f"process {first.pid}" in done.err and "is at work" in done.err
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    done = gatling("gold", "--sample", "--workers=1", "--quiet", f"--output={tmp_path / 'out'}", "--overwrite")
    assert done.code == 0
    assert gatling("validate", tmp_path / "out").code == 0
