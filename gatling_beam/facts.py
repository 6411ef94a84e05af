"""The facts of a session, as text: what is known beside the request, the policy and what is read; all of tier 1.

Each kind of fact is written and read in this one place, so that whoever judges a plan reads the same facts as a model.
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import msgspec

_APPROVAL = re.compile(
    r"(APR-[0-9]{4,8}) covers (\S.*) up to ([0-9]{1,3}(?:,[0-9]{3})*)"
    r" from ([0-9]{4}-[0-9]{2}-[0-9]{2}) to ([0-9]{4}-[0-9]{2}-[0-9]{2}), signed by the (\S.*)"
)
_PERSON = re.compile(r"(\S+@\S+) is listed under (\S.*)")
_OWNER = re.compile(r"([A-Z]+-[0-9]+) belongs to (\S.*)")


class ApprovalFact(msgspec.Struct, frozen=True):
    """Approval `approval_id` covers calls about `subject` with up to `amount`, on the days `first`..`last`, both
    included; `signer` has signed it."""

    approval_id: str
    subject: str
    amount: int
    first: date
    last: date
    signer: str

    def text(self) -> str:
        """The fact as a session states it."""
        return (
            f"{self.approval_id} covers {self.subject} up to {self.amount:,} from {self.first} to {self.last},"
            f" signed by the {self.signer}"
        )


def today_fact(day: date) -> str:
    """The day of the session."""
    return f"today is {day.isoformat()}"


def role_fact(role: str) -> str:
    """The role of the user."""
    return f"the user is {role}"


def person_fact(address: str, group: str) -> str:
    """The group of people that an address belongs to, as the policy names it."""
    return f"{address} is listed under {group}"


def owner_fact(record_id: str, owner: str) -> str:
    """Whose a record is."""
    return f"{record_id} belongs to {owner}"


@lru_cache(maxsize=1 << 14)
def approval_of(fact: str) -> ApprovalFact | None:
    """The approval that a fact states; None if it states none."""
    match = _APPROVAL.fullmatch(fact)
    if match is None:
        return None
    try:
        days = [date.fromisoformat(match[4]), date.fromisoformat(match[5])]
    except ValueError:
        return None
    return ApprovalFact(match[1], match[2], int(match[3].replace(",", "")), days[0], days[1], match[6])


def approvals_of(facts: Iterable[str]) -> dict[str, list[ApprovalFact]]:
    """The approvals that the facts of a session state, by their id."""
    found: dict[str, list[ApprovalFact]] = {}
    for fact in facts:
        if type(fact) is str and (approval := approval_of(fact)):
            found.setdefault(approval.approval_id, []).append(approval)
    return found


def groups_of(facts: Iterable[str]) -> dict[str, str]:
    """The group of each address that the facts of a session tell."""
    return {match[1]: match[2] for fact in facts if (match := _PERSON.fullmatch(fact))}


def owners_of(facts: Iterable[str]) -> dict[str, str]:
    """The owner of each record that the facts of a session tell."""
    return {match[1]: match[2] for fact in facts if (match := _OWNER.fullmatch(fact))}
