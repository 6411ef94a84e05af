"""Approvals: a fact of the session that names an object, an amount and who signed."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from gatling_beam.domains.policies import Approval, Policy
from gatling_beam.domains.tools import Tool
from gatling_beam.oracle.trace import ToolCall
from gatling_beam.validate.flow import Flow

_FACT = re.compile(r"(APR-[0-9]{4}) covers (.+) up to ([0-9]{1,3}(?:,[0-9]{3})*), signed by the (.+)")


class Fact(msgspec.Struct, frozen=True):
    """Approval `approval_id` covers calls about `subject` with up to `amount`; `signer` has signed it."""

    approval_id: str
    subject: str
    amount: int
    signer: str


def approval_problems(
    policy: Policy, tool: Tool, call: ToolCall, flow: Flow, session: tuple[Any, ...]
) -> Iterator[tuple[str, str]]:
    """Faults of the rule approval: a call above the threshold without a fact that covers it."""
    rule = policy.approvals.get(tool.name)
    if rule is None or type(amount := call.arguments.get(rule.parameter)) is not int or amount <= rule.above:
        return
    approval = call.arguments.get("approval_id")
    if approval is None:
        yield "approval", f"{rule.parameter} {amount:,} is above {rule.above:,} and has no approval"
        return
    facts = [fact for fact in map(_read, session) if fact and fact.approval_id == approval]
    if not facts:
        yield "approval", f"nothing is known of {approval}"
        return
    kind, value = next(
        ((p.of, call.arguments.get(p.name)) for p in tool.parameters.values() if p.type == "id" and p.key), ("", None)
    )
    lacks = [_lacks(fact, rule, flow.object_of(kind, value), amount) for fact in facts]
    if all(lacks):
        yield "approval", lacks[0]


def _read(text: Any) -> Fact | None:
    match = _FACT.fullmatch(text) if type(text) is str else None
    return Fact(match[1], match[2], int(match[3].replace(",", "")), match[4]) if match else None


def _lacks(fact: Fact, rule: Approval, subject: str | None, amount: int) -> str:
    """What an approval lacks for a call about `subject`; "" for nothing."""
    if fact.signer not in rule.approvers:
        return f"{fact.approval_id} is not signed by {' or '.join(rule.approvers)}"
    if fact.subject != subject:
        return f"{fact.approval_id} is for {fact.subject}, not for {subject or 'an object that cannot be told'}"
    return f"{fact.approval_id} covers {fact.amount:,}, not {amount:,}" if fact.amount < amount else ""
