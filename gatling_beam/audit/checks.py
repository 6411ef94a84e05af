"""The figures that are no probes, each with the limit that it must keep."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from gatling_beam.audit.agreement import Agreement
from gatling_beam.audit.ceilings import Verdict
from gatling_beam.audit.tokens import Mark

_READER, _BLANKED = 0.95, 0.60


class Check(msgspec.Struct, frozen=True):
    """A figure that is no probe: `value` with the limit it must keep."""

    name: str
    value: float
    limit: str
    verdict: Verdict


def checks_of(counts: dict[str, Any], marks: Sequence[Mark], reader: Sequence[Agreement], min_rows: int) -> list[Check]:
    """All checks; those of the reader are judged from `min_rows` rows of each label on."""
    return [*_checks(counts, marks), *_reader_checks(reader, min_rows)]


def _checks(counts: dict[str, Any], marks: Sequence[Mark]) -> list[Check]:
    telling = sum(mark.tells for mark in marks)
    checks = [
        _zero("negatives with the row_hash of a benign row", counts["equal_row_hash"]),
        _zero("negatives with the content of a benign row", counts["equal_content"]),
        _zero("marks that give the label away", telling),
    ]
    reported = ("distinct_plans_share", "tool_names_shared", "adversarial_share", "adversarial_given_tier3")
    return checks + [Check(name, counts[name], "reported", "reported") for name in reported if counts[name] is not None]


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
    return Check(name, float(value), "0", "fail" if value else "pass")
