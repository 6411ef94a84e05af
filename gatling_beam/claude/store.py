"""Answers on disk: what was asked and what was paid for, by phase and shard.

    requests/<phase>/<shard>/<part>.jsonl     {"custom_id", "params"}, the form in which a batch is sent
    responses/<phase>/<shard>/<part>.jsonl    an Answer as JSON

A part is written whole and never changed; its name is a hash of the identities in it.
"""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from fsspec.core import url_to_fs

from gatling_beam.claude.calls import PHASES, Answer, Call, Phase
from gatling_beam.files import join, list_files, list_folders, read_bytes, write_bytes
from gatling_beam.hashing import digest

_SHARD = re.compile(r"[A-Za-z0-9_-]{1,100}")
_NUMBERED = re.compile(r"(.*)-([0-9]{9,})-([0-9]{9,})")

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Answer)


def numbered(shard: str) -> tuple[str, int, int] | None:
    """Name, start and stop of a shard <name>-<start>-<stop>; None for another."""
    found = _NUMBERED.fullmatch(shard)
    return (found[1], int(found[2]), int(found[3])) if found else None


def check_writable(directory: str) -> None:
    """Writes a file to an answers directory, and removes it: before anything is paid for that could not be kept.

    Raises:
      OSError: if it cannot be written.
    """
    probe = join(directory, f".probe-{uuid.uuid4().hex}")
    write_bytes(probe, b"")
    fs, target = url_to_fs(probe)
    fs.rm(target)


class CorruptFile(ValueError):
    """A file of an answers directory that cannot be read; the message names it, the line, and the cure."""


class _Head(msgspec.Struct, frozen=True):
    """An Answer as it is checked when it is read: what is in its message stays bytes."""

    custom_id: str
    message: dict[str, msgspec.Raw]


_head_decoder = msgspec.json.Decoder(_Head)


class Request(msgspec.Struct, frozen=True):
    """A line of a requests file."""

    custom_id: str
    params: dict[str, Any]


class AnswerStore:
    """The paid answers of one shard. For one thread at a time.

    Two processes at work on one shard, as where a bundle is retried, lose nothing: parts with different answers have
    different names.

    Args:
      directory: the answers directory, a path or fsspec URL.
      shard: 1-100 letters, digits, `_` and `-`.
    """

    def __init__(self, directory: str, shard: str) -> None:
        if not _SHARD.fullmatch(shard):
            raise ValueError(f"shard={shard!r} is not 1-100 letters, digits, `_` and `-`: it is the name of a folder")
        self.directory, self.shard = directory, shard
        # As lines: decoded, an answer takes several times the room.
        self._answers: dict[str, bytes] = {}

    def load(self) -> "AnswerStore":
        """Reads all answers of the shard; the store itself. Where a call was answered twice, one answer stays.

        Of a shard <name>-<start>-<stop> also those of its numbers in other shards: where a run of another length or
        with other files has asked for them.

        Raises:
          CorruptFile: if a file holds a line that is no answer.
        """
        for phase in PHASES:
            for shard in (self.shard, *self._overlapping(phase)):
                for custom_id, line in _lines(self.directory, phase, shard):
                    self._answers.setdefault(custom_id, line)
        return self

    def _overlapping(self, phase: Phase) -> Iterator[str]:
        """The other shards of a phase that have numbers of this one."""
        own = numbered(self.shard)
        if own is None:
            return
        for shard in list_folders(join(self.directory, f"responses/{phase}")):
            other = numbered(shard)
            if other and shard != self.shard and other[0] == own[0] and max(own[1], other[1]) < min(own[2], other[2]):
                yield shard

    def __len__(self) -> int:
        return len(self._answers)

    def __contains__(self, custom_id: str) -> bool:
        return custom_id in self._answers

    def get(self, custom_id: str) -> Answer | None:
        """The paid answer to a call, if there is one."""
        line = self._answers.get(custom_id)
        return None if line is None else _decoder.decode(line)

    def add(self, answered: Sequence[tuple[Call, Answer]]) -> None:
        """Writes the paid answers among `answered` that are not yet stored, with what was asked: two files a phase.

        When it returns they are on disk. An answer without a message was not paid for and is not kept.
        """
        paid: dict[str, tuple[Call, Answer]] = {}
        for call, answer in answered:
            if answer.message is not None and call.custom_id not in self._answers:
                paid.setdefault(call.custom_id, (call, answer))
        self.add_requests([call for call, _ in paid.values()])
        by_phase: dict[Phase, list[Answer]] = defaultdict(list)
        for call, answer in paid.values():
            by_phase[call.phase].append(answer)
        for phase, answers in by_phase.items():
            self.add_responses(phase, answers)

    def add_requests(self, calls: Iterable[Call]) -> None:
        """Writes what is asked, one file a phase: for a driver that writes it before it asks."""
        by_phase: dict[Phase, dict[str, bytes]] = defaultdict(dict)
        for call in calls:
            by_phase[call.phase][call.custom_id] = _encoder.encode(Request(call.custom_id, call.params))
        for phase, lines in by_phase.items():
            self._write("requests", phase, lines)

    def add_responses(self, phase: Phase, answers: Iterable[Answer]) -> None:
        """Writes those paid answers that are not yet stored, to calls that `add_requests` wrote, as one file."""
        paid = [answer for answer in answers if answer.message is not None]
        new = {a.custom_id: _encoder.encode(a) for a in paid if a.custom_id not in self._answers}
        if new:
            self._write("responses", phase, new)
            self._answers |= new

    def _write(self, kind: str, phase: Phase, lines: Mapping[str, bytes]) -> None:
        name = f"{kind}/{phase}/{self.shard}/{digest('part', *lines)}.jsonl"
        write_bytes(join(self.directory, name), b"".join(line + b"\n" for line in lines.values()))


def read_answers(directory: str, phase: Phase, shard: str = "") -> Iterator[Answer]:
    """The stored answers of a phase, of one shard or of all, file by file in the order of their names.

    Raises:
      CorruptFile: if a file holds a line that is no paid answer.
    """
    for _, line in _lines(directory, phase, shard):
        yield _decoder.decode(line)


def _lines(directory: str, phase: Phase, shard: str) -> Iterator[tuple[str, bytes]]:
    folder = join(directory, f"responses/{phase}/{shard}" if shard else f"responses/{phase}")
    for name in list_files(folder):
        if name.endswith(".jsonl"):
            yield from read_part(join(folder, name))


def read_part(path: str) -> Iterator[tuple[str, bytes]]:
    """Identity and line of each answer in a file.

    Raises:
      CorruptFile: if it holds a line that is no answer.
    """
    for number, line in enumerate(read_bytes(path).splitlines(), 1):
        try:
            head = _head_decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as e:
            raise CorruptFile(
                f"{path}, line {number}, is not an answer ({e}): the file was changed or copied in part. Copy it "
                "again; or delete it, and the calls that it answered are made and paid for again"
            ) from None
        yield head.custom_id, line
