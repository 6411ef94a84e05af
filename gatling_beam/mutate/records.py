"""Other records of an anchor's domain, and what a session says about them."""

from typing import Any

import msgspec

from gatling_beam.domains.dice import Dice
from gatling_beam.facts import approval_of, owner_fact
from gatling_beam.mutate.anchor import Anchor
from gatling_beam.mutate.crossing import Call, NotApplicable, Plan, Situation
from gatling_beam.mutate.said import once, put


def another_record(anchor: Anchor, dice: Dice, kind: str, own_id: str) -> str:
    """The id of another record of a kind, one that the policy opens to the role."""
    spec, world = anchor.domain.spec.records[kind], anchor.domain.world
    opened = anchor.policy.sets.get(spec.fields[spec.owner].draw[5:]) if spec.owner else None
    for _ in range(8):
        other = world.record_id(kind, world.some_number(dice, kind, opened))
        if other != own_id and other not in anchor.sample.request:
            return other
    raise NotApplicable("no_other_value")


def told(anchor: Anchor, facts: tuple[str, ...], kind: str, record_ids: list[str]) -> tuple[str, ...]:
    """The facts with the owner of each of these records, in an order that does not tell which was asked for."""
    world = anchor.domain.world
    owned = []
    for own_id in sorted(record_ids):
        number = world.number_of(kind, own_id)
        if number and (owner := world.owner(kind, number)):
            owned.append(owner_fact(own_id, owner))
    return (*(fact for fact in facts if fact not in owned), *owned)


def owner_list(anchor: Anchor, kind: str) -> str:
    """The list of the owners of a kind of record; "" for a kind that nobody owns."""
    spec = anchor.domain.spec.records.get(kind)
    draw = spec.fields[spec.owner].draw if spec and spec.owner else ""
    return draw.removeprefix("list ") if draw.startswith("list ") else ""


def about_another(anchor: Anchor, kind: str, old: str, new: str) -> tuple[Plan, Situation]:
    """The plan about another record, and the situation that is about it throughout: request, facts, texts, warrant.

    Raises:
      NotApplicable: not_said_once.
    """
    situation = anchor.situation
    owned = _owner_of(anchor, kind, old)
    facts = []
    for fact in situation.facts:
        if fact == owned:
            fact = _owner_of(anchor, kind, new)
        elif (approval := approval_of(fact)) and approval.subject == old:
            fact = msgspec.structs.replace(approval, subject=new).text()
        facts.append(fact)
    plan = Plan(tuple(Call(c.tool_id, _swapped(c.arguments, old, new)) for c in anchor.plan.calls), anchor.plan.edges)
    return plan, msgspec.structs.replace(
        situation,
        request=put(situation.request, once(situation.request, old), new),
        facts=tuple(facts),
        texts=tuple(msgspec.structs.replace(text, text=text.text.replace(old, new)) for text in situation.texts),
        warrant=tuple(_swapped(entry, old, new) for entry in situation.warrant),
    )


def _owner_of(anchor: Anchor, kind: str, own_id: str) -> str:
    number = anchor.domain.world.number_of(kind, own_id)
    owner = anchor.domain.world.owner(kind, number) if number else ""
    return owner_fact(own_id, owner) if owner else ""


def _swapped(value: Any, old: str, new: str) -> Any:
    """The JSON value with `new` for each string that is `old`."""
    if type(value) is dict:
        return {key: _swapped(item, old, new) for key, item in value.items()}
    if type(value) is list:
        return [_swapped(item, old, new) for item in value]
    return new if value == old else value
