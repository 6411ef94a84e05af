"""What is read: files of one commit, cut into units of work."""

import msgspec

from gatling_beam.sources.spec import Container


class FileRef(msgspec.Struct, frozen=True, gc=False):
    """A file: path inside the repository, size in bytes, and SHA-256 (hexadecimal) where the Hub states it."""

    path: str
    size: int
    sha256: str | None = None


class RepoFile(FileRef, frozen=True, gc=False, kw_only=True):
    """A file with rows. The fields are those of `SourceFiles`; `join` is the companion file, if there is one."""

    config: str
    split: str
    container: Container
    key: str = ""
    rows_at: str = ""
    join: FileRef | None = None


class Repository(msgspec.Struct, frozen=True, gc=False):
    """One commit of a data set: on the Hub (`root` is None) or in a mirror, `<root>/<hub_id>/...`.

    `source` is the short name of the data set. `revision` is the commit; for a mirror it is `local-` and a hash of
    the paths and contents of the files that are read (of a remote file system: paths, sizes and ETags).
    """

    source: str
    hub_id: str
    revision: str
    root: str | None = None
    prefix_rows: bool = False


class Missing(msgspec.Struct, frozen=True, gc=False):
    """What the catalogue names and the data set does not have: a config and split, or `file`, a part of it."""

    config: str
    split: str
    reason: str
    file: str = ""

    @property
    def name(self) -> str:
        """`<config>/<split>`, or `<config>/<split>/<file>`."""
        return "/".join(filter(None, (self.config, self.split, self.file)))


class Listing(msgspec.Struct, frozen=True, gc=False):
    """The files of a commit that are read, in file order: entries as the catalogue lists them, paths sorted."""

    repository: Repository
    files: tuple[RepoFile, ...]
    missing: tuple[Missing, ...] = ()


class Part(msgspec.Struct, frozen=True, gc=False):
    """A piece of a file: bytes [start, stop) of a file of lines, row groups [start, stop) of a Parquet file.

    `stop` is None for "to the end"; other containers are read whole.
    """

    file: RepoFile
    start: int = 0
    stop: int | None = None


class Unit(msgspec.Struct, frozen=True, gc=False):
    """A piece of work that is read, and tried again, as one. With `limit`, its first `limit` rows are read."""

    repository: Repository
    parts: tuple[Part, ...]
    limit: int | None = None
