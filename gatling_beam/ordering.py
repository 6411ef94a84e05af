"""Orders of columns that do not depend on the order in which rows arrive."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gatling_beam.columns import StructColumns

Places = npt.NDArray[np.int64]

_content = msgspec.msgpack.Encoder(order="deterministic").encode


def in_total_order(table: pa.Table, by: Sequence[str], row_type: type) -> pa.Table:
    """`table` sorted by the columns `by`, and rows that agree in these by their whole content.

    The order in which rows arrive at a merge differs from run to run; after this it does not matter.
    """
    return table.take(pa.array(total_order(table, table.select(by), row_type)))


def total_order(table: pa.Table, by: pa.Table, row_type: type) -> Places:
    """The places of the rows of `table` in the order of the columns `by` (of equal length), then of their content."""
    order: Places = pc.sort_indices(by, [(name, "ascending") for name in by.column_names]).to_numpy()
    order = order.astype(np.int64)
    same = np.ones(max(len(order) - 1, 0), bool)
    for name in by.column_names:
        same &= equals_previous(by[name].combine_chunks().take(pa.array(order)))[1:]
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    for start, last in zip(bounds[::2], bounds[1::2], strict=True):
        tied = order[start : last + 1]
        contents = list(map(_content, StructColumns(row_type).decode(table.take(pa.array(tied)))))
        order[start : last + 1] = tied[sorted(range(len(tied)), key=contents.__getitem__)]
    return order


def equals_previous(column: pa.Array) -> npt.NDArray[np.bool_]:
    """Whether each value, none of them null, equals the one before it; False for the first."""
    result = np.zeros(len(column), bool)
    result[1:] = pc.equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    return result
