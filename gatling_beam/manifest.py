"""The manifest of an output directory. It is written last: a directory with one is finished, one without is not."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, ValidationError

from gatling_beam.files import join, read_bytes, sha256_of, write_bytes
from gatling_beam.json_value import json_bytes
from gatling_beam.ledger import Ledger
from gatling_beam.shards import Format, ShardFile

MANIFEST_NAME = "manifest.json"
_PACKAGES = ("gatling-beam", "pyarrow", "msgspec", "fastavro", "numpy", "datasets")


def _shard_file(value: Any) -> ShardFile:
    return value if isinstance(value, ShardFile) else msgspec.convert(value, ShardFile)


_File = Annotated[ShardFile, PlainValidator(_shard_file), PlainSerializer(msgspec.structs.asdict)]


class SourceVersion(BaseModel):
    """Which state of a data set was read, and under what licence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    revision: str
    licence: str
    gated: bool = False


class Manifest(BaseModel):
    """What an output directory holds and how it was made.

    Attributes:
      stage: the name of the pipeline that wrote it.
      stage_key: `stage_key(...)` of the run; a run with the same key would write the same rows.
      recipe: the options of the run, as JSON values.
      seed: of every random choice.
      versions: of Python and the packages that shape rows and bytes.
      sources: by the source's short name.
      format: of the data files and dead letters.
      row_type: what a row of the data files is.
      files: the data files, with names relative to the directory.
      dead_letters: the files of dead letters.
      documents: other files that belong to the directory (the ledger, the card, side tables).
      actual_samples, target_samples: rows written, and asked for (None: as many as there are).
      coverage: actual of target, as "50.0%"; None without a target.
      total_loaders_successful: sources with at least one row in the output.
      loader_statistics: rows by source.
      usage: what was paid for, by phase and model: calls, tokens and dollars; None where no model was asked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: str
    stage_key: str = Field(pattern=r"^[0-9a-f]{64}$")
    recipe: dict[str, Any]
    seed: int
    versions: dict[str, str]
    sources: dict[str, SourceVersion]
    format: Format
    row_type: str = "Sample"
    files: tuple[_File, ...]
    dead_letters: tuple[_File, ...] = ()
    documents: tuple[_File, ...] = ()
    actual_samples: int
    target_samples: int | None
    coverage: str | None
    total_loaders_successful: int
    loader_statistics: dict[str, int]
    usage: tuple[dict[str, Any], ...] | None = None


class UnfinishedDirectory(ValueError):
    """The directory has no manifest: the run that wrote it did not finish, or it is another directory."""


def make_manifest(
    *,
    stage: str,
    stage_key: str,
    recipe: Mapping[str, Any],
    seed: int,
    versions: Mapping[str, str],
    sources: Mapping[str, SourceVersion],
    format: Format,
    files: Iterable[ShardFile],
    ledger: Ledger,
    dead_letters: Iterable[ShardFile] = (),
    documents: Iterable[ShardFile] = (),
    target_samples: int | None = None,
    row_type: str = "Sample",
    usage: Sequence[dict[str, Any]] | None = None,
) -> Manifest:
    """The manifest of a run, with its counts worked out and its files in the order of their names.

    `versions` holds what only the caller knows (Beam); `core_versions()` is added.

    Raises:
      ValueError: if a file is listed twice.
    """
    by_name = [sorted(some, key=lambda file: file.name) for some in (files, dead_letters, documents)]
    names = [file.name for some in by_name for file in some]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"files are listed twice: {', '.join(twice)}")
    rows_by_source = ledger.out_by_source()
    actual = sum(file.rows for file in by_name[0])
    return Manifest(
        stage=stage,
        stage_key=stage_key,
        recipe=dict(recipe),
        seed=seed,
        versions=dict(sorted({**core_versions(), **versions}.items())),
        sources=dict(sorted(sources.items())),
        format=format,
        row_type=row_type,
        files=tuple(by_name[0]),
        dead_letters=tuple(by_name[1]),
        documents=tuple(by_name[2]),
        actual_samples=actual,
        target_samples=target_samples,
        coverage=f"{100 * actual / target_samples:.1f}%" if target_samples else None,
        total_loaders_successful=len(rows_by_source),
        loader_statistics=rows_by_source,
        usage=None if usage is None else tuple(usage),
    )


def stage_key(stage: str, options: Mapping[str, Any], version: str, inputs: Sequence[str]) -> str:
    """SHA-256 of all that decides a stage's rows: name, options (JSON values), package version, input manifests.

    `inputs` are the `manifest_sha256` of the directories that are read, in any order.
    """
    return sha256(json_bytes([stage, dict(options), version, sorted(inputs)])).hexdigest()


def core_versions() -> dict[str, str]:
    """The versions of Python and of the packages that shape rows and bytes."""
    return {"python": ".".join(map(str, sys.version_info[:3])), **{name: version(name) for name in _PACKAGES}}


def write_manifest(directory: str, manifest: Manifest) -> None:
    """Writes `manifest.json`, which commits the directory. Everything it lists must be there already."""
    write_bytes(join(directory, MANIFEST_NAME), manifest.model_dump_json(indent=1).encode() + b"\n")


def read_manifest(directory: str) -> Manifest:
    """The manifest of a finished output directory.

    Raises:
      UnfinishedDirectory: if there is none.
      ValueError: if it cannot be read.
    """
    path = join(directory, MANIFEST_NAME)
    try:
        return Manifest.model_validate_json(read_bytes(path))
    except FileNotFoundError:
        raise UnfinishedDirectory(
            f"{directory} has no {MANIFEST_NAME}: it is missing, or the run that writes it has not finished; "
            "run that stage again (with --resume), or name the files themselves"
        ) from None
    except ValidationError as e:
        raise ValueError(f"{path} is not a manifest of this version: {e}") from e


def manifest_sha256(directory: str) -> str:
    """SHA-256 of a directory's manifest, which stands for everything in it.

    Raises:
      FileNotFoundError: if there is none.
    """
    return sha256_of(join(directory, MANIFEST_NAME))
