"""Rows of a data set with the counts of what was read; not public."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from gatling_beam.hub import Listing, ReadRequest, Unit, list_request, plan_units, read_unit
from gatling_beam.hub.reading import STAGE
from gatling_beam.process_settings import SELDOM_GC
from gatling_beam.sample import SourceRow, Tally
from gatling_beam.transforms._coders import register

register(ReadRequest, Listing, Unit)


class ReadRows(NamedTuple):
    """The PCollections `rows` (SourceRow) and `tallies` (Tally) of a read."""

    rows: beam.PCollection[SourceRow]
    tallies: beam.PCollection[Tally]


@beam.typehints.with_input_types(beam.pvalue.PBegin)
class ReadCounted(beam.PTransform):
    """The files of `request` are listed, cut into units and read: `ReadRows`."""

    def __init__(self, request: ReadRequest) -> None:
        super().__init__()
        self.request = request

    def expand(self, pbegin: beam.pvalue.PBegin) -> ReadRows:
        read = (
            beam.ParDo(_ReadUnit())
            .with_input_types(Unit)
            .with_output_types(SourceRow, tallies=Tally)
            .with_outputs("tallies", main="rows")
        )
        outputs = (
            pbegin
            | "Request" >> beam.Create([self.request])
            | "ListFiles" >> beam.Map(list_request)
            | "PlanUnits" >> beam.FlatMap(_plan, self.request.limit)
            | "SpreadUnits" >> beam.Reshuffle()
            | "ReadUnit" >> read
        )
        return ReadRows(outputs.rows, outputs.tallies)


def _plan(listing: Listing, limit: int | None) -> Iterable[Unit]:
    return plan_units(listing, limit=limit)


class _ReadUnit(beam.DoFn):
    def setup(self) -> None:
        SELDOM_GC.take()

    def teardown(self) -> None:
        SELDOM_GC.give_back()

    def start_bundle(self) -> None:
        self._read: Counter[str] = Counter()

    def process(self, unit: Unit) -> Iterable[Any]:
        for row in read_unit(unit):
            self._read[row.source] += 1
            yield row

    def finish_bundle(self) -> Iterable[Any]:
        # What a unit holds is checked while it is read, so what is read is what leaves; the next stage says what came.
        window = GlobalWindow()
        for source, n in sorted(self._read.items()):
            for kind in ("in", "out"):
                tally = Tally(STAGE, source, kind, n)
                yield beam.pvalue.TaggedOutput("tallies", WindowedValue(tally, window.max_timestamp(), (window,)))
