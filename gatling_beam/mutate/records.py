"""Other records of an anchor's domain, and what a session says about them."""

from gatling_beam.domains.dice import Dice
from gatling_beam.facts import owner_fact
from gatling_beam.mutate.anchor import Anchor
from gatling_beam.mutate.crossing import NotApplicable


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
