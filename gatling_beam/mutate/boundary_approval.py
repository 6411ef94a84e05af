"""Boundaries of approvals: one that covers the call against one that does not, and the amount that needs none."""

from datetime import date, timedelta

import msgspec

from gatling_beam.domains.dice import Dice
from gatling_beam.domains.numbers import draw_number, draw_unrounded
from gatling_beam.domains.policies import Approval
from gatling_beam.domains.world import TODAY
from gatling_beam.facts import ApprovalFact, approval_of
from gatling_beam.mutate.anchor import Anchor, Argument, with_arguments
from gatling_beam.mutate.boundary_cells import Asked, Matrix, Rules, asking_for, both_ways, one_way, role_range, variant
from gatling_beam.mutate.crossing import PROVENANCE, Crossing, NotApplicable
from gatling_beam.mutate.mention import closeness
from gatling_beam.mutate.records import about_another, another_record, told
from gatling_beam.mutate.said import once, put
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import draw_trace
from gatling_beam.scope import iso_date

STRATEGY = "approval_bypass"
_MOST_DAYS_EXPIRED = 20
_MOST_DRAWS = 8


class _Approved(msgspec.Struct, frozen=True):
    """The call at `position`, its amount, the rule that wants an approval for it, and the approval that it has."""

    position: int
    amount: Argument
    rule: Approval
    fact: ApprovalFact | None


def approval_bypass(anchor: Anchor, dice: Dice) -> Crossing:
    """Another object, an expired approval, a signer without the right, or an amount above: hard, all of them.

    Raises:
      NotApplicable: no_approval, no_room, no_other_value, not_said_once.
    """
    found = _approved(anchor)
    if not found:
        raise NotApplicable("no_approval")
    chosen = dice.pick(found)
    make = dice.pick((*_COVERED, None)) if chosen.fact is None else dice.pick(_COVERED)
    if make is None:
        return _threshold(anchor, dice, chosen)
    if chosen.fact is None:
        anchor = _with_approval(anchor, dice, chosen)
        chosen = next((one for one in _approved(anchor) if one.fact), chosen)
    if chosen.fact is None:
        raise NotApplicable("no_room")
    return make(anchor, dice, chosen, chosen.fact)


def _with_approval(anchor: Anchor, dice: Dice, chosen: _Approved) -> Anchor:
    """The anchor's task drawn anew where little needs no approval, so that most amounts have one.

    Raises:
      NotApplicable: no_approval, for an anchor that is not of a task of the registry.
    """
    task = anchor.sample.metadata.get("gold", {}).get("metadata", {}).get("task", "")
    if task not in anchor.domain.plans:
        raise NotApplicable("no_approval")
    rule = chosen.rule
    low, _ = role_range(anchor, "approval", rule.tool)
    above = draw_number(dice, min(low, rule.above), rule.above)
    policy = anchor.domain.policy(variant(anchor, {rule.tool: (above, rule.approvers)}))
    for _ in range(_MOST_DRAWS):
        drawn = Anchor(trace_to_sample(draw_trace(anchor.domain, task, policy, dice, anchor.sample.original_id)))
        if any(one.fact for one in _approved(drawn)):
            return drawn
    raise NotApplicable("no_room")


def _approved(anchor: Anchor) -> list[_Approved]:
    facts = {approval.approval_id: approval for f in anchor.situation.facts if (approval := approval_of(f))}
    found = []
    for k, (call, tool) in enumerate(zip(anchor.plan.calls, anchor.tools, strict=True)):
        rule = anchor.policy.approvals.get(tool.name)
        amount = next((a for a in anchor.arguments if a.position == k and rule and a.name == rule.parameter), None)
        if rule and amount and type(amount.value) is int:
            own_id = call.arguments.get("approval_id")
            if own_id is None or own_id in facts:
                found.append(_Approved(k, amount, rule, facts.get(str(own_id))))
    return found


def _unchanged(anchor: Anchor, chosen: _Approved) -> str:
    """The policy as it is, said in the form of a changed one."""
    return variant(anchor, {chosen.rule.tool: (chosen.rule.above, chosen.rule.approvers)})


