"""Runs tier1, tier2 and tier3 on other engines, and says whether they give the rows and counts of the default engine.

    python tools/engines/run.py FOLDER      # what build.sh made

Workers are processes of their own, so that every function and every row is pickled and decoded on its way.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gatling_beam.ledger import Ledger, read_ledger
from gatling_beam.sample import DeadLetter, Sample
from gatling_beam.shards import read_shard

HERE = Path(__file__).parent
RECIPE = ("--sources=all", "--root=embedded", "--shards=3")
ANCHORS = ("--sources=xlam", "--root=embedded", "--target=400", "--top_up=gold", "--seed=5")
FAMILIES = {"tier2": ("--per_term=40", "--k=2"), "tier3": ("--pairs=60", "--k=2")}
WORKERS = ("--environment_type=LOOPBACK", "--experiments=use_loopback_process_worker")
#: Seconds. A run takes well under a minute; one that hangs is stopped.
PATIENCE = 600


def engines(folder: Path) -> dict[str, tuple[str, ...]]:
    """The flags of each engine; `folder` is the one that build.sh filled."""
    jar = folder / "flink/flink-job-server.jar"
    return {
        "prism": ("--runner=PrismRunner", f"--prism_location={folder / 'prism'}"),
        "flink": (
            "--runner=FlinkRunner",
            "--flink_version=1.19",
            f"--flink_job_server_jar={jar}",
            f"--flink_conf_dir={HERE / 'flink'}",
            "--parallelism=2",
        ),
    }


def commands(anchors: Path) -> dict[str, tuple[str, ...]]:
    """The commands that are compared, with their flags; `anchors` is what families are made of."""
    families = ("--audit=no", "--shards=3", "--seed=5", f"--input={anchors}")
    return {"tier1": RECIPE, **{name: (*flags, *families) for name, flags in FAMILIES.items()}}


def run(name: str, output: Path, *flags: str) -> float:
    """Runs a command with `flags`; the seconds it took.

    Raises:
      RuntimeError: with the end of its log, if it fails.
    """
    log = output.with_suffix(".log")
    # Beam starts worker processes as `python`, whichever that is.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", f"gatling_beam.pipelines.{name}", "--quiet", *flags, f"--output={output}"]
    start = time.monotonic()
    with log.open("wb") as stream:
        job = subprocess.Popen(command, stdout=stream, stderr=stream, env=environment, start_new_session=True)
    try:
        code = job.wait(PATIENCE)
    except BaseException:
        # Its job server and workers too.
        os.killpg(job.pid, signal.SIGKILL)
        raise
    if code:
        raise RuntimeError("\n".join(log.read_text(errors="replace").splitlines()[-30:]))
    return time.monotonic() - start


def result(output: Path) -> tuple[list[Sample], list[DeadLetter], Ledger]:
    """The rows and dead letters of an output directory, sorted, and its ledger."""
    paths = [path for folder in ("data", "benign") for path in output.glob(f"{folder}/*.parquet")]
    rows = [row for path in paths for row in read_shard(str(path), "parquet", Sample)]
    dead = [
        letter
        for path in output.glob("dead_letters/*.parquet")
        for letter in read_shard(str(path), "parquet", DeadLetter)
    ]
    rows.sort(key=lambda row: row.sample_id)
    dead.sort(key=lambda letter: letter.dead_id)
    return rows, dead, read_ledger(str(output))


def contents(output: Path) -> dict[str, bytes]:
    """Every file of a directory, by relative name."""
    return {str(path.relative_to(output)): path.read_bytes() for path in output.rglob("*") if path.is_file()}


def main(folder: Path) -> int:
    """Prints a line a run; 0 if all give the same."""
    with tempfile.TemporaryDirectory(prefix="gatling-beam-engines-") as scratch:
        anchors = Path(scratch) / "anchors"
        run("tier1", anchors, "--workers=1", *ANCHORS)
        failures = [compare(name, flags, folder, Path(scratch)) for name, flags in commands(anchors).items()]
    return 1 if sum(failures) else 0


def compare(command: str, recipe: tuple[str, ...], folder: Path, scratch: Path) -> int:
    """Runs a command on every engine; the number of runs that fail, or give something else than the default engine."""
    failures = 0
    wanted = scratch / command
    seconds = run(command, wanted, "--workers=1", *recipe)
    rows, dead, ledger = result(wanted)
    print(f"{command} default        {len(rows):5} rows {len(dead):4} dead letters {seconds:26.1f} s", flush=True)
    for name, flags in engines(folder).items():
        for exchange in ("files", "shuffle"):
            output = scratch / f"{command}-{name}-{exchange}"
            try:
                seconds = run(command, output, *flags, *WORKERS, f"--exchange={exchange}", *recipe)
            except (RuntimeError, subprocess.TimeoutExpired) as e:
                print(f"{command} {name} {exchange:8} failed: {e}", flush=True)
                failures += 1
                continue
            found = result(output)
            same = found == (rows, dead, ledger)
            failures += not same
            verdict = "NOT equal" if not same else "equal, rows alone"
            if same and contents(output) == contents(wanted):
                verdict = "equal, byte for byte"
            print(
                f"{command} {name} {exchange:8} {len(found[0]):5} rows {len(found[1]):4} dead letters, "
                f"{verdict:20} {seconds:5.1f} s",
                flush=True,
            )
    return failures


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]).resolve()))
