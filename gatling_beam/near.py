"""Near-duplicates: rows whose calls and request share most of their tokens, found by MinHash bands.

The rule is free of order and not transitive: a row is dropped if and only if a lesser row, in the order of survival,
shares a band with it and has an estimated Jaccard similarity >= the threshold; inside a band a row is compared with
the least row and the next 32, so that a band of a million templated rows costs no more than thirty-three comparisons
a row.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from rensa import RMinHash

from gatling_beam.columns import StructColumns
from gatling_beam.dedup import priority_of
from gatling_beam.intent import canonical_name
from gatling_beam.json_value import canonical_value, json_text
from gatling_beam.ordering import equals_previous, total_order
from gatling_beam.plan import ExecutionPlan
from gatling_beam.sample import Sample

PERMUTATIONS = 128
_SEED = 20_250
_SHINGLE = 3  # words
_COMPARED = 33
#: A pair at the threshold shares a band with at least this probability.
_RECALL = 0.99
#: Signatures are kept by the lowest four bits of each value: two unrelated values agree with this probability.
_CHANCE = 1 / 16

_ORDER = ("priority", "source", "original_id", "sample_id")


class NearRow(msgspec.Struct, frozen=True):
    """One band of one row: the hash of the band, the row's place in the order of survival, its signature.

    `home` names the bucket that the row itself is in, `signature` holds the lowest four bits of 128 MinHash values.
    """

    band: str
    priority: int
    source: str
    original_id: str
    sample_id: str
    home: str
    signature: bytes


class NearDrop(msgspec.Struct, frozen=True):
    """A row that is dropped, and the lesser row that it is too close to."""

    home: str
    sample_id: str
    source: str
    of_priority: int
    of_source: str
    of_original_id: str
    of_sample_id: str


class _Wording(msgspec.Struct, frozen=True):
    execution_plan: ExecutionPlan
    request: str


class RowOrDrop(msgspec.Struct, frozen=True):
    """A row, or what is said about one: the two sides of a join by sample_id, as one type."""

    row: Sample | None = None
    drop: NearDrop | None = None


_ROWS = StructColumns(NearRow)
_DROPS = StructColumns(NearDrop)
_WORDINGS = StructColumns(_Wording)


def check_threshold(near: float) -> float:
    """`near`, if it is in 0.5..1; else raises ValueError."""
    if not 0.5 <= near <= 1:
        raise ValueError(f"near={near!r} is not in 0.5..1; it is a Jaccard similarity, 0.8 is a good start")
    return float(near)


def tokens(plan: ExecutionPlan, request: str) -> list[str]:
    """What two near-duplicates have in common: tools, arguments with their values, and the request by three words."""
    result = []
    for node in plan.nodes:
        name = canonical_name(node.tool_name)
        result.append(f"tool={name}")
        for argument, value in node.arguments.items():
            result.append(f"argument={name}={argument}={json_text(canonical_value(value))}")
    words = request.casefold().split()
    for start in range(max(len(words) - _SHINGLE + 1, min(len(words), 1))):
        result.append(f"request={' '.join(words[start : start + _SHINGLE])}")
    return result


def minhashes(token_sets: Sequence[Sequence[str]]) -> npt.NDArray[np.uint32]:
    """The MinHash values of token sets, of shape (sets, 128)."""
    rows = RMinHash.digests_from_token_sets(token_sets, num_perm=PERMUTATIONS, seed=_SEED)
    return np.array(rows, np.uint32).reshape(-1, PERMUTATIONS)


def packed(values: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    """Signatures of shape (rows, 64): the lowest four bits of each value."""
    low = (values & 15).astype(np.uint8)
    result: npt.NDArray[np.uint8] = low[:, ::2] << np.uint8(4) | low[:, 1::2]
    return result


def similarity(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The estimated Jaccard similarity of packed signatures, row by row (standard error about 0.04)."""
    differ = a ^ b
    equal = ((differ & 15) == 0).sum(axis=-1) + (differ < 16).sum(axis=-1)
    estimate: npt.NDArray[np.float64] = (equal / PERMUTATIONS - _CHANCE) / (1 - _CHANCE)
    return estimate


