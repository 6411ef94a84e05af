"""The one place where rows are regrouped: by hash, in columns, through files or through the runner's shuffle."""

import os
import tempfile
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Literal, get_args

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import GoogleCloudOptions
from apache_beam.transforms.window import GlobalWindows

from gatling_beam.exchange import Key, check_buckets, run_schema
from gatling_beam.files import join
from gatling_beam.sample import Sample
from gatling_beam.transforms._extents import CutRows, MergeBucket, merge_extents
from gatling_beam.transforms._extents import Exchanged as Exchanged

Exchange = Literal["auto", "files", "shuffle"]

#: Runners whose workers share the local disk.
_LOCAL_RUNNERS = ("FnApiRunner", "DirectRunner", "SwitchingDirectRunner", "BundleBasedDirectRunner", "PrismRunner")


class ExchangeByHash(beam.PTransform):
    """Brings all rows of a range of hashes to one call of a pure function, and nothing else through the shuffle.

    Each bundle cuts its rows into Arrow extents by the first 32 bits of their key; a GroupByKey gathers the extents of
    a bucket; `merge(index, table)` is called once for every bucket 0..buckets-1, an empty one too, with all its rows in
    any order. What it yields are elements of `result_type`, and `Tally` elements, which leave by an output of their
    own. `merge` must be picklable, and must give the same results for the same rows in another order.

    Memory: one bucket a worker, as Arrow columns (some 3 kB a row) and their copy while a merge sorts them, and some
    32 MB of rows on their way.

    Args:
      merge: `(bucket index, table of row_type) -> iterable of result_type | Tally`.
      buckets: 1..100,000; take ceil(expected rows / 50,000). It is part of what the results are, so it must not
        depend on the number of workers.
      row_type: the Struct of the input rows.
      key: the text field whose value is a hexadecimal content hash, or a picklable function of the row that gives one;
        of a function, the table holds the values in the column `exchange.KEY_COLUMN`.
      exchange: `files` writes extents to `spill_to` and shuffles where they are (every worker must see that folder);
        `shuffle` shuffles the extents themselves, in pieces of at most 4 MB; `auto` takes files where the runner works
        on this machine or `spill_to` is a URL.
      spill_to: folder of the runs, a path or an fsspec URL; by default a new folder under `--temp_location`, else
        under the system's temporary folder. It is left there: remove it when the pipeline is done. A bundle that was
        tried twice leaves a run that nobody reads.
      result_type: the type of what `merge` yields beside tallies; must have a coder of its own.

    Returns:
      `Exchanged(results, tallies)`.

    Raises:
      ValueError: for buckets, key or exchange out of range, and for unbounded or windowed input.
    """

    def __init__(
        self,
        merge: Callable[[int, pa.Table], Iterable[Any]],
        *,
        buckets: int,
        row_type: type = Sample,
        key: Key = "intent_hash",
        exchange: Exchange = "auto",
        spill_to: str | None = None,
        result_type: type = Sample,
    ) -> None:
        super().__init__()
        if not callable(merge):
            raise TypeError(f"merge={merge!r} is not a function of (index, table)")
        self._merge = merge
        self._buckets = check_buckets(buckets)
        self._schema = run_schema(row_type, key)
        self._row_type = row_type
        self._key = key
        self._exchange = check_exchange(exchange)
        self._spill_to = spill_to
        self._result_type = result_type
        self.with_input_types(row_type)

    def expand(self, pcoll: beam.PCollection) -> "Exchanged":
        require_bounded(pcoll, "ExchangeByHash")
        folder = spill_folder(self._spill_to, pcoll.pipeline)
        by_files = uses_files(self._exchange, self._spill_to, pcoll.pipeline)
        cut = CutRows(self._row_type, self._key, self._buckets, folder if by_files else None)
        extents = pcoll | "CutByBucket" >> beam.ParDo(cut).with_input_types(self._row_type).with_output_types(
            tuple[str, bytes]
        )
        return merge_extents(
            extents,
            MergeBucket(self._merge, self._schema, by_files),
            self._buckets,
            self._result_type,
        )


def check_exchange(exchange: Exchange) -> Exchange:
    """`exchange`, if it is one of auto, files and shuffle; else raises ValueError."""
    if exchange not in get_args(Exchange):
        raise ValueError(f"exchange={exchange!r} is not one of {', '.join(get_args(Exchange))}")
    return exchange


def uses_files(exchange: Exchange, spill_to: str | None, pipeline: beam.Pipeline) -> bool:
    """Whether extents go through files, as `exchange` or, for `auto`, the runner and `spill_to` say."""
    if exchange == "auto":
        return type(pipeline.runner).__name__ in _LOCAL_RUNNERS or "://" in (spill_to or "")
    return exchange == "files"


def spill_folder(spill_to: str | None, pipeline: beam.Pipeline) -> str:
    """A new folder for the files of one exchange."""
    above = spill_to or pipeline.options.view_as(GoogleCloudOptions).temp_location or tempfile.gettempdir()
    # A worker may have another working directory.
    above = above if "://" in above else os.path.abspath(above)
    return join(above, f"exchange-{uuid.uuid4().hex}")


def require_bounded(pcoll: beam.PCollection, name: str) -> None:
    """Refuses unbounded and windowed input."""
    if not pcoll.is_bounded or not isinstance(pcoll.windowing.windowfn, GlobalWindows):
        raise ValueError(
            f"{name} takes bounded input in the global window; it has nothing to merge before the input ends"
        )
