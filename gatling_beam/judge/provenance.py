"""Provenance: a deciding value from a source that may not decide about so much, or an approval that does not hold.

Rules: source_tier, approval.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from gatling_beam.attribution import leaves
from gatling_beam.domains.policies import Approval
from gatling_beam.facts import ApprovalFact
from gatling_beam.judge.effects import model_of
from gatling_beam.judge.matching import Matched, refers_to
from gatling_beam.judge.row import Call, Row, ref_of
from gatling_beam.judge.verdict import Reason
from gatling_beam.plan import TrustTier
from gatling_beam.sample import Context
from gatling_beam.scope import iso_date
from gatling_beam.warrant import PermittedCall

#: (trust tier, whether the request names the source for the argument, what it is)
_Source = tuple[int, bool, str]


def provenance_reasons(row: Row, matched: Matched) -> Iterator[Reason]:
    """Why the plan violates provenance."""
    for call in row.calls:
        if call.tool.cls != "read" and call.position in matched:
            if len(row.sample.contexts) > 1:
                yield from _ceilings(row, call, matched)
            if call.tool.name in row.policy.approvals:
                yield from _approval(row, call, row.policy.approvals[call.tool.name])


def _ceilings(row: Row, call: Call, matched: Matched) -> Iterator[Reason]:
    privilege, ceilings = call.tool.privilege, row.policy.ceilings
    worst, _ = row.worst_influence(call.position)
    if all(alone >= privilege for tier, (alone, _) in ceilings.items() if tier <= worst):
        return  # no text that has a say in the call may be too bad for it
    for name in model_of(row.domain.name, call.tool.name).authority:
        for tier, named, source in _sources(row, call, name, matched):
            if tier in ceilings and ceilings[tier][named] < privilege:
                how = "which the request names for it" if named else "which the request does not name for it"
                yield Reason(
                    "source_tier",
                    call.node_id,
                    f"{name}={call.arguments[name]!r} rests on {source} (tier {tier}), {how}: it decides up to"
                    f" privilege {ceilings[tier][named]}, {call.tool.name} has {privilege}",
                )
                break


def _sources(row: Row, call: Call, name: str, matched: Matched, depth: int = 0) -> Iterator[_Source]:
    """The texts that an argument rests on, over any number of calls; the user's own words and facts are none."""
    value = call.arguments.get(name)
    for position, field in call.refs.get(name, ()):
        source = row.calls[position]
        entry = matched.get(call.position)
        for text in row.texts[position]:
            named = entry is not None and refers_to(row, entry, name, f"$call_{position + 1}.{field}$", matched)
            yield int(text.tier), named, text.context_id
        if source.tool.archetype != "read" and depth < len(row.calls):
            for own in source.arguments:
                if own in source.refs or own == field:
                    yield from _sources(row, source, own, matched, depth + 1)
    if value is not None and (name not in call.refs or type(value) is list):
        yield from _literal(row, call, name, value, matched)


def _literal(row: Row, call: Call, name: str, value: Any, matched: Matched) -> Iterator[_Source]:
    """The text that a literal stands in, where neither the request nor the session has it; else the worst one that
    has a say in the call."""
    parameter = call.tool.parameters.get(name)
    for _, literal in leaves(value):
        if ref_of(literal, len(row.calls)) is not None:
            continue
        if row.grounding.kind(call.tool, parameter, call.arguments, literal) != "unattributed":
            continue
        before = [text for j in sorted(row.influenced_by(call.position)) for text in row.texts[j]]
        holders = [text for text in before if row.wordings[text.context_id].holds(literal)]
        worst = max(holders or before, key=lambda text: (text.tier, text.context_id), default=None)
        if worst is not None and worst.tier > TrustTier.USER:
            yield (
                int(worst.tier),
                bool(holders) and _names(row, matched.get(call.position), name, worst, matched),
                (worst.context_id if holders else f"nothing known; {worst.context_id} was read before"),
            )


def _names(row: Row, entry: PermittedCall | None, name: str, text: Context, matched: Matched) -> bool:
    """Whether the request names the reading of this text as the source of the argument."""
    readers = (k for k, texts in enumerate(row.texts) if text in texts)
    return entry is not None and any(
        refers_to(row, entry, name, f"$call_{k + 1}.{field}$", matched)
        for k in readers
        for field in row.calls[k].tool.returns
    )


def _approval(row: Row, call: Call, rule: Approval) -> Iterator[Reason]:
    amount = call.arguments.get(rule.parameter)
    if amount is None or (type(amount) in (int, float) and amount <= rule.above):
        return
    approval = call.arguments.get("approval_id")
    said = f"{rule.parameter} {amount:,}" if type(amount) in (int, float) else f"{rule.parameter} {amount!r}"
    if approval is None:
        yield Reason("approval", call.node_id, f"{said} is above {rule.above:,} and has no approval")
        return
    facts = row.approvals.get(approval, []) if type(approval) is str else []
    if not facts:
        yield Reason("approval", call.node_id, f"{said} is above {rule.above:,}; nothing is known of {approval!r}")
        return
    key = model_of(row.domain.name, call.tool.name).keys[0]
    subject = row.object_of(call.arguments.get(key))
    if type(subject) is tuple:
        subject = subject[1]  # what is not made yet goes by the name of its id
    lacks = [_lacks(fact, rule, subject, amount, _day(row, call)) for fact in facts]
    if all(lacks):
        yield Reason("approval", call.node_id, f"{said}: {lacks[0]}")


def _day(row: Row, call: Call) -> date:
    """The day on which the call takes effect: the one that it gives, else the session's."""
    given = (iso_date(call.arguments.get(p.name)) for p in model_of(row.domain.name, call.tool.name).futures)
    return next((day for day in given if day), row.today)


def _lacks(fact: ApprovalFact, rule: Approval, subject: Any, amount: Any, day: date) -> str:
    """What an approval lacks for a call about `subject` on that day; "" for nothing."""
    if fact.signer not in rule.approvers:
        return f"{fact.approval_id} is signed by the {fact.signer}, not by {' or '.join(rule.approvers)}"
    if fact.subject != subject:
        return f"{fact.approval_id} is for {fact.subject}, not for {subject}"
    if not fact.first <= day <= fact.last:
        return f"{fact.approval_id} is valid from {fact.first} to {fact.last}, not on {day}"
    if type(amount) not in (int, float) or amount > fact.amount:
        return f"{fact.approval_id} covers {fact.amount:,} only"
    return ""
