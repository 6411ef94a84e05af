"""What the answers of a run have cost so far, for its progress."""

import os

import msgspec

from gatling_beam.claude.calls import PHASES, Answer
from gatling_beam.claude.prices import Price
from gatling_beam.claude.usage import Usage, usage_of
from gatling_beam.files import read_bytes

_decoder = msgspec.json.Decoder(Answer)


class Spend:
    """Looks at the files of answers that have come since it was made; each is read once."""

    def __init__(self, answers: str, of: Price) -> None:
        self._answers, self._of = answers, of
        self._seen = set(self._files())
        self._usage = Usage()

    def line(self) -> str:
        """The new answers and their dollars."""
        for path, phase in self._files():
            if (path, phase) not in self._seen:
                self._seen.add((path, phase))
                for answer in _decoder.decode_lines(read_bytes(path)):
                    self._usage += usage_of(phase, answer, self._of)
        return f"{self._usage.calls:,} answers, ${self._usage.usd:,.2f}"

    def _files(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for phase in PHASES:
            for folder, _, names in os.walk(os.path.join(self._answers, "responses", phase)):
                found += [(os.path.join(folder, n), phase) for n in names if n.endswith(".jsonl") and n[:1] != "."]
        return found
