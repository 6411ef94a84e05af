"""Which crossings are taken: of each stratum those of the least ranks, until their negatives fill its quota exactly.

The unit is the crossing: all of its rows are taken or none. Candidates are looked at file by file; all rows of a
crossing stand in one file.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gatling_beam.sampling import RANK_BYTES, ranks

#: What becomes of a row: a byte each.
NOT_SELECTED, TAKEN, DUPLICATE = range(3)
#: The columns of candidates that a selection reads.
COLUMNS = [
    "label",
    "row_hash",
    "mutation.strategy",
    "mutation.difficulty",
    "mutation.ratio_band",
    "mutation.parent",
]
_NO_STRATUM = 255
_JOIN = "\x1f"
_T = TypeVar("_T", bound=np.generic)

StratumOf = Callable[[str, str, str], str]


class Chosen(msgspec.Struct, frozen=True):
    """A selection: the fate of every row by file, and by stratum the negatives taken and those there were.

    `available` counts the negatives of crossings that are no duplicates.
    """

    fates: dict[str, bytes]
    taken: dict[str, int]
    available: dict[str, int]

    def missing(self, quotas: Mapping[str, int]) -> dict[str, int]:
        """The strata that are short, with the negatives that they lack."""
        return {name: n - self.taken[name] for name, n in quotas.items() if n > self.taken[name]}


class Candidates:
    """All candidate rows of a run, in 20 bytes a row and some 40 a crossing.

    Args:
      seed: of the ranks.
      strata: the names of the strata, at most 200; other rows are never taken.
      stratum_of: (strategy, ratio_band, difficulty) -> name.
      distinct: whether of crossings that share a row one alone may be taken.
    """

    def __init__(self, seed: int, strata: list[str], stratum_of: StratumOf, *, distinct: bool = True) -> None:
        self._seed = seed
        self._distinct = distinct
        self._strata = {name: k for k, name in enumerate(strata)}
        self._stratum_of = stratum_of
        self._files: dict[str, tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint64]]] = {}
        self._ranks: list[npt.NDArray[np.bytes_]] = []
        self._stratum: list[npt.NDArray[np.uint8]] = []
        self._weight: list[npt.NDArray[np.uint8]] = []
        self._units = 0

    def add(self, name: str, table: pa.Table, round: int) -> None:
        """Takes the rows of a file into account: `COLUMNS` of them, made in `round` (0, 1, ...)."""
        mutation = table["mutation"].combine_chunks()
        parts = [pc.struct_field(mutation, field) for field in ("strategy", "ratio_band", "difficulty", "parent")]
        keys = pc.binary_join_element_wise(*parts, _JOIN).dictionary_encode()
        units = [key.split(_JOIN) for key in keys.dictionary.to_pylist()]
        of_row = keys.indices.to_numpy().astype(np.uint32)
        negative = pc.not_equal(table["label"], "benign").to_numpy(zero_copy_only=False)
        hashes = [int(text[:16], 16) for text in table["row_hash"].to_pylist()]
        self._files[name] = (of_row + np.uint32(self._units), np.array(hashes, np.uint64))
        self._weight.append(np.bincount(of_row, negative, len(units)).astype(np.uint8))
        self._stratum.append(
            np.array([self._strata.get(self._stratum_of(*unit[:3]), _NO_STRATUM) for unit in units], np.uint8)
        )
        self._ranks.append(ranks(self._seed, [unit[3] for unit in units], round))
        self._units += len(units)

    def choose(self, quotas: Mapping[str, int]) -> Chosen:
        """The selection for `quotas`, negatives by stratum.

        Of crossings that share a row the one of the least rank stays, the others are duplicates. Where crossings of a
        stratum have different numbers of negatives, one that no longer fits is passed by.
        """
        order = np.argsort(_joined(self._ranks, f"S{RANK_BYTES}"), kind="stable")
        place = np.empty(len(order), np.uint32)
        place[order] = np.arange(len(order), dtype=np.uint32)
        fate = np.full(self._units, NOT_SELECTED, np.uint8)
        if self._distinct:
            fate[self._colliding(place)] = DUPLICATE
        stratum, weight = _joined(self._stratum, np.uint8), _joined(self._weight, np.uint8)
        taken, available = {}, {}
        for name, k in self._strata.items():
            units = order[(stratum[order] == k) & (fate[order] != DUPLICATE)]
            available[name] = int(weight[units].sum())
            chosen = _fitting(units, weight[units], quotas.get(name, 0))
            fate[chosen] = TAKEN
            taken[name] = int(weight[chosen].sum())
        return Chosen({name: fate[unit].tobytes() for name, (unit, _) in self._files.items()}, taken, available)

    def _colliding(self, place: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """The units that share a row with one of a lesser rank."""
        units = _joined([units for units, _ in self._files.values()], np.uint32)
        hashes = _joined([hashes for _, hashes in self._files.values()], np.uint64)
        if not len(units):
            return units
        order = np.lexsort((place[units], hashes))
        same = np.diff(hashes[order]) == 0
        before, after = units[order][:-1][same], units[order][1:][same]
        colliding: npt.NDArray[np.uint32] = after[before != after]
        return colliding


def _joined(parts: Sequence[npt.NDArray[_T]], dtype: npt.DTypeLike) -> npt.NDArray[_T]:
    """The parts as one array, of `dtype` where there are none."""
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def _fitting(units: npt.NDArray[np.int64], weights: npt.NDArray[np.uint8], quota: int) -> npt.NDArray[np.int64]:
    """The first units whose weights add up to `quota` at most; one that is too heavy for the rest is passed by."""
    heaviest = int(weights.max()) if len(weights) else 1
    sums = np.cumsum(weights, dtype=np.int64)
    # As long as any unit fits, all do; what comes after is looked at one by one until the quota is full.
    whole = int(np.searchsorted(sums, quota - heaviest, side="right"))
    left = quota - (int(sums[whole - 1]) if whole else 0)
    more = []
    for k in range(whole, len(units)):
        if not left:
            break
        if 0 < weights[k] <= left:
            more.append(k)
            left -= int(weights[k])
    return units[[*range(whole), *more]]