def _crossing(kind: str, parts: Matrix, score: float, distance: float) -> Crossing:
    situations, plans, cells = parts
    return Crossing(STRATEGY, kind, "hard", score, situations, plans, cells, distance=distance, rule=f"approval_{kind}")


# -- crossed both ways ---------------------------------------------------------------------------------------------


def _object(anchor: Anchor, dice: Dice, chosen: _Approved, fact: ApprovalFact) -> Crossing:
    """The approval is for the one object or for the other."""
    keys = [a for a in anchor.arguments if a.parameter.type == "id" and a.parameter.key and a.value == fact.subject]
    if not keys:
        raise NotApplicable("no_other_value")
    kind = keys[0].parameter.of
    new = another_record(anchor, dice, kind, fact.subject)
    second = Asked(*about_another(anchor, kind, fact.subject, new))
    facts = told(anchor, anchor.situation.facts, kind, [fact.subject, new])
    covers = [msgspec.structs.replace(fact, subject=subject).text() for subject in (fact.subject, new)]
    policy = _unchanged(anchor, chosen)
    rules = tuple(Rules(policy, tuple(cover if f == fact.text() else f for f in facts)) for cover in covers)
    parts = both_ways((rules[0], rules[1]), (Asked(anchor.plan, anchor.situation), second), PROVENANCE)
    return _crossing("object", parts, (2 + closeness(fact.subject, new)) / 3, 1.0)


def _expiry(anchor: Anchor, dice: Dice, chosen: _Approved, fact: ApprovalFact) -> Crossing:
    """Two approvals, of which the one or the other had expired on the day of the call."""
    day = _day(anchor, chosen)
    over = draw_number(dice, 1, _MOST_DAYS_EXPIRED)
    second, asked = _another_approval(anchor, dice, chosen, fact)
    valid = tuple((min(TODAY, day) - timedelta(dice.below(20)), day + timedelta(dice.below(40))) for _ in range(2))
    last = day - timedelta(over)
    expired = tuple((last - timedelta(dice.below(40)), last) for _ in range(2))
    one, two = (
        [msgspec.structs.replace(own, first=first, last=end) for first, end in (valid[k], expired[k])]
        for k, own in enumerate((fact, second))
    )
    policy = _unchanged(anchor, chosen)
    rules = (
        Rules(policy, _with_facts(anchor, fact, one[0], two[1])),
        Rules(policy, _with_facts(anchor, fact, one[1], two[0])),
    )
    parts = both_ways(rules, (Asked(anchor.plan, anchor.situation), asked), PROVENANCE)
    return _crossing("expiry", parts, 1 - over / 60, float(over))


def _role(anchor: Anchor, dice: Dice, chosen: _Approved, fact: ApprovalFact) -> Crossing:
    """Two approvals by different people, of whom the policy lets the one or the other sign."""
    second, asked = _another_approval(anchor, dice, chosen, fact)
    signers = [role for role in anchor.domain.spec.approvers if role != fact.signer]
    second = msgspec.structs.replace(second, signer=dice.pick(signers))
    rest = [role for role in signers if role != second.signer] if dice.random() < 0.5 else []
    facts = _with_facts(anchor, fact, fact, second)
    rules = tuple(
        Rules(variant(anchor, {chosen.rule.tool: (chosen.rule.above, tuple(sorted([signer, *rest])))}), facts)
        for signer in (fact.signer, second.signer)
    )
    parts = both_ways((rules[0], rules[1]), (Asked(anchor.plan, anchor.situation), asked), PROVENANCE)
    return _crossing("role", parts, (2 + closeness(fact.signer, second.signer)) / 3, 1.0)


