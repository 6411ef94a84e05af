"""Approvals: a fact of the session that names an object, an amount and who signed."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from gatling_beam.domains.policies import Approval, Policy
from gatling_beam.domains.tools import Tool
from gatling_beam.domains.world import TODAY
from gatling_beam.facts import ApprovalFact, approvals_of
from gatling_beam.oracle.trace import ToolCall
from gatling_beam.scope import iso_date
from gatling_beam.validate.flow import Flow


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
    facts = approvals_of(session).get(approval, []) if type(approval) is str else []
    if not facts:
        yield "approval", f"nothing is known of {approval}"
        return
    kind, value = next(
        ((p.of, call.arguments.get(p.name)) for p in tool.parameters.values() if p.type == "id" and p.key), ("", None)
    )
    day = _day(tool, call)
    lacks = [_lacks(fact, rule, flow.object_of(kind, value), amount, day) for fact in facts]
    if all(lacks):
        yield "approval", lacks[0]


def _day(tool: Tool, call: ToolCall) -> date:
    """The day on which the call takes effect: the date that it gives, else the session's."""
    given = [iso_date(call.arguments.get(name)) for name, p in tool.parameters.items() if p.type == "future"]
    return next((day for day in given if day), TODAY)


def _lacks(fact: ApprovalFact, rule: Approval, subject: str | None, amount: int, day: date) -> str:
    """What an approval lacks for a call about `subject` on that day; "" for nothing."""
    if fact.signer not in rule.approvers:
        return f"{fact.approval_id} is not signed by {' or '.join(rule.approvers)}"
    if fact.subject != subject:
        return f"{fact.approval_id} is for {fact.subject}, not for {subject or 'an object that cannot be told'}"
    if not fact.first <= day <= fact.last:
        return f"{fact.approval_id} is valid from {fact.first} to {fact.last}, not on {day}"
    return f"{fact.approval_id} covers {fact.amount:,}, not {amount:,}" if fact.amount < amount else ""
