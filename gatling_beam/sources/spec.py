"""`SourceSpec`: a data set of the catalogue, as data. A new data set of a known format needs no code."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["plans", "conversations", "reasoning", "injections"]
Container = Literal["jsonl", "json_array", "json_object", "json_file", "parquet", "csv"]


class SourceFiles(BaseModel):
    """The files of one config and split.

    `paths` are globs relative to the repository (`data/*.parquet`). `container` says how a file holds rows: lines of
    JSON, one array, one object keyed by id (`key` names the column that takes the id; `rows_at` the member that holds
    the array or object, "" for the whole file), one row a file, Parquet, or CSV with a header.
    `join` is a path with `{file}` for a companion file of JSON lines whose members are merged into the row of equal
    `id`. Entries with the same config and split are forms the same rows may be stored in: the first one that matches a
    file is read. Where none does, the data set is unavailable in part, unless all of them are `optional`: it is not
    known whether there are such files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: str = "default"
    split: str = "train"
    paths: tuple[str, ...]
    container: Container
    key: str = ""
    rows_at: str = ""
    join: str = ""
    default: bool = True
    optional: bool = False


class SourceSpec(BaseModel):
    """A data set: where it is, how it is read and what may be done with it.

    `revision` is a commit hash or a branch; a branch is resolved to a commit when a run starts, and the commit is
    recorded. `format` is a key of `gatling_beam.sources.FORMATS`, `options` its arguments. `priority` decides which
    of two duplicates survives (least first). `benchmark` rows go to the test split alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    hub_id: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    role: Role
    format: str
    files: tuple[SourceFiles, ...]
    options: dict[str, Any] = {}
    revision: str = "main"
    licence: str = "unknown"
    gated: bool = False
    benchmark: bool = False
    language: str = "en"
    category: str = "function_calling"
    expected_rows: int | None = None
    priority: int = Field(default=50, ge=0, le=1000)
    prefix_rows: bool = False
    note: str = ""
