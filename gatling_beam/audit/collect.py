"""The rows that the probes see: whole families, chosen by the hash of their group, within a cap a kind of crossing."""

import zlib
from collections import defaultdict

import msgspec

from gatling_beam.audit.features import plan_key
from gatling_beam.hashing import digest
from gatling_beam.sample import Sample

ADVERSARIAL = "adversarial"
_HASH_DIGITS = 15
_ALL = 16**_HASH_DIGITS
_NO_FILE = -1
#: Equal rows are encoded equally, whatever the order of the keys in their objects.
_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(Sample).decode


class Placed(msgspec.Struct, frozen=True, gc=False):
    """A row with its place (0-based) in a file that holds both labels; None in any other, or where it is not known."""

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


class _Kept(msgspec.Struct):
    """The rows of a strategy and kind by family: packed, with file and place.

    No family from `limit` on is among those that fit.
    """

    families: dict[int, list[tuple[bytes, int, int]]] = {}
    size: int = 0
    limit: int = _ALL

    def fitting(self, most: int) -> list[int]:
        """The families of lowest hash that have `most` rows together; one at least."""
        rows = 0
        fitting: list[int] = []
        for family in sorted(self.families):
            rows += len(self.families[family])
            if rows > most and fitting:
                break
            fitting.append(family)
        return fitting

    def shrink(self, most: int) -> None:
        """Drops the families that do not fit, now and whatever comes."""
        fitting = self.fitting(most)
        if len(fitting) < len(self.families):
            self.limit = min(self.families.keys() - set(fitting))
            self.families = {family: self.families[family] for family in fitting}
            self.size = sum(map(len, self.families.values()))


class Collector(msgspec.Struct):
    """Keeps the rows of each strategy and kind whose families have the lowest hashes, at most nine tenths of `cap`.

    Up to `cap` are held, packed (some 2.5 kB each). What `rows` gives depends on the rows alone: not on their order,
    nor on how they were spread over collectors that were merged. Rows of no crossing are left out.
    """

    cap: int
    kept: dict[tuple[str, str], _Kept] = {}
    labels: list[set[str]] = []

    def start_file(self) -> None:
        """The rows that follow with a place are those of the next file."""
        self.labels.append(set())

    def add(self, sample: Sample, place: int | None = None) -> None:
        """Takes a row, at `place` (0-based) of the current file; without one its place is not known."""
        if place is not None:
            self.labels[-1].add(sample.label)
        key = strategy_of(sample)
        if not key[0]:
            return
        kept = self.kept.setdefault(key, _Kept())
        family = int(digest("family", sample.group_id)[:_HASH_DIGITS], 16)
        if family >= kept.limit:
            return
        file, place = (_NO_FILE, 0) if place is None else (len(self.labels) - 1, place)
        kept.families.setdefault(family, []).append((zlib.compress(_encode(sample), 1), file, place))
        kept.size += 1
        if kept.size > self.cap:
            kept.shrink(self._most)

    def merge(self, other: "Collector") -> None:
        """Takes the rows of another collector of the same cap; its files follow ours."""
        before = len(self.labels)
        self.labels += other.labels
        for key, theirs in other.kept.items():
            ours = self.kept.setdefault(key, _Kept())
            for family, entries in theirs.families.items():
                moved = [(row, file if file == _NO_FILE else file + before, place) for row, file, place in entries]
                ours.families.setdefault(family, []).extend(moved)
            ours.limit = min(ours.limit, theirs.limit)
            ours.families = {family: rows for family, rows in ours.families.items() if family < ours.limit}
            ours.size = sum(map(len, ours.families.values()))
            if ours.size > self.cap:
                ours.shrink(self._most)

    def kinds(self) -> dict[str, list[str]]:
        """The kinds that there are rows of, by strategy."""
        kinds: dict[str, list[str]] = {}
        for strategy, kind in sorted(self.kept):
            kinds.setdefault(strategy, []).append(kind)
        return kinds

    def rows(self, strategy: str, kind: str) -> list[Placed]:
        """The rows of a strategy and kind, by family and in it by id."""
        kept = self.kept.get((strategy, kind), _Kept())
        return [row for family in kept.fitting(self._most) for row in self._rows(kept.families[family])]

    def crossings(self, strategy: str, kind: str) -> list[Crossing]:
        """The crossings that have a row of each label."""
        by_parent: dict[str, list[Placed]] = defaultdict(list)
        for row in self.rows(strategy, kind):
            assert row.sample.mutation is not None
            by_parent[row.sample.mutation.parent].append(row)
        crossings = [
            Crossing([row for row in rows if row.negative], [row for row in rows if not row.negative])
            for rows in by_parent.values()
        ]
        return [crossing for crossing in crossings if crossing.negatives and crossing.benign]

    @property
    def _most(self) -> int:
        return self.cap * 9 // 10

    def _rows(self, entries: list[tuple[bytes, int, int]]) -> list[Placed]:
        found = []
        for packed, file, place in entries:
            encoded = zlib.decompress(packed)
            sample = _decode(encoded)
            mixed = file != _NO_FILE and len(self.labels[file]) > 1
            found.append((sample.sample_id, encoded, place, Placed(sample, place if mixed else None)))
        # Rows that are equal in all of this are equal.
        return [row for *_, row in sorted(found, key=lambda entry: entry[:3])]
