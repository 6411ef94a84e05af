"""Runs tier1 on other engines, and says whether they give the rows and counts that the default engine gives.

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


def run(output: Path, *flags: str) -> float:
    """Runs tier1 with `flags`; the seconds it took.

    Raises:
      RuntimeError: with the end of its log, if it fails.
    """
    log = output.with_suffix(".log")
    # Beam starts worker processes as `python`, whichever that is.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "gatling_beam.pipelines.tier1", "--quiet", *RECIPE, *flags, f"--output={output}"]
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
    rows = [row for path in (output / "data").iterdir() for row in read_shard(str(path), "parquet", Sample)]
    dead = [
        letter
        for path in (output / "dead_letters").iterdir()
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
    failures = 0
    with tempfile.TemporaryDirectory(prefix="gatling-beam-engines-") as scratch:
        wanted = Path(scratch) / "default"
        seconds = run(wanted, "--workers=1")
        rows, dead, ledger = result(wanted)
        print(f"default        {len(rows):5} rows {len(dead):4} dead letters {seconds:26.1f} s", flush=True)
        for name, flags in engines(folder).items():
            for exchange in ("files", "shuffle"):
                output = Path(scratch) / f"{name}-{exchange}"
                try:
                    seconds = run(output, *flags, *WORKERS, f"--exchange={exchange}")
                except (RuntimeError, subprocess.TimeoutExpired) as e:
                    print(f"{name} {exchange:8} failed: {e}", flush=True)
                    failures += 1
                    continue
                found = result(output)
                same = found == (rows, dead, ledger)
                failures += not same
                verdict = "NOT equal" if not same else "equal, rows alone"
                if same and contents(output) == contents(wanted):
                    verdict = "equal, byte for byte"
                print(
                    f"{name} {exchange:8} {len(found[0]):5} rows {len(found[1]):4} dead letters, "
                    f"{verdict:20} {seconds:5.1f} s",
                    flush=True,
                )
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]).resolve()))
