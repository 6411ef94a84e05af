"""Settings of the whole Python process that are changed only while somebody needs them, and then put back."""

import csv
import gc
from collections.abc import Callable
from threading import Lock
from typing import Any


class Borrowed:
    """A setting that is changed while at least one user holds it. `change` changes it and returns how to undo that."""

    def __init__(self, change: Callable[[], Callable[[], Any]]) -> None:
        self._change = change
        self._lock = Lock()
        self._holders = 0
        self._undo: Callable[[], Any] | None = None

    def take(self) -> None:
        """One user more; each has to `give_back` once."""
        with self._lock:
            if not self._holders:
                self._undo = self._change()
            self._holders += 1

    def give_back(self) -> None:
        """One user less; the last one puts the setting back."""
        with self._lock:
            self._holders -= 1
            if not self._holders and self._undo is not None:
                self._undo()
                self._undo = None


def _collect_seldom() -> Callable[[], None]:
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)

    def undo() -> None:
        gc.set_threshold(*before)
        gc.unfreeze()

    return undo


def _long_cells() -> Callable[[], int]:
    before = csv.field_size_limit(1 << 30)
    return lambda: csv.field_size_limit(before)


#: Rows are trees of Structs without cycles; collecting after every few hundred costs a fifth of the run.
SELDOM_GC = Borrowed(_collect_seldom)
#: Cells of CSV files of up to 1 GiB; Python's default, 128 KB, is shorter than a conversation.
LONG_CSV_CELLS = Borrowed(_long_cells)
