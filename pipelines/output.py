"""The output directory of a command: may it be used, what is in it, and what is removed."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from pydantic import Field, model_validator

from gatling_beam.card import CARD_NAME
from gatling_beam.files import join, list_files, read_bytes
from gatling_beam.ledger import LEDGER_NAME
from gatling_beam.manifest import MANIFEST_NAME, UnfinishedDirectory, read_manifest
from gatling_beam.pipelines.options import Options, UserError
from gatling_beam.pipelines.owner import Owner, claim, read_owner, this_process
from gatling_beam.pipelines.place import Place
from gatling_beam.shards import Format
from gatling_beam.validate_dir import AUDIT_HTML, AUDIT_JSON

DATA = "data"
#: The benign twins of Tier II.
BENIGN = "benign"
DEAD_LETTERS = "dead_letters"
TEMPORARY = "_tmp"
#: Of the run that writes there, from its first to its last moment.
MARKER = f"{TEMPORARY}/owner.json"
#: What a command writes beside the files of rows.
_DOCUMENTS = {LEDGER_NAME, CARD_NAME, MANIFEST_NAME, "report.html", "diversity.json", AUDIT_JSON, AUDIT_HTML}
_ROWS = re.compile(rf"({DATA}|{BENIGN}|{DEAD_LETTERS})/(part|gold)-\d{{5,}}-of-\d{{5,}}\.(parquet|jsonl|avro)")
#: A file that was being written when the run died; see `files.atomic_writer`.
_HALF_WRITTEN = re.compile(r"(^|/)\.([^/]+)\.[0-9a-f]{32}\.tmp$")


class PlaceOptions(Options):
    """Output."""

    output: Place = Field(
        description="directory of the data set, a path or an fsspec URL; made if missing",
        min_length=1,
        json_schema_extra={"metavar": "DIR"},
    )
    seed: int = Field(0, ge=0, lt=2**63, description="of every random choice", json_schema_extra={"metavar": "N"})
    resume: bool = Field(
        False, description="do nothing if this very run is finished; else start an unfinished one again"
    )
    overwrite: bool = Field(False, description="remove what an earlier run wrote there")

    @model_validator(mode="after")
    def _one_of_two(self) -> "PlaceOptions":
        if self.resume and self.overwrite:
            raise ValueError("--resume keeps what is there and --overwrite removes it: give one of them")
        return self


class OutputOptions(PlaceOptions):
    """Form of the output."""

    format: Format = Field("parquet", description="parquet, jsonl or avro", json_schema_extra={"metavar": "FORMAT"})
    shards: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="data files to write; default: one for each 50,000 rows expected, of tier2 and tier3 25,000",
        json_schema_extra={"metavar": "N"},
    )


class _Named(msgspec.Struct):
    name: str


class _OurManifest(msgspec.Struct):
    """What makes a manifest one of ours, of whatever version."""

    stage: str
    stage_key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    files: tuple[_Named, ...]
    dead_letters: tuple[_Named, ...] = ()
    documents: tuple[_Named, ...] = ()


def prepare(
    options: PlaceOptions, stage: str, stage_key: str, recipe: Mapping[str, Any], *, keep: bool = False
) -> Literal["start", "go_on", "finished"]:
    """Makes the output directory ready for a run and marks it as ours, or says that this very run is finished there.

    A directory is ours if it holds the marker or the manifest of a run. What is removed then are files that are listed
    in the manifest or named as runs name theirs; a single other one, and nothing is removed.

    Args:
      keep: with --resume, keep what an unfinished run of the same `stage_key` has written and say "go_on".

    Raises:
      UserError: if the directory holds what may not be removed: files that no run wrote, a run that is at work, a
        finished one with other options, or anything while neither --resume nor --overwrite is given; or if it cannot
        be written.
    """
    try:
        return _prepare(options, this_process(stage, stage_key, recipe), keep)
    except OSError as e:
        raise UserError(f"--output={options.output} cannot be used: {e}; name a directory that can be written") from e


def _prepare(options: PlaceOptions, mine: Owner, keep: bool) -> Literal["start", "go_on", "finished"]:
    directory, marker = options.output, join(options.output, MARKER)
    entries = _entries(directory)
    before = read_owner(marker) if TEMPORARY in entries else None
    if before is not None and before.at_work():
        raise UserError(
            f"--output={directory}: {before} is at work there: wait for it, or name another directory; if that "
            f"process is something else, remove {marker} and give --resume or --overwrite"
        )
    ours: list[str] = []
    if entries:
        ours = _files_of_ours(directory, entries, before)
        if not (options.resume or options.overwrite):
            raise UserError(
                f"--output={directory} is not empty: --resume goes on with an unfinished run, --overwrite removes it"
            )
        if options.resume and MANIFEST_NAME in entries and _is_finished(directory, mine.stage_key, mine.recipe):
            release(directory)
            return "finished"
    claim(marker, mine, before)
    if keep and options.resume and before is not None and before.stage_key == mine.stage_key:
        _remove(directory, [name for name in ours if _HALF_WRITTEN.search(name)])
        return "go_on"
    _remove(directory, ours)
    return "start"


def _entries(directory: str) -> set[str]:
    """The names in a directory; none if it is not there yet."""
    fs, root = url_to_fs(directory)
    if not fs.exists(root):
        if isinstance(fs, LocalFileSystem) and os.path.islink(root):
            raise UserError(f"--output={directory} is a link to nothing: name a directory")
        return set()
    if not fs.isdir(root):
        raise UserError(f"--output={directory} is a file: name a directory")
    return {str(path).rstrip("/").rpartition("/")[2] for path in fs.ls(root, detail=False)}


def _files_of_ours(directory: str, entries: set[str], before: Owner | None) -> list[str]:
    """The files of a directory, all of which a run wrote.

    Raises:
      UserError: naming those that none did; all of them, if nothing says that the directory is a run's.
    """
    listed = _listed(directory) if MANIFEST_NAME in entries else None
    if listed is None and before is None:
        raise _foreign(directory, entries, ": it has neither the manifest nor the marker of one")
    known = listed or set()
    # The names at the top first: a strange folder may hold millions of files.
    tops = {DATA, BENIGN, DEAD_LETTERS, TEMPORARY, *(name.partition("/")[0] for name in known)}
    if strange := {name for name in entries if name not in tops and not _is_ours(name, known)}:
        raise _foreign(directory, strange)
    found = list_files(directory)
    if strange := {name for name in found if not _is_ours(name, known)}:
        raise _foreign(directory, strange)
    return found


def _listed(directory: str) -> set[str] | None:
    """The files that a manifest lists; None if it is none of ours."""
    try:
        manifest = msgspec.json.decode(read_bytes(join(directory, MANIFEST_NAME)), type=_OurManifest)
    except msgspec.DecodeError:
        return None
    return {file.name for file in (*manifest.files, *manifest.dead_letters, *manifest.documents)}


def _is_ours(name: str, listed: set[str]) -> bool:
    whole = _HALF_WRITTEN.sub(r"\1\2", name)
    return (
        whole in listed or whole in _DOCUMENTS or name.startswith(f"{TEMPORARY}/") or _ROWS.fullmatch(whole) is not None
    )


def _foreign(directory: str, names: Iterable[str], why: str = "") -> UserError:
    shown = sorted(names)
    more = f" and {len(shown) - 5:,} more" if len(shown) > 5 else ""
    return UserError(
        f"--output={directory} holds files that no run wrote ({', '.join(shown[:5])}{more}){why}; "
        "nothing was removed: name another directory"
    )


def _remove(directory: str, names: list[str]) -> None:
    """Removes files, the manifest first: without it the directory counts as unfinished, whatever happens next."""
    fs, root = url_to_fs(directory)
    for name in sorted(names, key=lambda name: name != MANIFEST_NAME):
        if not name.startswith(f"{TEMPORARY}/"):
            fs.rm_file(join(root, name))
    remove_temporary(directory)


def _is_finished(directory: str, stage_key: str, recipe: Mapping[str, Any]) -> bool:
    try:
        manifest = read_manifest(directory)
    except UnfinishedDirectory:
        return False
    if manifest.stage_key == stage_key:
        return True
    differences = "; ".join(_differences(manifest.recipe, recipe)) or "the version of gatling-beam"
    raise UserError(
        f"--output={directory} holds a finished run that differs in {differences}: "
        "give the same options, another --output, or --overwrite"
    )


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(there.keys() | here.keys()):
        old, new = there.get(name), here.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from (f"{name}: {difference}" for difference in _differences(old, new))
        elif old != new:
            yield f"{name} ({old} there, {new} here)"


def remove_temporary(directory: str) -> None:
    """Removes what a run keeps in its temporary folder; its marker stays."""
    fs, root = url_to_fs(join(directory, TEMPORARY))
    for path in fs.ls(root, detail=False) if fs.exists(root) else ():
        if str(path).rpartition("/")[2] != MARKER.rpartition("/")[2]:
            fs.rm(path, recursive=True)


def release(directory: str) -> None:
    """Removes the marker too, at the very end: a directory with a manifest needs none."""
    fs, root = url_to_fs(join(directory, TEMPORARY))
    if fs.exists(root):
        fs.rm(root, recursive=True)