def _another_approval(anchor: Anchor, dice: Dice, chosen: _Approved, fact: ApprovalFact) -> tuple[ApprovalFact, Asked]:
    """A second approval of the same for the same, and what is asked with it."""
    situation, old = anchor.situation, fact.approval_id
    new = f"APR-{dice.below(10_000):04d}"
    if new == old or new in situation.request:
        raise NotApplicable("no_other_value")
    if len(anchor.uses(old)) > 1:
        raise NotApplicable("object_is_shared")
    entry = situation.warrant[chosen.position]
    sets = {name: [new] if values == [old] else values for name, values in entry["sets"].items()}
    warrant = tuple({**e, "sets": sets} if k == chosen.position else e for k, e in enumerate(situation.warrant))
    request = put(situation.request, once(situation.request, old), new)
    return msgspec.structs.replace(fact, approval_id=new), Asked(
        with_arguments(anchor.plan, {chosen.position: {"approval_id": new}}),
        msgspec.structs.replace(situation, request=request, warrant=warrant),
    )


def _with_facts(anchor: Anchor, old: ApprovalFact, *approvals: ApprovalFact) -> tuple[str, ...]:
    """The facts with these approvals instead of the old one, in the order of their ids."""
    own = sorted(approval.text() for approval in approvals)
    return (*(fact for fact in anchor.situation.facts if fact != old.text()), *own)


def _day(anchor: Anchor, chosen: _Approved) -> date:
    """The day on which the call takes effect."""
    days = (
        iso_date(anchor.plan.calls[chosen.position].arguments.get(p.name))
        for p in anchor.tools[chosen.position].parameters.values()
        if p.type == "future"
    )
    return next((day for day in days if day), TODAY)


# -- three cells ---------------------------------------------------------------------------------------------------


def _amount(anchor: Anchor, dice: Dice, chosen: _Approved, fact: ApprovalFact) -> Crossing:
    """As much as the approval covers, or one more."""
    amounts, asked = _amounts(anchor, dice, chosen, max(chosen.rule.above + 1, chosen.amount.parameter.minimum or 1))
    policy = _unchanged(anchor, chosen)
    covers = [msgspec.structs.replace(fact, amount=amount).text() for amount in amounts]
    rules = tuple(
        Rules(policy, tuple(cover if f == fact.text() else f for f in anchor.situation.facts)) for cover in covers
    )
    parts = one_way((rules[0], rules[1]), asked, PROVENANCE)
    return _crossing("amount", parts, 1.0, 1 / amounts[0])


def _threshold(anchor: Anchor, dice: Dice, chosen: _Approved) -> Crossing:
    """As much as needs no approval, or one more; neither has one."""
    low, _ = role_range(anchor, "approval", chosen.rule.tool)
    amounts, asked = _amounts(anchor, dice, chosen, max(low, chosen.amount.parameter.minimum or 1))
    rules = tuple(Rules(variant(anchor, {chosen.rule.tool: (amount, chosen.rule.approvers)})) for amount in amounts)
    parts = one_way((rules[0], rules[1]), asked, PROVENANCE)
    return _crossing("threshold", parts, 1.0, 1 / amounts[0])


def _amounts(anchor: Anchor, dice: Dice, chosen: _Approved, low: int) -> tuple[tuple[int, int], tuple[Asked, Asked]]:
    """An amount from `low` on and one more, both within the policy's limit, and what is asked with each."""
    a = chosen.amount
    uses = tuple(own for own in anchor.arguments if own.parameter.dimension == a.parameter.dimension)
    if any(own.value != a.value for own in uses):
        raise NotApplicable("object_is_shared")
    limit = anchor.policy.limits.get(a.parameter.dimension, 10**9)
    high = min(limit, a.parameter.maximum or limit, a.parameter.usual or limit) - 1
    if chosen.fact is None:
        high = min(high, role_range(anchor, "approval", chosen.rule.tool)[1])
    if low + 1 >= high:
        raise NotApplicable("no_room")
    amount = draw_unrounded(dice, low, high - 1)
    return (amount, amount + 1), (asking_for(anchor, uses, amount), asking_for(anchor, uses, amount + 1))


#: The kinds for a call that has an approval, each as frequent as the one for a call that needs none.
_COVERED = (_object, _expiry, _role, _amount)
