"""The files of a mirror, with what cannot be read of it, and what tells two versions of a file apart."""

import hashlib
import os
from typing import NamedTuple

import msgspec
from fsspec.implementations.local import LocalFileSystem

from gatling_beam.hub.errors import SourceUnavailable
from gatling_beam.hub.model import FileRef
from gatling_beam.hub.store import MirrorStore

_BLOCK_BYTES = 1 << 20


class Tree(NamedTuple):
    """The files of a data set by path, and why other paths cannot be read."""

    files: dict[str, FileRef]
    unusable: dict[str, str]


def mirror_tree(root: str, hub_id: str) -> Tree:
    """All files below `<root>/<hub_id>`; in a local folder links to files and folders are followed.

    Raises:
      SourceUnavailable: if there is no such folder.
    """
    store = MirrorStore(root, hub_id)
    if not store.files.isdir(store.folder):
        raise SourceUnavailable(
            f"root={root!r}: there is no folder {store.folder}; put the data set's files there as the Hub lays them "
            f"out (hf download {hub_id} --repo-type dataset --local-dir {store.folder})"
        )
    tree = Tree({}, {})
    if isinstance(store.files, LocalFileSystem):
        _walk(tree, store.folder, "", ())
    else:
        for path, info in store.files.find(store.folder, detail=True).items():
            name = path[len(store.folder) + 1 :]
            tree.files[name] = FileRef(name, info["size"])
    return tree


def _walk(tree: Tree, folder: str, prefix: str, above: tuple[str, ...]) -> None:
    """Adds what is in `folder` to `tree`; `above` are the folders it is in, so that a link to one of them ends."""
    here = os.path.realpath(folder)
    if here in above:
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir():
                _walk(tree, entry.path, f"{name}/", (*above, here))
            elif reason := _unusable(entry):
                tree.unusable[name] = reason
            else:
                tree.files[name] = FileRef(name, entry.stat().st_size)


def _unusable(entry: os.DirEntry[str]) -> str:
    """Why a file cannot be read, "" if it can."""
    if not entry.is_file():
        if entry.is_symlink():
            return f"is a link to {os.readlink(entry.path)}, which is not there: mend the link, or fetch the file again"
        return "is no file"
    if not os.access(entry.path, os.R_OK):
        return "must not be read by this user"
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        return "has a name that is not UTF-8: rename it"
    return ""


def with_hash(root: str, hub_id: str, file: FileRef) -> FileRef:
    """`file` of a mirror in a local folder with the SHA-256 of what it holds now."""
    store = MirrorStore(root, hub_id)
    if not isinstance(store.files, LocalFileSystem):
        return file
    found = hashlib.sha256()
    with open(f"{store.folder}/{file.path}", "rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            found.update(block)
    return msgspec.structs.replace(file, sha256=found.hexdigest())


def version(root: str, hub_id: str, file: FileRef) -> str:
    """What changes when the content of `file` does: its SHA-256, or what a remote file system tells (an ETag)."""
    if file.sha256 is not None:
        return file.sha256
    store = MirrorStore(root, hub_id)
    return str(store.files.ukey(f"{store.folder}/{file.path}"))
