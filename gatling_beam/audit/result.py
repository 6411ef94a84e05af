"""The audit of a set of rows: `audit(rows)` gives figures, verdicts, and their JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from gatling_beam.audit.ceilings import MIN_ROWS, Verdict
from gatling_beam.audit.collect import Collector, Crossing
from gatling_beam.audit.counts import Counts
from gatling_beam.audit.floor import floors_of
from gatling_beam.audit.learner import LearnerScore, learner_scores
from gatling_beam.audit.reader import Agreement, agreements
from gatling_beam.audit.strata import Figure, Stratum, figures_of, strata_of
from gatling_beam.audit.tokens import Mark, Marks
from gatling_beam.sample import Sample

#: What the same measures gave for the system whose data this one replaces.
ORIGINAL = {
    "plan_auc": 0.907,
    "plan_auc_exfiltration": 1.0,
    "plan_auc_scope": 0.967,
    "plan_auc_provenance": 0.909,
    "distinct_plans_share": 0.025,
    "unchanged_mutations_share": 0.24,
    "tool_names_shared": 0.0,
}

_READER, _BLANKED = 0.95, 0.60


class Check(msgspec.Struct, frozen=True):
    """A figure that is no probe: `value` with the limit it must keep."""

    name: str
    value: float
    limit: str
    verdict: Verdict


class AuditResult(msgspec.Struct, frozen=True):
    """All figures of an audit. `passed` is false if any of them fails."""

    passed: bool
    counts: dict[str, Any]
    checks: list[Check]
    figures: list[Figure]
    marks: list[Mark]
    reader: list[Agreement]
    learner: list[LearnerScore]
    options: dict[str, int]
    original: dict[str, float] = msgspec.field(default_factory=lambda: dict(ORIGINAL))

    def failures(self) -> list[str]:
        """What failed, each as a line."""
        lines = [f"{check.name} = {check.value}, must be {check.limit}" for check in self.checks if _bad(check)]
        return lines + [
            f"{figure.strategy} {figure.kind} {figure.difficulty or 'all'}: {figure.view} against {figure.comparison}: "
            f"AUC {figure.auc} (95 % bound {figure.lower}) exceeds {figure.ceiling}".replace("  ", " ")
            for figure in self.figures
            if _bad(figure)
        ]

    def json(self) -> bytes:
        """The audit as JSON text, the content of `audit.json`."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


def audit(rows: Iterable[Sample], **options: int) -> AuditResult:
    """The audit of the rows of one file; `options` as of `audit_files`."""
    return audit_files([rows], **options)


def audit_files(
    files: Iterable[Iterable[Sample]], *, min_rows: int = MIN_ROWS, max_rows: int = 12_000, cap: int = 80_000
) -> AuditResult:
    """Audits the rows of several files; where a row stands in its file is part of what is probed.

    Args:
      files: the rows of each file, in order.
      min_rows: figures with fewer rows of a label are reported, not judged; at least 2.
      max_rows: of one probe; whole families, chosen by hash.
      cap: rows kept of each strategy and kind.

    Raises:
      ValueError: for options out of range.
    """
    if min_rows < 2 or max_rows < 2 * min_rows or cap < max_rows:
        raise ValueError(
            f"min_rows={min_rows}, max_rows={max_rows}, cap={cap}: use 2 <= min_rows, 2 * min_rows <= max_rows <= cap"
        )
    collector, counts, marks = Collector(cap), Counts(), Marks()
    for rows in files:
        collector.start_file()
        for place, sample in enumerate(rows):
            collector.add(sample, place)
            counts.add(sample)
    figures: list[Figure] = []
    pooled: dict[str, list[Crossing]] = {}
    for strategy, kind in collector.kinds():
        crossings = collector.crossings(strategy, kind)
        pooled.setdefault(strategy, []).extend(crossings)
        marks.add(row for crossing in crossings for row in (*crossing.negatives, *crossing.benign))
        for stratum in strata_of(strategy, kind, crossings):
            floors = floors_of(stratum.crossings) if kind.startswith("size") else None
            figures += figures_of(stratum, min_rows=min_rows, max_rows=max_rows, floors=floors)
    for strategy, crossings in pooled.items():
        if len([key for key in collector.kinds() if key[0] == strategy]) > 1:
            figures += figures_of(Stratum(strategy, "", "", crossings), min_rows=min_rows, max_rows=max_rows)
    found = marks.found()
    sampled = [row for crossings in pooled.values() for row in _rows(crossings, max_rows)]
    reader = agreements(sampled)
    checks = _checks(counts.summary(), found) + list(_reader_checks(reader, min_rows))
    return AuditResult(
        passed=not any(_bad(check) for check in checks) and not any(_bad(figure) for figure in figures),
        counts=counts.summary(),
        checks=checks,
        figures=figures,
        marks=found,
        reader=reader,
        learner=learner_scores(sampled),
        options={"min_rows": min_rows, "max_rows": max_rows, "cap": cap},
    )


def _checks(counts: dict[str, Any], marks: list[Mark]) -> list[Check]:
    telling = sum(mark.tells for mark in marks)
    checks = [
        _zero("negatives with the row_hash of a benign row", counts["equal_row_hash"]),
        _zero("negatives with the content of a benign row", counts["equal_content"]),
        _zero("marks that give the label away", telling),
    ]
    reported = ("distinct_plans_share", "tool_names_shared", "adversarial_share", "adversarial_given_tier3")
    return checks + [Check(name, counts[name], "reported", "reported") for name in reported if counts[name] is not None]


def _rows(crossings: Sequence[Crossing], most: int) -> Iterable[Sample]:
    """The rows of the first crossings, which are in the order of their hash."""
    n = 0
    for crossing in crossings:
        if n >= most:
            return
        rows = (*crossing.benign, *crossing.negatives)
        n += len(rows)
        yield from (row.sample for row in rows)


def _reader_checks(reader: Sequence[Agreement], min_rows: int) -> Iterable[Check]:
    for own in reader:
        name = own.strategy or "all strategies"
        worst, judged = min(own.terms), own.rows >= 2 * min_rows
        yield Check(
            f"text-only judge, {name}, worst term",
            worst,
            f">= {_READER}",
            "reported" if not judged else "pass" if worst >= _READER else "fail",
        )
        yield Check(
            f"text-only judge, {name}, request blanked",
            own.blanked,
            f"<= {_BLANKED}",
            "reported" if not judged else "pass" if own.blanked <= _BLANKED else "fail",
        )


def _zero(name: str, value: int) -> Check:
    return Check(name, value, "0", "fail" if value else "pass")


def _bad(found: Check | Figure) -> bool:
    return found.verdict == "fail"
