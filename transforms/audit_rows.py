"""`AuditRows`: what rows give away to blind probes, against ceilings."""

from collections.abc import Iterable

import apache_beam as beam
from apache_beam import coders

from gatling_beam.audit.ceilings import CAP, MAX_ROWS, MIN_ROWS, check_options
from gatling_beam.audit.gather import Gathering
from gatling_beam.audit.result import AuditResult
from gatling_beam.sample import Sample
from gatling_beam.transforms._coders import register

register(AuditResult)


class _GatheringCoder(coders.Coder):
    """Sends what was gathered from worker to worker, its rows packed."""

    def encode(self, value: Gathering) -> bytes:
        return value.packed()

    def decode(self, encoded: bytes) -> Gathering:
        return Gathering.unpacked(encoded)


class _Audit(beam.CombineFn):
    """Gathers rows and, at the end, judges them."""

    def __init__(self, min_rows: int, max_rows: int, cap: int) -> None:
        self._min_rows, self._max_rows, self._cap = min_rows, max_rows, cap

    def get_accumulator_coder(self) -> coders.Coder:
        return _GatheringCoder()

    def create_accumulator(self) -> Gathering:
        return Gathering.of(self._cap)

    def add_input(self, accumulator: Gathering, element: Sample) -> Gathering:
        accumulator.add(element)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Gathering]) -> Gathering:
        merged = self.create_accumulator()
        for accumulator in accumulators:
            merged.merge(accumulator)
        return merged

    def extract_output(self, accumulator: Gathering) -> AuditResult:
        # The learners take 90 MB and a second: no worker imports them that does not judge.
        from gatling_beam.audit.run import audit_gathered

        return audit_gathered(accumulator, min_rows=self._min_rows, max_rows=self._max_rows)


@beam.typehints.with_input_types(Sample)
@beam.typehints.with_output_types(AuditResult)
class AuditRows(beam.PTransform):
    """PCollection[Sample] -> one `AuditResult` of them all, also where there is no row.

    It is that of `audit.run.audit_files`, without the view `order`: a job does not know where rows stand in files.
    It depends on the rows alone, not on their order or on how they are spread.

    One worker judges: with the defaults, minutes to hours. It holds, and is sent, up to `cap` rows of each strategy and
    kind at 2.5 kB each (Tier II: 1.4 GB at most), and 24 bytes of every row; unpacked, the rows of one kind have 18 kB
    each. A smaller `cap` leaves out families, by hash.

    Args:
      min_rows: figures with fewer rows of a label are reported, not judged; at least 2.
      max_rows: of one probe, at least twice `min_rows`; whole families, chosen by hash.
      cap: rows held of each strategy and kind, at least `max_rows`; nine tenths of it are kept.

    Raises:
      TypeError, ValueError: for an argument that is no whole number, or out of range.
    """

    def __init__(self, min_rows: int = MIN_ROWS, max_rows: int = MAX_ROWS, cap: int = CAP) -> None:
        super().__init__()
        check_options(min_rows, max_rows, cap)
        self._combine = _Audit(min_rows, max_rows, cap)

    def expand(self, rows: beam.PCollection[Sample]) -> beam.PCollection[AuditResult]:
        return rows | "GatherAndJudge" >> beam.CombineGlobally(self._combine)
