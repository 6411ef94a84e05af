"""The audit of rows: gathered, probed, judged."""

from collections.abc import Iterable, Iterator, Sequence

from gatling_beam.audit.agreement import Votes
from gatling_beam.audit.ceilings import CAP, MAX_ROWS, MIN_ROWS, ORDERED, check_options
from gatling_beam.audit.checks import checks_of
from gatling_beam.audit.collect import Crossing, Placed
from gatling_beam.audit.figures import Figure, LearnerScore
from gatling_beam.audit.floor import floors_of
from gatling_beam.audit.gather import Gathering
from gatling_beam.audit.learner import learner_scores
from gatling_beam.audit.result import AuditResult
from gatling_beam.audit.strata import Stratum, figures_of, strata_of
from gatling_beam.audit.tokens import Marks
from gatling_beam.hashing import digest
from gatling_beam.sample import Sample


def audit(rows: Iterable[Sample], **options: int) -> AuditResult:
    """The audit of the rows of one file; `options` as of `audit_files`."""
    return audit_files([rows], **options)


def audit_files(
    files: Iterable[Iterable[Sample]], *, min_rows: int = MIN_ROWS, max_rows: int = MAX_ROWS, cap: int = CAP
) -> AuditResult:
    """Audits the rows of several files; where a row stands in its file is part of what is probed.

    All other figures depend on the rows alone: not on their order, nor on the files.

    Args:
      files: the rows of each file, in order.
      min_rows: figures with fewer rows of a label are reported, not judged; at least 2.
      max_rows: of one probe; whole families, chosen by hash.
      cap: rows held of each strategy and kind; nine tenths of it are kept.

    Raises:
      TypeError, ValueError: for options that are no whole numbers, or out of range.
    """
    check_options(min_rows, max_rows, cap)
    gathering = Gathering.of(cap)
    for rows in files:
        gathering.add_file(rows)
    return audit_gathered(gathering, min_rows=min_rows, max_rows=max_rows)


def audit_gathered(gathering: Gathering, *, min_rows: int, max_rows: int) -> AuditResult:
    """The audit of what was gathered; options as of `audit_files`."""
    figures: list[Figure] = []
    learner: list[LearnerScore] = []
    marks, votes = Marks(), Votes()
    for strategy, kinds in gathering.collector.kinds().items():
        pooled: list[Crossing] = []
        for kind in kinds:
            crossings = gathering.collector.crossings(strategy, kind)
            if strategy not in ORDERED:
                marks.add(row for crossing in crossings for row in _rows(crossing))
            for stratum in strata_of(strategy, kind, crossings):
                floors = floors_of(stratum.crossings) if kind.startswith("size") else None
                figures += figures_of(stratum, min_rows=min_rows, max_rows=max_rows, floors=floors)
            # All of them together would not fit into memory, once they are unpacked.
            pooled += _first(crossings, max_rows)
        if len(kinds) > 1:
            figures += figures_of(Stratum(strategy, "", "", pooled), min_rows=min_rows, max_rows=max_rows)
        rows = [row.sample for crossing in _first(pooled, max_rows) for row in _rows(crossing)]
        votes.add(rows)
        learner += learner_scores(rows)
    found, counts, reader = marks.found(), gathering.counts.summary(), votes.agreements()
    checks = checks_of(counts, found, reader, min_rows)
    return AuditResult(
        passed="fail" not in {*(check.verdict for check in checks), *(figure.verdict for figure in figures)},
        counts=counts,
        checks=checks,
        figures=figures,
        marks=found,
        reader=reader,
        learner=learner,
        options={"min_rows": min_rows, "max_rows": max_rows, "cap": gathering.collector.cap},
    )


def _first(crossings: Sequence[Crossing], most: int) -> Iterator[Crossing]:
    """The crossings of the families of lowest hash, until they have `most` rows."""
    rows = 0
    for crossing in sorted(crossings, key=_family):
        if rows >= most:
            return
        rows += len(crossing.benign) + len(crossing.negatives)
        yield crossing


def _family(crossing: Crossing) -> str:
    return digest("family", crossing.negatives[0].sample.group_id)


def _rows(crossing: Crossing) -> tuple[Placed, ...]:
    return (*crossing.benign, *crossing.negatives)
