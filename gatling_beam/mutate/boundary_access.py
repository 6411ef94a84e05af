"""Boundaries of access: a value that the policy opens against one that it does not, crossed both ways."""

from typing import Any

import msgspec

from gatling_beam.domains.dice import Dice
from gatling_beam.mutate.anchor import Anchor, Argument, with_arguments, with_permission
from gatling_beam.mutate.boundary_cells import Asked, Rules, both_ways, variant
from gatling_beam.mutate.crossing import SCOPE, Crossing, NotApplicable
from gatling_beam.mutate.mention import closeness
from gatling_beam.mutate.records import about_another, owner_list
from gatling_beam.mutate.said import say_words

STRATEGY = "access_boundary"
_SELECTS = ("search", "summarize")


def access_boundary(anchor: Anchor, dice: Dice) -> Crossing:
    """A value of a list, or a record of an owner, that one policy opens and the other does not: hard.

    Both policies open equally many values; they differ in the two at stake.

    Raises:
      NotApplicable: no_set, no_other_value, not_said_once.
    """
    found = [a for a in anchor.arguments if (words := _words(anchor, a)) and not _takes_all(anchor, words)]
    if not found:
        raise NotApplicable("no_set")
    chosen = dice.pick(found)
    words = _words(anchor, chosen)
    own = _value(anchor, chosen)
    kept = {_value(anchor, a) for a in anchor.arguments if _words(anchor, a) == words and a.value != chosen.value}
    kept |= _owners_in_texts(anchor, words, chosen.value)
    said = anchor.domain.spec.lists[words]
    options = [value for value in said if value != own and value not in kept]
    if own in kept or not options:
        raise NotApplicable("no_other_value")
    other = dice.pick(options)
    is_record = chosen.parameter.type == "id"
    second = _of_owner(anchor, dice, chosen, other) if is_record else _with_value(anchor, chosen, other)
    rest = [value for value in said if value not in kept and value not in (own, other)]
    size = min(len(anchor.policy.sets[words]), len(said) - 1)
    shared = kept.union(dice.some(rest, max(0, size - 1 - len(kept))))
    rules = tuple(Rules(variant(anchor, {words: frozenset((*shared, value))})) for value in (own, other))
    situations, plans, cells = both_ways((rules[0], rules[1]), (Asked(anchor.plan, anchor.situation), second), SCOPE)
    return Crossing(
        STRATEGY,
        f"{'owner' if is_record else 'set'}:{words}",
        "hard",
        (2 + closeness(said[own], said[other])) / 3,
        situations,
        plans,
        cells,
        distance=1.0,
        rule=f"set_{words}",
    )


def _words(anchor: Anchor, a: Argument) -> str:
    """The list that decides whether the policy opens what an argument names; "" for none."""
    p = a.parameter
    if p.type == "id":
        words = owner_list(anchor, p.of) if p.key else ""
    else:
        is_choice = p.type == "enum" and not p.key and p.role != "format" and p.dimension != "destination"
        words = p.of if is_choice else ""
    return words if words in anchor.policy.sets else ""


def _value(anchor: Anchor, a: Argument) -> str:
    """The value of the list that an argument names, or whose its record is."""
    if a.parameter.type != "id":
        return str(a.value)
    return anchor.domain.world.owner(a.parameter.of, anchor.domain.world.number_of(a.parameter.of, a.value) or 0)


def _takes_all(anchor: Anchor, words: str) -> bool:
    """Whether a call takes all values of the list, by a filter that it leaves out."""
    for call, tool in zip(anchor.plan.calls, anchor.tools, strict=True):
        if tool.archetype in _SELECTS:
            record = anchor.domain.spec.records[tool.record]
            if owner_list(anchor, tool.record) == words and record.owner not in call.arguments:
                return True
            if any(p.of == words and p.type == "enum" and n not in call.arguments for n, p in tool.parameters.items()):
                return True
    return False


def _owners_in_texts(anchor: Anchor, words: str, but: Any) -> set[str]:
    """The owners of the records that retrieved texts name."""
    owners, world = set(), anchor.domain.world
    for kind in anchor.domain.spec.records:
        if owner_list(anchor, kind) == words:
            for text in anchor.situation.texts:
                for token in text.text.split():
                    own_id = token.strip(".,;:!?\"'()")
                    number = world.number_of(kind, own_id)
                    if number and own_id != but:
                        owners.add(world.owner(kind, number))
    return owners


def _with_value(anchor: Anchor, chosen: Argument, new: str) -> Asked:
    """What is asked with another value of the list in the place of the chosen one, wherever that stands."""
    situation = anchor.situation
    changes: dict[int, dict[str, Any]] = {}
    permission: dict[int, dict[str, Any]] = {}
    for a in anchor.arguments:
        if a.value == chosen.value and a.parameter.of == chosen.parameter.of and a.parameter.type == "enum":
            changes.setdefault(a.position, {})[a.name] = new
            sets = situation.warrant[a.position]["sets"]
            if a.name in sets:
                earlier = permission.get(a.position, {"sets": sets})["sets"]
                permission[a.position] = {"sets": {**earlier, a.name: [new]}}
    request = say_words(situation.request, anchor.domain.name, chosen.parameter, chosen.value, new)
    return Asked(
        with_arguments(anchor.plan, changes),
        msgspec.structs.replace(situation, request=request, warrant=with_permission(situation.warrant, permission)),
    )


def _of_owner(anchor: Anchor, dice: Dice, chosen: Argument, owner: str) -> Asked:
    """What is asked about another record, which is the owner's."""
    world, kind = anchor.domain.world, chosen.parameter.of
    new = world.record_id(kind, world.some_number(dice, kind, frozenset((owner,))))
    return Asked(*about_another(anchor, kind, chosen.value, new))
