"""Exact samples that do not depend on order: the least ranks of a seeded hash.

The unit of sampling is a group of rows (a family's crossing, a pair), never a row. A rank is 24 bytes: the round in
which the group was made (8 bytes, big-endian), then a hash of seed and group_id (16 bytes). Because the round comes
first, groups that are added in a later round never replace one that was taken before.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b

import msgspec
import numpy as np
import numpy.typing as npt

from gatling_beam.sample import Tally

STAGE = "take"
RANK_BYTES = 24
_PENDING = 4_096

Quota = int | Mapping[str, int]


def check_quota(quota: Quota) -> Quota:
    """A number of groups >= 0, or one for each stratum; else raises ValueError."""
    for n in quota.values() if isinstance(quota, Mapping) else [quota]:
        if not isinstance(n, int) or isinstance(n, bool) or n < 0:
            raise ValueError(f"quota={quota!r} is not a number of groups >= 0, or such a number for each stratum")
    return dict(quota) if isinstance(quota, Mapping) else quota


def check_seed(seed: int) -> int:
    """`seed`, if it is in 0..2**64-1; else raises ValueError."""
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**64:
        raise ValueError(f"seed={seed!r} is not an integer in 0..2**64-1")
    return seed


def rank(seed: int, group_id: str, round: int = 0) -> bytes:
    """The rank of a group, 24 bytes; the least are taken."""
    data = group_id.encode("utf-8", "surrogatepass")
    hashed = blake2b(data, digest_size=16, key=seed.to_bytes(8, "big"), person=b"gatling-take").digest()
    return round.to_bytes(8, "big") + hashed


def ranks(seed: int, group_ids: Iterable[str], round: int = 0) -> npt.NDArray[np.bytes_]:
    """`rank` of many groups of one round, as an array of 24-byte strings."""
    return np.frombuffer(b"".join(rank(seed, group_id, round) for group_id in group_ids), f"S{RANK_BYTES}")


def least(ranks: npt.NDArray[np.bytes_], quota: int) -> npt.NDArray[np.bytes_]:
    """The `quota` least distinct ranks, sorted."""
    return np.unique(ranks)[:quota]


def cutoff(ranks: npt.NDArray[np.bytes_], quota: int) -> bytes | None:
    """The greatest rank that is taken when the `quota` least distinct ones are; None if nothing is.

    A row is taken if and only if its rank is <= the cut-off. `ranks` may hold a rank several times, once for every row
    of a group.
    """
    taken = least(ranks, quota)
    return taken[-1:].tobytes() if len(taken) else None


class LeastRanks(msgspec.Struct):
    """The least distinct ranks of a stream, packed: 24 bytes * quota, and as many or 4,000 not yet sorted in."""

    quota: int = 0
    packed: bytes = b""
    pending: list[bytes] = []

    def add(self, rank: bytes) -> None:
        """Takes a rank into account."""
        if len(self.packed) < RANK_BYTES * self.quota or rank < self.packed[-RANK_BYTES:]:
            self.pending.append(rank)
            if len(self.pending) >= max(_PENDING, self.quota):
                self.sort()

    def sort(self) -> None:
        """Sorts in what was added."""
        ranks = np.frombuffer(self.packed + b"".join(self.pending), f"S{RANK_BYTES}")
        self.packed, self.pending = least(ranks, self.quota).tobytes(), []


def merge_ranks(parts: Iterable[LeastRanks]) -> LeastRanks:
    """The least ranks of several streams."""
    merged = LeastRanks()
    for part in parts:
        merged.quota = max(merged.quota, part.quota)
        merged.pending += [part.packed, *part.pending]
    merged.sort()
    return merged


class Cut(msgspec.Struct, frozen=True):
    """The cut-off of a stratum (see `cutoff`) and the number of groups it takes."""

    rank: bytes | None
    groups: int


def cut_of(ranks: LeastRanks) -> Cut:
    """The cut-off of what was added."""
    ranks.sort()
    return Cut(ranks.packed[-RANK_BYTES:] or None, len(ranks.packed) // RANK_BYTES)


def is_taken(rank: bytes, cut: Cut | None) -> bool:
    """Whether a row of this rank is taken; without a cut-off of its stratum it is not."""
    return cut is not None and cut.rank is not None and rank <= cut.rank


def quota_of(quota: Quota, stratum: str) -> int:
    """The number of groups of a stratum; 0 for one that `quota` does not name."""
    return quota if isinstance(quota, int) else quota.get(stratum, 0)


def shortfall(stratum: str, quota: int, cut: Cut) -> list[Tally]:
    """A note of how many groups a stratum lacks, if any."""
    missing = quota - cut.groups
    return [Tally(STAGE, "", "note", missing, f"shortfall:{stratum}")] if missing > 0 else []
