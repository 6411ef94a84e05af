"""Which files a reader of samples reads, and the reading of one of them with everything about it checked."""

from collections.abc import Iterable, Iterator

import msgspec
from fsspec.core import url_to_fs

from gatling_beam.files import expand_glob, join, sha256_of
from gatling_beam.manifest import read_manifest
from gatling_beam.sample import Sample
from gatling_beam.shards import FORMATS, UNREADABLE, check_format, format_of, read_shard

_GLOB = frozenset("*?[")


class ShardRef(msgspec.Struct, frozen=True, gc=False):
    """A file to be read, with the rows and the SHA-256 that its manifest says; None where no manifest lists it."""

    path: str
    format: str
    rows: int | None = None
    sha256: str | None = None


class ShardError(ValueError):
    """A file that was to be read is not what it should be."""


class ChangedShard(ShardError):
    """A file is not the one that the manifest lists."""


class UnreadableShard(ShardError):
    """A file does not hold samples, or one of its rows is none."""


def list_shards(targets: Iterable[str], format: str | None = None) -> list[ShardRef]:
    """The files that `targets` stand for, in order, each once.

    A target is an output directory, of which the manifest's data files are taken and nothing else; a file; or a glob,
    if neither a directory nor a file of that very name is there.
    A file's format is what its name ends in, unless `format` says it.

    Raises:
      UnfinishedDirectory: for a directory without manifest.
      FileNotFoundError: for a glob that matches nothing.
      ValueError: for a directory of another format or of other rows than samples.
    """
    shards: dict[str, ShardRef] = {}
    for target in targets:
        for shard in _shards_of(target, format):
            shards.setdefault(shard.path, shard)
    return list(shards.values())


def _shards_of(target: str, format: str | None) -> list[ShardRef]:
    fs, path = url_to_fs(target)
    # What is there comes first: a directory may be called `out[1]` or `run.parquet`, and a file `a[1].parquet`.
    if fs.isdir(path):
        return _committed(target, format)
    if not (_GLOB & set(target)) or fs.isfile(path):
        name = target.rpartition("/")[2]
        if not fs.exists(path) and name.rpartition(".")[2] not in FORMATS:
            return _committed(target, format)
        paths = [target]
    else:
        paths = expand_glob(target)
        if not paths:
            raise FileNotFoundError(f"no file matches {target!r}")
    return [ShardRef(path, format or format_of(path)) for path in paths]


def _committed(directory: str, format: str | None) -> list[ShardRef]:
    manifest = read_manifest(directory)
    if format is not None and format != manifest.format:
        raise ValueError(f"format={format!r}, but the manifest of {directory} says {manifest.format!r}; leave it out")
    if manifest.row_type != Sample.__name__:
        raise ValueError(f"{directory} holds rows of type {manifest.row_type}, not {Sample.__name__}")
    return [ShardRef(join(directory, file.name), manifest.format, file.rows, file.sha256) for file in manifest.files]


def read_listed(shard: ShardRef, *, validate: bool = True, documents: bool = True) -> Iterator[Sample]:
    """The samples of one file.

    Args:
      shard: from `list_shards`.
      validate: compare the SHA-256 with the manifest's before the first row is given out.
      documents: False leaves out the policy and the tools where an id stands for them.

    Raises:
      FileNotFoundError: if the file is not there.
      ChangedShard: if it is not the file that the manifest lists; a wrong number of rows shows after the last one.
      UnreadableShard: if it does not hold samples, or a row of it is none.
    """
    if validate and shard.sha256 is not None:
        found = sha256_of(shard.path)
        if found != shard.sha256:
            raise ChangedShard(f"{shard.path} has SHA-256 {found}, the manifest says {shard.sha256}: {_CURE}")
    rows = 0
    try:
        for sample in read_shard(shard.path, check_format(shard.format), Sample):
            rows += 1
            yield sample if documents else without_documents(sample)
    except FileNotFoundError:
        raise
    except UNREADABLE as e:
        raise UnreadableShard(f"{shard.path} cannot be read after {rows:,} rows: {e}") from e
    if shard.rows is not None and rows != shard.rows:
        raise ChangedShard(f"{shard.path} holds {rows:,} rows, the manifest says {shard.rows:,}: {_CURE}")


_CURE = "the file was changed after the run that wrote it; run that stage again"


def without_documents(sample: Sample) -> Sample:
    """The sample as it travels: without the texts of policy and tools, where an id stands for them."""
    governance = sample.governance_context
    if governance.policy_id is not None and governance.policy is not None:
        sample = msgspec.structs.replace(sample, governance_context=msgspec.structs.replace(governance, policy=None))
    if sample.toolset_id is not None and sample.toolset is not None:
        sample = msgspec.structs.replace(sample, toolset=None)
    return sample
