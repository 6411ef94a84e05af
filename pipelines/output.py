"""The output directory of a command: may it be used, what is in it, and what is removed."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from fsspec.core import url_to_fs
from pydantic import Field, model_validator

from gatling_beam.card import CARD_NAME
from gatling_beam.files import join
from gatling_beam.ledger import LEDGER_NAME
from gatling_beam.manifest import MANIFEST_NAME, UnfinishedDirectory, read_manifest
from gatling_beam.pipelines.options import Options, UserError
from gatling_beam.shards import Format

DATA = "data"
DEAD_LETTERS = "dead_letters"
TEMPORARY = "_tmp"
#: Everything that a command writes into its output directory; nothing else is ever removed.
_OURS = {DATA, DEAD_LETTERS, TEMPORARY, LEDGER_NAME, CARD_NAME, MANIFEST_NAME, "report.html", "diversity.json"}


class PlaceOptions(Options):
    """Output."""

    output: str = Field(
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
        description="data files to write; default: one for each 50,000 rows expected",
        json_schema_extra={"metavar": "N"},
    )


def prepare(options: PlaceOptions, stage_key: str, recipe: Mapping[str, Any]) -> Literal["start", "finished"]:
    """Makes the output directory ready for a run, or says that the run with `stage_key` is finished there.

    Raises:
      UserError: if the directory holds what may not be removed: files that are none of ours, a finished run with other
        options, or anything while neither --resume nor --overwrite is given.
    """
    fs, root = url_to_fs(options.output)
    if not fs.exists(root):
        return "start"
    if not fs.isdir(root):
        raise UserError(f"--output={options.output} is a file: name a directory")
    entries = {str(path).rstrip("/").rpartition("/")[2] for path in fs.ls(root, detail=False)}
    if not entries:
        return "start"
    if foreign := sorted(entries - _OURS):
        raise UserError(
            f"--output={options.output} holds files that no run wrote ({', '.join(foreign[:5])}): "
            "name another directory"
        )
    if not (options.resume or options.overwrite):
        raise UserError(
            f"--output={options.output} is not empty: --resume goes on with an unfinished run, --overwrite removes it"
        )
    if options.resume and MANIFEST_NAME in entries and _is_finished(options.output, stage_key, recipe):
        return "finished"
    # The manifest goes first: without it the directory counts as unfinished, whatever happens next.
    for name in sorted(entries, key=lambda name: name != MANIFEST_NAME):
        fs.rm(join(root, name), recursive=True)
    return "start"


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
    """Removes the temporary folder of a run."""
    fs, root = url_to_fs(join(directory, TEMPORARY))
    if fs.exists(root):
        fs.rm(root, recursive=True)
