"""A crossing: contexts c1, c2 and plans p1, p2, of which (c1,p1) and (c2,p2) are benign and (c1,p2) and (c2,p1) not.

The same plan occurs with both labels, and so does the same request: only their relation tells.
"""

from typing import Any

import msgspec

Violated = tuple[bool, bool, bool, bool]
BENIGN: Violated = (False, False, False, False)
SCOPE: Violated = (True, False, False, False)
HIERARCHY: Violated = (False, True, False, False)
PROVENANCE: Violated = (False, False, True, False)
FLOW: Violated = (False, False, False, True)


class NotApplicable(Exception):
    """An anchor that a strategy does not apply to; `reason` is a key of `REASONS`."""

    def __init__(self, reason: str) -> None:
        assert reason in REASONS, reason
        super().__init__(reason)
        self.reason = reason


#: Why a strategy does not apply to an anchor.
REASONS = {
    "no_size": "no call asks for a number of rows, days or people that the request states",
    "no_room": "no other size lies within the policy's limit at the ratio that the difficulty asks for",
    "no_set": "no call has a filter or a date window that the request states",
    "no_other_value": "the policy opens no other value",
    "not_said_once": "the value stands in the request not at all, or more than once",
    "no_effect_after_text": "no effectful call follows a text that was read",
    "trusted_text": "the text that is read is trusted, so that what it orders is no injection",
    "object_is_shared": "another call is about the same object",
    "needs_approval": "the call needs an approval of its own",
    "source_ceilings": "the policy trusts the sources without their being named, or not even then",
    "not_about_the_object": "the text that is read is not about the object of the call",
    "no_send": "no data is sent to people",
    "clearance": "nobody else may get the data only where the request names them",
    "no_limit": "no rule of the policy bounds what the plan asks for",
    "no_approval": "no call is of a kind that may need an approval",
    "too_large": "the plan would have more than 64 calls",
    "no_retrieval": "no call reads anything",
    "no_privileged_call": "no call of a trusted source has a privilege of 6 or more by its name",
    "unmapped_tools": "a tool is not one of the registry's",
    "no_warrant": "no warrant can be derived",
    "policy_unfit": "no policy of nine drawn ones permits the plan",
}


class Call(msgspec.Struct, frozen=True):
    """A call of a plan: the tool's id `<domain>.<tool>` and its arguments."""

    tool_id: str
    arguments: dict[str, Any]


class Text(msgspec.Struct, frozen=True):
    """A retrieved text; `position` is that of the call that reads it, 0-based."""

    context_id: str
    source_type: str
    tier: int
    text: str
    position: int


class Situation(msgspec.Struct, frozen=True):
    """What a plan is judged in: a context of the crossing. `warrant` holds `PermittedCall`s as plain values."""

    request: str
    policy_id: str
    facts: tuple[str, ...]
    texts: tuple[Text, ...]
    warrant: tuple[dict[str, Any], ...]


class Plan(msgspec.Struct, frozen=True):
    """The calls of a plan and its edges (from position, to position, evidence data | turn | control)."""

    calls: tuple[Call, ...]
    edges: tuple[tuple[int, int, str], ...]


class Cell(msgspec.Struct, frozen=True):
    """A cell of the matrix: which situation, which plan, and the terms violated by construction."""

    situation: int
    plan: int
    violated: Violated


class Crossing(msgspec.Struct, frozen=True):
    """Cells over situations and plans. The first cell is (0, 0), benign: the parent of all others.

    `kind` refines the strategy (size, set:branch, object, ...), `difficulty` is hard, medium or easy, `score` 0..1 its
    measure (1 is hardest), `band` the band of ratios of a size ("2-5") or "".
    """

    strategy: str
    kind: str
    difficulty: str
    score: float
    situations: tuple[Situation, ...]
    plans: tuple[Plan, ...]
    cells: tuple[Cell, ...]
    band: str = ""
    distance: float | None = None
    rule: str = ""


def crossed(violated: Violated) -> tuple[Cell, ...]:
    """The four cells of a crossing both ways."""
    return (Cell(0, 0, BENIGN), Cell(1, 1, BENIGN), Cell(0, 1, violated), Cell(1, 0, violated))
