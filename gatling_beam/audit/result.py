"""The result of an audit, and its JSON."""

from typing import Any

import msgspec

from gatling_beam.audit.agreement import Agreement
from gatling_beam.audit.checks import Check
from gatling_beam.audit.figures import Figure, LearnerScore
from gatling_beam.audit.tokens import Mark

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
        lines = [f"{check.name} = {check.value:g}, must be {check.limit}" for check in self.checks if _bad(check)]
        return lines + [
            f"{figure.strategy} {figure.kind} {figure.difficulty or 'all'}: {figure.view} against {figure.comparison}: "
            f"AUC {figure.auc} (95 % bound {figure.lower}) exceeds {figure.ceiling}".replace("  ", " ")
            for figure in self.figures
            if _bad(figure)
        ]

    def json(self) -> bytes:
        """The audit as JSON text, the content of `audit.json`."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"

    @staticmethod
    def from_json(text: bytes) -> "AuditResult":
        """The audit of which this is the JSON text.

        Raises:
          msgspec.DecodeError: if it is none.
        """
        return msgspec.json.decode(text, type=AuditResult)


def _bad(found: Check | Figure) -> bool:
    return found.verdict == "fail"
