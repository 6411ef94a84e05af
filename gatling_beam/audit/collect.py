"""The rows that the probes see: whole families, chosen by the hash of their group, within a cap a kind of crossing."""

import zlib
from collections import defaultdict

import msgspec

from gatling_beam.audit.features import plan_key
from gatling_beam.hashing import digest
from gatling_beam.sample import Sample

ADVERSARIAL = "adversarial"
_ALL = 1 << 64


class Placed(msgspec.Struct, frozen=True, gc=False):
    """A row with its place (0-based) in a file that holds both labels; None in any other."""

    sample: Sample
    place: int | None

    @property
    def negative(self) -> bool:
        """Whether its label is adversarial."""
        return self.sample.label == ADVERSARIAL


class Crossing(msgspec.Struct, frozen=True):
    """The rows of one crossing."""

    negatives: list[Placed]
    benign: list[Placed]

    def twins(self, negative: Placed) -> list[Placed]:
        """The benign rows that make the same calls as `negative`; all benign rows where none does."""
        key = plan_key(negative.sample.execution_plan)
        same = [row for row in self.benign if plan_key(row.sample.execution_plan) == key]
        return same or self.benign


def strategy_of(sample: Sample) -> tuple[str, str]:
    """Strategy and kind of a row's crossing; two empty texts for a row of none.

    The kind is `size`, `size_1d` or `set` for scope, else the edit script's own.
    """
    if sample.mutation is None:
        return "", ""
    kind = str(sample.mutation.edit_script.get("kind", ""))
    return sample.mutation.strategy, kind.partition(":")[0] if sample.mutation.strategy == "scope_blowup" else ""


class Collector:
    """Keeps at most `cap` rows of each strategy and kind: those of the families whose hash is lowest.

    Rows are held packed. What is kept depends on the rows alone, not on their order.
    """

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._kept: dict[tuple[str, str], dict[int, list[tuple[bytes, int, int]]]] = {}
        self._size: dict[tuple[str, str], int] = defaultdict(int)
        self._limit: dict[tuple[str, str], int] = defaultdict(lambda: _ALL)
        self._labels: list[set[str]] = []
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Sample).decode

    def start_file(self) -> None:
        """The rows that follow are those of the next file."""
        self._labels.append(set())

    def add(self, sample: Sample, place: int) -> None:
        """Takes the row at `place` (0-based) of the current file."""
        self._labels[-1].add(sample.label)
        key = strategy_of(sample)
        family = int(digest("family", sample.group_id)[:16], 16)
        if family >= self._limit[key]:
            return
        packed = zlib.compress(self._encode(sample), 1)
        self._kept.setdefault(key, {}).setdefault(family, []).append((packed, len(self._labels) - 1, place))
        self._size[key] += 1
        if self._size[key] > self._cap:
            self._shrink(key)

    def kinds(self) -> list[tuple[str, str]]:
        """The strategies and kinds that there are rows of."""
        return sorted(key for key in self._kept if key[0])

    def rows(self, strategy: str, kind: str) -> list[Placed]:
        """The kept rows of a strategy and kind, by family."""
        families = self._kept.get((strategy, kind), {})
        return [self._placed(*entry) for family in sorted(families) for entry in families[family]]

    def crossings(self, strategy: str, kind: str) -> list[Crossing]:
        """The kept crossings that have a row of each label."""
        by_parent: dict[str, list[Placed]] = defaultdict(list)
        for row in self.rows(strategy, kind):
            assert row.sample.mutation is not None
            by_parent[row.sample.mutation.parent].append(row)
        crossings = [
            Crossing([row for row in rows if row.negative], [row for row in rows if not row.negative])
            for rows in by_parent.values()
        ]
        return [crossing for crossing in crossings if crossing.negatives and crossing.benign]

    def _placed(self, packed: bytes, file: int, place: int) -> Placed:
        mixed = len(self._labels[file]) > 1
        return Placed(self._decode(zlib.decompress(packed)), place if mixed else None)

    def _shrink(self, key: tuple[str, str]) -> None:
        families = self._kept[key]
        while self._size[key] > 0.9 * self._cap and len(families) > 1:
            last = max(families)
            self._size[key] -= len(families.pop(last))
            self._limit[key] = last
