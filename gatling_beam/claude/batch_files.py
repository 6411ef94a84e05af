"""What is known of the batches of an answers directory, in files that are written before and after each step.

    batches/<name>.intent.json       it is about to be sent
    batches/<name>.submitted.json    it was created, and has this id
    batches/<name>.fetched.json      its results are in the store, or it was never created

An intent without the second file was sent or not: `batch_create` finds out.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from gatling_beam.claude.calls import Answer, Phase
from gatling_beam.claude.store import CorruptFile
from gatling_beam.files import join, list_files, read_bytes, write_bytes
from gatling_beam.hashing import digest

_FOLDER = "batches"

File = TypeVar("File", bound=msgspec.Struct)


class Part(msgspec.Struct, frozen=True):
    """The calls of a batch that a shard asks for in a phase, by custom_id."""

    shard: str
    phase: Phase
    custom_ids: tuple[str, ...]


class Newest(msgspec.Struct, frozen=True):
    """The newest batch of the workspace before one is created: what is newer may be that one."""

    batch_id: str
    created_at: datetime


class Intent(msgspec.Struct, frozen=True):
    """A batch: its calls, by those who ask for them, how many they are, and what they cost at most."""

    name: str
    parts: tuple[Part, ...]
    requests: int
    upper_usd: float
    newest: Newest | None = None

    @property
    def custom_ids(self) -> set[str]:
        return {custom_id for part in self.parts for custom_id in part.custom_ids}


class Submitted(msgspec.Struct, frozen=True):
    """The id of a batch; `found` says that its creation was not answered and it was found in the list."""

    batch_id: str
    found: bool = False


class Fetched(msgspec.Struct, frozen=True):
    """The end of a batch: its results by kind, and the answers to calls that the API refuses.

    `end` is fetched, not_created, or lost where the results were not kept until they were fetched.
    """

    end: str
    counts: dict[str, int] = {}
    refused: tuple[Answer, ...] = ()


class BatchFiles:
    """Reads and writes these files; what is open and what is known is kept up to date.

    Attributes:
      open: intents whose results are not fetched, by name in order of creation.
      submitted: what is known of created batches, the fetched ones too, by name.
      refused: answers of calls that the API refuses, by custom_id.

    Raises:
      CorruptFile: if a file cannot be read.
    """

    def __init__(self, directory: str) -> None:
        self._folder = join(directory, _FOLDER)
        self.open: dict[str, Intent] = {}
        self.submitted: dict[str, Submitted] = {}
        self.refused: dict[str, Answer] = {}
        names = list_files(self._folder)
        fetched = set(self._names(names, "fetched"))
        self._next = 0
        for name in self._names(names, "intent"):
            self._next = int(name.partition("-")[0]) + 1
            if name not in fetched:
                self.open[name] = self._read(name, "intent", Intent)
        for name in self._names(names, "submitted"):
            self.submitted[name] = self._read(name, "submitted", Submitted)
        for name in fetched:
            refused = self._read(name, "fetched", Fetched).refused
            self.refused |= {answer.custom_id: answer for answer in refused}

    def intend(self, parts: Sequence[Part], requests: int, upper_usd: float, newest: Newest | None) -> Intent:
        """Writes that a batch is about to be sent."""
        content = digest("batch", *(custom_id for part in parts for custom_id in part.custom_ids))
        intent = Intent(f"{self._next:05d}-{content[:12]}", tuple(parts), requests, upper_usd, newest)
        self._write(intent.name, "intent", intent)
        self._next += 1
        self.open[intent.name] = intent
        return intent

    def submit(self, intent: Intent, batch: Submitted) -> None:
        """Writes that a batch was created."""
        self._write(intent.name, "submitted", batch)
        self.submitted[intent.name] = batch

    def close(self, intent: Intent, fetched: Fetched) -> None:
        """Writes that there is no more to come from a batch."""
        self._write(intent.name, "fetched", fetched)
        del self.open[intent.name]
        self.refused |= {answer.custom_id: answer for answer in fetched.refused}

    def path(self, name: str, kind: str = "*") -> str:
        """The path of a file of the batch `name`, for messages too."""
        return join(self._folder, f"{name}.{kind}.json")

    def _names(self, names: Sequence[str], kind: str) -> Iterator[str]:
        end = f".{kind}.json"
        return (name.removesuffix(end) for name in names if name.endswith(end))

    def _read(self, name: str, kind: str, type_: type[File]) -> File:
        path = self.path(name, kind)
        try:
            return msgspec.json.decode(read_bytes(path), type=type_)
        except (msgspec.MsgspecError, UnicodeDecodeError) as e:
            raise CorruptFile(
                f"{path} is not what was written ({e}): copy it again. Without it a batch that is paid for may be made "
                "again"
            ) from None

    def _write(self, name: str, kind: str, content: msgspec.Struct) -> None:
        write_bytes(self.path(name, kind), msgspec.json.encode(content) + b"\n")