def band_rows(threshold: float) -> int:
    """How many values make a band: the most for which a pair at the threshold is still met with 99 % probability."""
    return max(
        rows
        for rows in range(1, PERMUTATIONS + 1)
        if rows == 1 or 1 - (1 - threshold**rows) ** (PERMUTATIONS // rows) >= _RECALL
    )


def band_hashes(values: npt.NDArray[np.uint32], rows: int) -> npt.NDArray[np.uint64]:
    """A hash of each band of `rows` values, of shape (rows of `values`, bands); bands at other places differ."""
    bands = PERMUTATIONS // rows
    cut = values[:, : bands * rows].reshape(-1, bands, rows).astype(np.uint64)
    state: npt.NDArray[np.uint64] = np.broadcast_to(np.arange(1, bands + 1, dtype=np.uint64), cut.shape[:2]).copy()
    for k in range(rows):
        # The finaliser of splitmix64 after each value.
        state = (state ^ cut[:, :, k]) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ state >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ state >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return state


def near_rows(samples: pa.Table, threshold: float, priorities: Mapping[str, int], home: str = "") -> pa.Table:
    """The `NearRow`s, as a table, of a table of Samples."""
    wordings = _WORDINGS.decode(samples.select(_WORDINGS.schema.names))
    values = minhashes([tokens(wording.execution_plan, wording.request) for wording in wordings])
    hashes = band_hashes(values, band_rows(threshold))
    sources = pc.struct_field(samples["source"].combine_chunks(), "name")
    columns = {
        "priority": pa.array([priority_of(name, priorities) for name in sources.to_pylist()], pa.int64()),
        "source": sources,
        "original_id": samples["original_id"],
        "sample_id": samples["sample_id"],
        "home": pa.array([home] * samples.num_rows, pa.string()),
        "signature": pa.array([row.tobytes() for row in packed(values)], pa.binary()),
    }
    rows = pa.table(columns).take(pa.array(np.repeat(np.arange(len(values)), hashes.shape[1])))
    return rows.add_column(0, "band", _hexadecimal(hashes.ravel())).cast(_ROWS.schema)


def _hexadecimal(values: npt.NDArray[np.uint64]) -> pa.Array:
    text = values.astype(">u8").tobytes().hex().encode()
    offsets = np.arange(0, len(text) + 1, 16, dtype=np.int32)
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(text))


def near_rows_of(sample: Sample, threshold: float, priorities: Mapping[str, int]) -> list[NearRow]:
    """The `NearRow`s of one row."""
    table = StructColumns(Sample).encode([sample])
    return list(_ROWS.decode(near_rows(table, threshold, priorities)))


def near_drops(rows: pa.Table, threshold: float) -> pa.Table:
    """The `NearDrop`s, as a table, of a table of whole bands of `NearRow`s: each with the least row it is too close to.

    A row occurs once for every band in which it is dropped.
    """
    rows = rows.combine_chunks()
    rows = rows.take(pa.array(total_order(rows, rows.select(["band", *_ORDER]), NearRow)))
    first = ~equals_previous(rows["band"].combine_chunks())
    starts = np.flatnonzero(first)[np.cumsum(first) - 1]
    places = np.arange(rows.num_rows)
    signatures = np.array(rows["signature"].to_pylist(), f"S{PERMUTATIONS // 2}").view(np.uint8)
    signatures = signatures.reshape(rows.num_rows, PERMUTATIONS // 2)
    of = np.full(rows.num_rows, -1)
    open_rows = places
    for rank in range(_COMPARED):
        open_rows = open_rows[(of[open_rows] < 0) & (places[open_rows] - starts[open_rows] > rank)]
        if not len(open_rows):
            break
        lesser = starts[open_rows] + rank
        close = similarity(signatures[open_rows], signatures[lesser]) >= threshold
        of[open_rows[close]] = lesser[close]
    dropped = np.flatnonzero(of >= 0)
    losers, winners = rows.take(pa.array(dropped)), rows.take(pa.array(of[dropped]))
    columns = {name: losers[name] for name in ("home", "sample_id", "source")}
    columns |= {f"of_{name}": winners[name] for name in _ORDER}
    return pa.table(columns, schema=_DROPS.schema)


def least_drops(drops: pa.Table) -> pa.Table:
    """One `NearDrop` for each sample_id, that of the least lesser row."""
    by = drops.select(["sample_id", *(f"of_{name}" for name in _ORDER)])
    ordered = drops.take(pa.array(total_order(drops, by, NearDrop)))
    return ordered.filter(pa.array(~equals_previous(ordered["sample_id"].combine_chunks())))


def least_drop(drops: Iterable[NearDrop]) -> NearDrop | None:
    """`least_drops` for the drops of one sample_id; None if there are none."""
    return min(drops, key=_drop_order, default=None)


def rows_and_drop(members: Iterable[RowOrDrop]) -> tuple[list[Sample], NearDrop | None]:
    """The rows of one sample_id, and the least drop if they are to be dropped."""
    both = list(members)
    rows = [member.row for member in both if member.row is not None]
    return rows, least_drop(member.drop for member in both if member.drop is not None)


def _drop_order(drop: NearDrop) -> tuple[int, str, str, str]:
    return drop.of_priority, drop.of_source, drop.of_original_id, drop.of_sample_id


def drops_of_band(rows: Iterable[NearRow], threshold: float) -> list[NearDrop]:
    """`near_drops` for the rows of one band."""
    members = list(rows)
    return list(_DROPS.decode(near_drops(_ROWS.encode(members), threshold))) if len(members) > 1 else []
