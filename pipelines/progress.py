"""How far a run is. The in-process runner tells nothing while it runs, so the files that appear are looked at."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.live import Live
from rich.text import Text

from gatling_beam.pipelines.output import DATA, DEAD_LETTERS

_TERMINAL_EVERY_S = 0.5
_LOG_EVERY_S = 15.0


class Seen(NamedTuple):
    """What is on disk: runs between steps and their bytes, finished data files with their bytes and rows."""

    runs: int = 0
    run_bytes: int = 0
    parts: int = 0
    part_bytes: int = 0
    rows: int = 0
    part_total: int | None = None


class Watcher:
    """Looks at the folders of one output directory; rows are counted once a file."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._rows: dict[str, int] = {}

    def look(self) -> Seen:
        """The present state; files that vanish while they are looked at are left out."""
        runs = run_bytes = parts = part_bytes = 0
        total = None
        for folder, _, names in os.walk(self._directory):
            if os.path.basename(folder) == DEAD_LETTERS:
                continue
            for name in names:
                path = os.path.join(folder, name)
                if name.startswith(".") or not (size := _size(path)):
                    continue
                if name.endswith(".arrow"):
                    runs, run_bytes = runs + 1, run_bytes + size
                elif name.startswith("part-"):
                    parts, part_bytes = parts + 1, part_bytes + size
                    total = int(name.partition("-of-")[2][:5])
                    self._count(path)
        return Seen(runs, run_bytes, parts, part_bytes, sum(self._rows.values()), total)

    def _count(self, path: str) -> None:
        if path.endswith(".parquet") and path not in self._rows and os.path.dirname(path).endswith(DATA):
            try:
                self._rows[path] = pq.read_metadata(path).num_rows
            except (OSError, pa.ArrowInvalid):
                return


def describe(seen: Seen, elapsed: float, task: str = "") -> str:
    """One line: phase, amounts, rate (bytes moved a second) and elapsed time; `task` says how much there is to read."""
    moved = seen.run_bytes + seen.part_bytes
    rate = f"{moved / 1e6 / elapsed:,.1f} MB/s" if elapsed > 0 else ""
    if seen.parts:
        what = f"writing: {seen.parts:,}/{seen.part_total:,} parts, {seen.part_bytes / 1e6:,.1f} MB"
        what += f", {seen.rows:,} rows" if seen.rows else ""
    elif seen.runs:
        what = f"reading {task}: {seen.runs:,} runs, {seen.run_bytes / 1e6:,.1f} MB"
    else:
        what = f"reading {task}"
    minutes, seconds = divmod(int(elapsed), 60)
    return f"{what}, {rate}, {minutes}:{seconds:02d} elapsed"


@contextmanager
def watched(directory: str, task: str, *, quiet: bool, more: Callable[[], str] | None = None) -> Iterator[None]:
    """Shows the progress of the block: a live line on a terminal, else a log line every 15 s; nothing if `quiet`.

    `task` says how much there is to read, `more` what else there is to tell. Of a remote directory only the time is
    known.
    """
    if quiet:
        yield
        return
    watcher = Watcher(directory)
    start = time.monotonic()
    done = threading.Event()
    on_terminal = sys.stderr.isatty()

    def line() -> str:
        told = f", {more()}" if more else ""
        return describe(watcher.look(), time.monotonic() - start, task) + told

    def show() -> None:
        if not on_terminal:
            while not done.wait(_LOG_EVERY_S):
                print(line(), file=sys.stderr, flush=True)
            return
        with Live(Text("starting"), console=Console(stderr=True), auto_refresh=False, transient=True) as live:
            while not done.wait(_TERMINAL_EVERY_S):
                live.update(Text(line()), refresh=True)

    thread = threading.Thread(target=show, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0
