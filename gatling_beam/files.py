"""Files by path or fsspec URL: written whole or not at all, hashed while they are written."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

_CHUNK = 1 << 20


class HashingWriter:
    """A binary stream, write only, that knows the number and the SHA-256 of the bytes that passed it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sha256 = hashlib.sha256()
        self.bytes = 0
        self.closed = False

    @property
    def sha256(self) -> str:
        """Of everything written so far, as 64 hexadecimal digits."""
        return self._sha256.hexdigest()

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._stream.write(view)
        self._sha256.update(view)
        self.bytes += len(view)
        return len(view)

    def tell(self) -> int:
        return self.bytes

    def flush(self) -> None:
        self._stream.flush()

    def seekable(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Does nothing: the file is closed by `atomic_writer`, which opened it."""


def join(directory: str, name: str) -> str:
    """The path or URL of `name` (which may hold slashes) under `directory`."""
    return f"{str(directory).rstrip('/')}/{name}" if str(directory) != "/" else f"/{name}"


@contextmanager
def atomic_writer(path: str) -> Iterator[HashingWriter]:
    """A stream for the file at `path`, which appears only when the block ends without an exception.

    On a local disk the bytes go to a temporary name beside it, which is then renamed: a reader sees the whole old
    file or the whole new one. On an object store an object appears when it is complete; which objects count is
    for the manifest to say. Missing folders are made.
    """
    fs, target = url_to_fs(path)
    if not isinstance(fs, LocalFileSystem):
        fs.makedirs(os.path.dirname(target), exist_ok=True)
        with fs.open(target, "wb") as stream:
            yield HashingWriter(stream)
        return
    folder, name = os.path.split(target)
    os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f".{name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as stream:
            yield HashingWriter(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise


def write_bytes(path: str, data: bytes) -> None:
    """Writes a small file as `atomic_writer` does."""
    with atomic_writer(path) as stream:
        stream.write(data)


@contextmanager
def open_reader(path: str) -> Iterator[BinaryIO]:
    """The bytes of the file at `path`, seekable.

    Raises:
      FileNotFoundError: if it is not there.
    """
    fs, target = url_to_fs(path)
    with fs.open(target, "rb") as stream:
        yield cast(BinaryIO, stream)


def read_bytes(path: str) -> bytes:
    """The whole of a small file."""
    with open_reader(path) as stream:
        return stream.read()


def sha256_of(path: str) -> str:
    """SHA-256 of a file, read in pieces of 1 MB."""
    sha256 = hashlib.sha256()
    with open_reader(path) as stream:
        while chunk := stream.read(_CHUNK):
            sha256.update(chunk)
    return sha256.hexdigest()


def list_files(directory: str) -> list[str]:
    """The names of all files under `directory`, relative to it, with slashes, sorted."""
    fs, root = url_to_fs(directory)
    root = root.rstrip("/")
    return sorted(found[len(root) + 1 :] for found in fs.find(root, withdirs=False))


def list_folders(directory: str) -> list[str]:
    """The names of the folders right under `directory`, sorted; none where it is not there."""
    fs, root = url_to_fs(directory)
    found = fs.ls(root, detail=True) if fs.isdir(root) else []
    return sorted(entry["name"].rstrip("/").rpartition("/")[2] for entry in found if entry["type"] == "directory")


def expand_glob(pattern: str) -> list[str]:
    """The paths that match a glob (`*`, `?`, `[...]`, `**`), sorted; URLs keep their protocol."""
    fs, target = url_to_fs(pattern)
    found = sorted(str(path) for path in fs.glob(target))
    return found if isinstance(fs, LocalFileSystem) else [fs.unstrip_protocol(path) for path in found]
