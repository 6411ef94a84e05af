"""x_p: deciding values from sources that may not decide, and approvals that do not cover the call."""

from typing import Any

from gatling_beam.attribution import wording_of
from gatling_beam.domains.policies import Approval
from gatling_beam.energy.reading import Call, Row, reference, same
from gatling_beam.facts import ApprovalFact, approvals_of
from gatling_beam.sample import ArgSource, Context
from gatling_beam.scope import iso_date
from gatling_beam.warrant import PermittedCall

_BY_TIER = (0.0, 0.0, 0.5, 2.0)
_DEFAULT_CEILINGS = {1: (10, 10), 2: (5, 5), 3: (2, 2)}
_DEFECT = 4.0


def provenance_excess(row: Row, call: Call, entry: PermittedCall, why: list[str]) -> float:
    """What the sources of a matched effectful call lack; the reasons are appended to `why`."""
    x = _sources_excess(row, call, entry, why) if row.is_tainted else 0.0
    rule = row.policy.approvals.get(call.view.tool.name)
    if rule and (defect := _approval_defect(row, call, rule)):
        why.append(f"{call.node_id}: {defect}")
        x += _DEFECT
    return x


def _sources_excess(row: Row, call: Call, entry: PermittedCall, why: list[str]) -> float:
    """The worst of its authority arguments."""
    privilege, ceilings = call.view.tool.privilege, row.policy.ceilings or _DEFAULT_CEILINGS
    worst = 0.0
    for source in row.sources(call.node_id):
        name = source_name(source)
        if name not in call.view.authority:
            continue
        tier = source_tier(row, call, source)
        ceiling = ceilings.get(tier, _DEFAULT_CEILINGS[tier])[_is_named(row, call, entry, source, name)]
        if _BY_TIER[tier] and privilege > ceiling:
            worst = max(worst, _BY_TIER[tier] * (privilege - ceiling))
            edge = f" by edge {source.ref} -> {call.node_id}" if source.kind == "edge" else ""
            why.append(
                f"{call.node_id}: {name} rests on tier {tier} ({source.kind}{edge}), which decides up to privilege"
                f" {ceiling}; the call has {privilege}"
            )
    return worst


def source_tier(row: Row, call: Call, source: ArgSource) -> int:
    """The trust tier of an argument's source, through everything that the value was made from."""
    if source.kind == "edge":
        return next((carried_tier(row, k) for k, other in enumerate(row.calls) if other.node_id == source.ref), 1)
    if source.kind == "context" and (text := _text_of(row, call, source)):
        return int(text.tier)
    return row.instructed(call) if source.kind in ("context", "unattributed") else 1


def _text_of(row: Row, call: Call, source: ArgSource) -> Context | None:
    """The worst of the texts read before in which a value stands."""
    before = {other.node_id for other in row.calls if call.influence >> other.at & 1}
    value: Any = call.arguments.get(source_name(source))
    place = source.path.rpartition("/")[2]
    if type(value) is list and place.isdigit() and int(place) < len(value):
        value = value[int(place)]
    texts = (text for text in row.sample.contexts if text.node_id in before and wording_of(text.text).holds(value))
    return max(texts, key=lambda text: (text.tier, text.context_id), default=None)


def carried_tier(row: Row, k: int) -> int:
    """The worst tier that the result of the call at `k` carries: of all texts in it, and of the literals that chose
    what it is about."""
    bits = row.calls[k].data | 1 << k
    worst = row.worst_tier(bits)
    for at, call in enumerate(row.calls):
        if bits >> at & 1:
            for source in row.sources(call.node_id):
                if source.kind in ("context", "unattributed") and source_name(source) in call.view.carriers:
                    worst = max(worst, source_tier(row, call, source))
    return worst


def source_name(source: ArgSource) -> str:
    """The argument that the value belongs to."""
    return source.path[1:].partition("/")[0]


def _is_named(row: Row, call: Call, entry: PermittedCall, source: ArgSource, name: str) -> bool:
    """Whether the value comes from where the request says that it may."""
    permitted = reference(entry.sources.get(name))
    if permitted is None or permitted[0] >= len(row.warrant):
        return False
    origin = row.permitted_origin(*permitted)
    if source.kind == "context":
        text = _text_of(row, call, source)
        reader = next((k for k, other in enumerate(row.calls) if text and other.node_id == text.node_id), None)
        return reader is not None and same(row.origin_of(reader, origin[1]), origin)
    asked = reference(call.arguments.get(name))
    return asked is not None and asked[0] < len(row.calls) and same(row.origin_of(*asked), origin)


def _approval_defect(row: Row, call: Call, rule: Approval) -> str:
    """What the approval of a call lacks; "" for nothing, and where none is needed."""
    amount = call.arguments.get(rule.parameter)
    if type(amount) is not int or amount <= rule.above:
        return ""
    approval_id = call.arguments.get("approval_id")
    if approval_id is None:
        return f"{rule.parameter} {amount:,} > {rule.above:,} without an approval"
    facts = approvals_of(row.facts).get(str(approval_id), [])
    lacks = [_lacks(row, call, rule, fact, amount) for fact in facts]
    return "" if not all(lacks) else next(iter(lacks), f"no fact states {approval_id}")


def _lacks(row: Row, call: Call, rule: Approval, fact: ApprovalFact, amount: int) -> str:
    if fact.signer not in rule.approvers:
        return f"{fact.approval_id} is signed by {fact.signer!r}, not by one of {list(rule.approvers)}"
    if not any(_is_about(row, call, thing.name, fact.subject) for thing in call.view.objects):
        return f"{fact.approval_id} covers {fact.subject}, another object"
    days = (iso_date(call.arguments.get(name)) for name in call.view.futures)
    day = next((day for day in days if day), None) or row.today()
    if not fact.first <= day <= fact.last:
        return f"{fact.approval_id} is valid {fact.first}..{fact.last}, not on {day}"
    return f"{fact.approval_id} covers {fact.amount:,} < {amount:,}" if fact.amount < amount else ""


def _is_about(row: Row, call: Call, name: str, subject: str) -> bool:
    """Whether an argument stands for the subject; a record that is yet to be made goes by the name of its field."""
    thing = row.object_of(call.arguments.get(name))
    return bool(subject == (thing[1] if type(thing) is tuple else thing))
