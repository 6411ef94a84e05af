"""Whose an output directory is: a marker that a run writes before anything else, and removes after everything else."""

import os
import socket
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from gatling_beam.files import read_bytes, write_bytes
from gatling_beam.pipelines.options import UserError


class Owner(msgspec.Struct, frozen=True):
    """A run that was begun: what it makes (`recipe`, as JSON values), and the process that does it."""

    stage: str
    stage_key: str
    host: str
    pid: int
    recipe: dict[str, Any]

    def at_work(self) -> bool:
        """Whether its process is alive, as far as can be told: of another machine's nothing is known.

        A marker with our own process id is left by a run of this process that failed, or by one before a restart of
        the container, which counts processes from the start again.
        """
        return self.host == socket.gethostname() and self.pid != os.getpid() and _is_alive(self.pid)

    def __str__(self) -> str:
        return f"a run of {self.stage} (process {self.pid} on {self.host})"


def this_process(stage: str, stage_key: str, recipe: Mapping[str, Any]) -> Owner:
    """The owner of what this process is about to write."""
    return Owner(stage, stage_key, socket.gethostname(), os.getpid(), dict(recipe))


def read_owner(path: str) -> Owner | None:
    """The owner that the marker at `path` names; None where there is none.

    Raises:
      UserError: if the file is no marker.
    """
    try:
        return msgspec.json.decode(read_bytes(path), type=Owner)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except msgspec.DecodeError as e:
        raise UserError(
            f"{path} does not say which run is at work there ({e}): if none is, remove that file and the run's others"
        ) from e


def claim(path: str, mine: Owner, before: Owner | None) -> None:
    """Writes the marker, of which there is one at a time; `before` is the dead run's that it replaces.

    On a local disk one of several claims succeeds. Elsewhere two at the same moment may both do.

    Raises:
      UserError: if another run was faster.
    """
    fs, target = url_to_fs(path)
    data = msgspec.json.encode(mine)
    if not isinstance(fs, LocalFileSystem):
        if read_owner(path) != before:
            raise _taken(path)
        write_bytes(path, data)
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if before is not None:
        _set_aside(target, before)
    try:
        with open(target, "xb") as stream:
            stream.write(data)
    except FileExistsError:
        raise _taken(path) from None


def _set_aside(target: str, before: Owner) -> None:
    """Removes the marker of a dead run, unless another run has replaced it in the meantime."""
    aside = f"{target}.{uuid.uuid4().hex}"
    try:
        os.rename(target, aside)
    except FileNotFoundError:
        raise _taken(target) from None
    if read_owner(aside) != before:
        os.replace(aside, target)
        raise _taken(target)
    os.remove(aside)


def _taken(path: str) -> UserError:
    return UserError(f"another run has just begun there ({path}): wait for it, or name another --output")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # It is another user's.
        return True
    return True
