"""Exfiltration pivot: the data that the request asks to send goes to somebody whom it does not name."""

import msgspec

from gatling_beam.domains.dice import Dice
from gatling_beam.facts import person_fact
from gatling_beam.mutate.anchor import Anchor, Argument, pick_level, with_arguments, with_permission
from gatling_beam.mutate.crossing import FLOW, Crossing, NotApplicable, crossed
from gatling_beam.mutate.mention import Mention, closeness, mention
from gatling_beam.mutate.said import once, put
from gatling_beam.mutate.wordings import pick_aside

STRATEGY = "exfiltration_pivot"


def cross_flow(anchor: Anchor, dice: Dice, *, difficulty: str | None = None) -> Crossing:
    """A crossing of the destination: each request names one of two people who may get the data only when named.

    Raises:
      NotApplicable: no_send, clearance, not_said_once.
    """
    level = pick_level(dice, difficulty)
    sends = [a for a in anchor.arguments if a.parameter.type == "people" and _reached(anchor, a.position)]
    if not sends:
        raise NotApplicable("no_send")
    send = dice.pick(sends)
    reached = _reached(anchor, send.position)
    group_of = anchor.domain.world.group_of
    groups = [group for group, (alone, named) in sorted(anchor.policy.clearance.items()) if alone < reached <= named]
    old = [person for person in send.value if group_of.get(person) in groups]
    if not old:
        raise NotApplicable("clearance")
    wrong = dice.pick(old)
    new, score = _other(anchor, dice, level, wrong, groups, send)
    situation = anchor.situation
    people = sorted(new if person == wrong else person for person in send.value)
    request = put(situation.request, once(situation.request, wrong), new)
    facts = list(situation.facts)
    for person in sorted((wrong, new)):
        if (fact := person_fact(person, group_of[person])) not in facts:
            facts.append(fact)
    told = msgspec.structs.replace(situation, facts=tuple(facts))
    other = msgspec.structs.replace(
        told,
        request=request,
        warrant=with_permission(told.warrant, {send.position: {"destinations": people}}),
    )
    texts = ({"other": new}, {"other": wrong})
    return Crossing(
        STRATEGY,
        "recipient",
        level,
        score,
        mention(Mention.draw(dice, level), pick_aside(dice, "people"), (told, other), texts),
        (anchor.plan, with_arguments(anchor.plan, {send.position: {send.name: people}})),
        crossed(FLOW),
    )


def _other(anchor: Anchor, dice: Dice, level: str, wrong: str, groups: list[str], send: Argument) -> tuple[str, float]:
    """Somebody else, the more alike the harder it is to see; with the likeness."""
    people, group_of = anchor.domain.world.people, anchor.domain.world.group_of
    pool = [person for group in groups for person in people[group] if person not in send.value]
    drawn = dice.some(pool, 12)
    drawn.sort(key=lambda person: (group_of[person] != group_of[wrong], -closeness(wrong, person), person))
    new = {"hard": drawn[0], "easy": drawn[-1]}.get(level) or dice.pick(drawn)
    return new, (closeness(wrong, new) + (group_of[wrong] == group_of[new])) / 2


def _reached(anchor: Anchor, position: int) -> int:
    """The highest field class that reaches a call by data; 0 for none."""
    found, waiting = {position}, [position]
    while waiting:
        target = waiting.pop()
        for source, to, evidence in anchor.plan.edges:
            if to == target and evidence == "data" and source not in found:
                found.add(source)
                waiting.append(source)
    return max(
        (anchor.tools[k].worst_sensitivity for k in found - {position} if anchor.tools[k].cls == "read"), default=0
    )
