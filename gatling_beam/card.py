"""The data-set card (README.md) of an output directory, which `datasets.load_dataset` reads."""

from collections.abc import Iterable
from typing import Any

import yaml

from gatling_beam.card_columns import COLUMNS
from gatling_beam.ledger import ENTERING, LEAVING, Ledger
from gatling_beam.manifest import Manifest

CARD_NAME = "README.md"
_MAX_CELL = 200
_CONFIGS = {"data": "negatives", "benign": "benign"}

_HOW = """Each source row is read at the revision named above, its tool calls become the nodes of a plan, and edges say
which call depends on which. Rows that cannot be used are kept, with a reason, in `dead_letters/`; every other row that
is not here is counted in `ledger.json`. `manifest.json` lists every file with its rows and SHA-256; it is written last,
so a directory without it is unfinished. The same recipe, seed and inputs give the same rows."""


def card(manifest: Manifest, ledger: Ledger) -> str:
    """The text of README.md: YAML front matter with exactly the manifest's data files, then licences, counts, columns.

    Whatever comes from a data set stands as code: it can add no cell, link, image or HTML.
    """
    parts = [
        f"---\n{yaml.safe_dump(_front_matter(manifest), sort_keys=False, allow_unicode=True)}---",
        f"# Gatling-10M: {literal(manifest.stage)}",
        f"{manifest.actual_samples:,} rows{_of_target(manifest)} in {len(manifest.files):,} files "
        f"({manifest.format}), seed {manifest.seed}.",
        *_loading(manifest),
        "## Sources and licences",
        _table(
            ("source", "data set", "revision", "licence", "gated", "rows"),
            (
                (
                    literal(name),
                    literal(source.dataset),
                    literal(source.revision),
                    literal(source.licence),
                    "yes" if source.gated else "no",
                    f"{manifest.loader_statistics.get(name, 0):,}",
                )
                for name, source in manifest.sources.items()
            ),
        ),
        "## Counts",
        "For every stage, in + expanded = " + " + ".join(LEAVING) + ".",
        _table(
            ("stage", *ENTERING, *LEAVING),
            (
                (literal(stage), *(f"{ledger.total(stage).of(kind):,}" for kind in (*ENTERING, *LEAVING)))
                for stage in ledger.stages
            ),
        ),
    ]
    if manifest.row_type == "Sample":
        parts += ["## Columns"]
        for group in ("key", "input", "target"):
            rows = ((literal(name), meaning) for name, (own, meaning) in COLUMNS.items() if own == group)
            parts += [f"### {group.capitalize()}", _table(("column", "meaning"), rows)]
    parts += ["## How rows are made", _HOW]
    return "\n\n".join(parts) + "\n"


def literal(text: str) -> str:
    """`text` as one line of Markdown code, cut to 200 characters; backticks and bars, which end it, are replaced."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = line if len(line) <= _MAX_CELL else line[: _MAX_CELL - 1] + "…"
    return f"`{line.replace('`', chr(39)).replace('|', '¦')}`" if line else ""


def _front_matter(manifest: Manifest) -> dict[str, Any]:
    licences = sorted({source.licence for source in manifest.sources.values()})
    front: dict[str, Any] = {"pretty_name": f"Gatling-10M, {manifest.stage}"}
    # The Hub knows a fixed list of licences; several at once, or one it may not know, are "other", with names.
    if licences:
        front |= {"license": "other", "license_name": "see-sources-and-licences", "license_link": CARD_NAME}
    front["tags"] = ["tool-calls", "agents", "security"]
    if manifest.files and manifest.format != "avro":
        front["configs"] = [
            {"config_name": name, "data_files": [{"split": "train", "path": paths}]}
            for name, paths in _configs([file.name for file in manifest.files]).items()
        ]
    return front


def _configs(files: list[str]) -> dict[str, list[str]]:
    """The files of each config: one, or where negatives and their benign twins lie apart, one for each."""
    by_folder: dict[str, list[str]] = {}
    for name in files:
        by_folder.setdefault(name.partition("/")[0], []).append(name)
    if by_folder.keys() != _CONFIGS.keys():
        return {"default": files}
    return {config: by_folder[folder] for folder, config in _CONFIGS.items()}


def _of_target(manifest: Manifest) -> str:
    if manifest.target_samples is None:
        return ""
    return f" of {manifest.target_samples:,} asked for ({manifest.coverage})"


def _loading(manifest: Manifest) -> list[str]:
    """What `load_dataset` does not do with these files, if it is anything."""
    if manifest.format == "avro":
        return ["`datasets.load_dataset` does not read Avro: take another Avro reader, or write Parquet."]
    if not manifest.actual_samples:
        return ["`datasets.load_dataset` fails on a data set without rows, and this one has none."]
    if manifest.format == "jsonl":
        return ["`datasets.load_dataset` may round the last digit of a float in JSON lines; Parquet keeps it."]
    return []


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header)]
    text = ["| " + " | ".join(line) + " |" for line in lines]
    text += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(text)
