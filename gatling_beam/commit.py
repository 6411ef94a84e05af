"""The last step of every run: check the books, then write ledger, card and, as the commit, the manifest."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from gatling_beam.card import CARD_NAME, card
from gatling_beam.files import join, write_bytes
from gatling_beam.ledger import LEDGER_NAME, Ledger, ledger_bytes
from gatling_beam.manifest import Manifest, make_manifest, write_manifest
from gatling_beam.shards import ShardFile


class LedgerMismatch(ValueError):
    """Rows are unaccounted for; `problems` says which, as sentences."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("the ledger does not add up:\n" + "\n".join(f"- {problem}" for problem in problems))
        self.problems = problems


def commit(directory: str, ledger: Ledger, *, documents: Iterable[ShardFile] = (), **manifest: Any) -> Manifest:
    """Writes `ledger.json`, `README.md` and then `manifest.json` of a directory whose data files are all written.

    `documents` are other files that are there; ledger and card are listed with them. `manifest` holds the other
    arguments of `make_manifest`.

    Raises:
      LedgerMismatch: if the ledger does not add up, or its rows are not those of the files; nothing is committed,
        the ledger is written all the same, to be read.
    """
    listed = [*documents, _written(directory, LEDGER_NAME, ledger_bytes(ledger))]
    made = make_manifest(ledger=ledger, documents=listed, **manifest)
    if problems := [*ledger.check(), *count_problems(made, ledger)]:
        raise LedgerMismatch(problems)
    # The card says nothing of documents, so the manifest can list it and its hash.
    listed.append(_written(directory, CARD_NAME, card(made, ledger).encode()))
    made = make_manifest(ledger=ledger, documents=listed, **manifest)
    write_manifest(directory, made)
    return made


def _written(directory: str, name: str, data: bytes) -> ShardFile:
    write_bytes(join(directory, name), data)
    return ShardFile(name, rows=0, bytes=len(data), sha256=sha256(data).hexdigest())


def count_problems(manifest: Manifest, ledger: Ledger) -> list[str]:
    """Where the rows of the listed files are not the rows of the ledger, as sentences."""
    problems = []
    for what, files, rows in (
        ("rows", manifest.files, ledger.out_by_source()),
        ("dead letters", manifest.dead_letters, ledger.dead_by_source()),
    ):
        in_files, in_ledger = sum(file.rows for file in files), sum(rows.values())
        if in_files != in_ledger:
            problems.append(f"the files hold {in_files:,} {what}, the ledger says {in_ledger:,}")
    return problems
