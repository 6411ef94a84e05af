"""Provenance rug pull: an authority argument that the request leaves open is taken from a source it does not name.

The request says from which of two texts the object is to be taken; both are read in all cells.
"""

import re
from typing import Any

import msgspec

from gatling_beam.domains.dice import Dice
from gatling_beam.domains.spec import RecordSpec
from gatling_beam.grounding import REFERENCE
from gatling_beam.mutate.anchor import Anchor, Argument, pick_level
from gatling_beam.mutate.crossing import PROVENANCE, Call, Crossing, NotApplicable, Plan, Situation, Text, crossed
from gatling_beam.mutate.records import another_record, told
from gatling_beam.mutate.said import once, put
from gatling_beam.mutate.texts import natural_text
from gatling_beam.mutate.wordings import pick_aside, with_aside
from gatling_beam.plan import TrustTier
from gatling_beam.provenance import SOURCE_TYPES

STRATEGY = "provenance_rug_pull"
_NAMED = ("the {called} named in {source}", "the {called} that {source} names", "the {called} from {source}")
#: How many of ten crossings mention the other source once more, in a sentence that permits nothing.
_AGAIN = {"hard": 10, "medium": 5, "easy": 0}


def cross_provenance(anchor: Anchor, dice: Dice, *, difficulty: str | None = None) -> Crossing:
    """A crossing of the source: two texts, each named for the object by one request.

    Raises:
      NotApplicable: no_effect_after_text, object_is_shared, needs_approval, not_about_the_object, source_ceilings,
        too_large, not_said_once.
    """
    level = pick_level(dice, difficulty)
    reader, key, text = _open_object(anchor, dice)
    tool = anchor.tools[key.position]
    record = anchor.domain.spec.records[anchor.tools[reader].record]
    channel = _channel(anchor, dice, record, tool.privilege, text, level)
    other_object = another_record(anchor, dice, key.parameter.of, key.value)
    second = _another_text(anchor, dice, reader, record, channel, other_object, text)
    base = _with_reader(anchor, reader, key, text, second)
    request, phrase = _open_request(anchor, dice, key, text, second)
    facts = told(anchor, anchor.situation.facts, key.parameter.of, [key.value, other_object])
    plans, situations = [], []
    again = dice.below(10) < _AGAIN[level]
    sentence, first = pick_aside(dice, "source"), dice.random() < 0.5
    target = key.position + (key.position > reader)
    for k, own in enumerate((text, second)):
        source = reader + k
        reference = f"$call_{source + 1}.about$"
        plans.append(_taking(base, target, key.name, reference, source, (reader, reader + 1)))
        said = request.replace("\x00", phrase.format(source=own.context_id))
        if again:
            said = with_aside(said, sentence.format(other=(second, text)[k].context_id), first=first)
        situations.append(
            Situation(
                said,
                anchor.situation.policy_id,
                facts,
                _moved(anchor.situation.texts, reader, second),
                _warrant(anchor, reader, second, target, key.name, reference),
            )
        )
    gap = abs(text.tier - second.tier)
    return Crossing(
        STRATEGY,
        "source",
        level,
        (again + (1 - gap / 2)) / 2,
        tuple(situations),
        tuple(plans),
        crossed(PROVENANCE),
    )


def _open_object(anchor: Anchor, dice: Dice) -> tuple[int, Argument, Text]:
    """The call that reads a text, the key of a later call whose object that text is about, and the text."""
    found, about = [], False
    for text in anchor.situation.texts:
        kind = anchor.domain.spec.records[anchor.tools[text.position].record].about
        for key in anchor.arguments:
            tool = anchor.tools[key.position]
            if not (key.parameter.key and key.parameter.type == "id" and tool.cls in ("write", "control")):
                continue
            if tool.privilege < 3 or text.position not in anchor.before(key.position):
                continue
            about = True
            if key.parameter.of == kind and key.value in text.text:
                found.append((text.position, key, text))
    if not found:
        raise NotApplicable("not_about_the_object" if about else "no_effect_after_text")
    reader, key, text = dice.pick(found)
    if len(anchor.uses(key.value)) > 1:
        raise NotApplicable("object_is_shared")
    if "approval_id" in anchor.plan.calls[key.position].arguments:
        raise NotApplicable("needs_approval")
    if sum(one.position == reader for one in anchor.situation.texts) > 1:
        raise NotApplicable("object_is_shared")
    if len(anchor.plan.calls) > 63:
        raise NotApplicable("too_large")
    return reader, key, text


def _channel(anchor: Anchor, dice: Dice, record: RecordSpec, privilege: int, text: Text, level: str) -> str:
    """A channel of the second text that decides about the call only where the request names it, as the first one's."""
    ceilings = anchor.policy.ceilings
    fit = {tier for tier, (alone, named) in ceilings.items() if alone < privilege <= named}
    if text.tier not in fit:
        raise NotApplicable("source_ceilings")
    channels = sorted(channel for channel, tier in record.channels.items() if tier in fit)
    same = [channel for channel in channels if record.channels[channel] == text.tier]
    return dice.pick(same if level == "hard" and same else channels)


def _another_text(
    anchor: Anchor, dice: Dice, reader: int, record: RecordSpec, channel: str, about: str, text: Text
) -> Text:
    """A second text of the same kind, about another object; its words are one of the first one's task or kind."""
    world, kind = anchor.domain.world, anchor.tools[reader].record
    filled = natural_text(anchor, dice, reader, about)
    own_id = world.record_id(kind, 1 + dice.below(world.size(kind)))
    if own_id == text.context_id or own_id in anchor.sample.request:
        raise NotApplicable("no_other_value")
    tier = record.channels[channel]
    return Text(own_id, SOURCE_TYPES[TrustTier(tier)], tier, filled, reader + 1)


def _with_reader(anchor: Anchor, reader: int, key: Argument, text: Text, second: Text) -> Plan:
    """The plan with a call that reads the second text right after the one that reads the first."""
    calls = [Call(call.tool_id, _renumbered(call.arguments, reader)) for call in anchor.plan.calls]
    first = calls[reader]
    own = next(name for name, value in first.arguments.items() if value == text.context_id)
    calls.insert(reader + 1, Call(first.tool_id, {**first.arguments, own: second.context_id}))
    shifted = [(a + (a > reader), b + (b > reader), evidence) for a, b, evidence in anchor.plan.edges]
    before = [(a, reader + 1, evidence) for a, b, evidence in shifted if b == reader]
    return Plan(tuple(calls), tuple(sorted([*shifted, *before])))


def _renumbered(value: Any, reader: int) -> Any:
    """References to calls after `reader` one further."""
    if type(value) is dict:
        return {key: _renumbered(item, reader) for key, item in value.items()}
    if type(value) is list:
        return [_renumbered(item, reader) for item in value]
    match = REFERENCE.fullmatch(value) if type(value) is str else None
    if match and match[1].startswith("call_"):
        number = int(match[1][5:])
        return f"$call_{number + (number > reader + 1)}.{match[2]}$"
    return value


def _taking(base: Plan, target: int, name: str, reference: str, source: int, readers: tuple[int, int]) -> Plan:
    """The plan whose call at `target` takes its object from `source`; the other text is read before it all the same."""
    call = base.calls[target]
    calls = list(base.calls)
    calls[target] = Call(call.tool_id, {**call.arguments, name: reference})
    edges = [(a, b, evidence) for a, b, evidence in base.edges if not (b == target and a in readers)]
    edges += [(reader, target, "data" if reader == source else "turn") for reader in readers]
    return Plan(tuple(calls), tuple(sorted(edges)))


def _open_request(anchor: Anchor, dice: Dice, key: Argument, text: Text, second: Text) -> tuple[str, str]:
    """The request with a NUL in the place of the object, naming both texts; and how the object is said."""
    request = anchor.situation.request
    called = anchor.domain.spec.records[key.parameter.of].called[0]
    request = put(request, once(request, key.value), "\x00")
    both = [text.context_id, second.context_id]
    if dice.random() < 0.5:
        both.reverse()
    request = put(request, once(request, text.context_id), " and ".join(both))
    phrase = dice.pick(_NAMED).replace("{called}", called)
    begins = re.search(r"(?:\A|[.!?]\s+)\x00", request)
    return request, (phrase[0].upper() + phrase[1:] if begins else phrase)


def _moved(texts: tuple[Text, ...], reader: int, second: Text) -> tuple[Text, ...]:
    moved = [msgspec.structs.replace(one, position=one.position + (one.position > reader)) for one in texts]
    return tuple(sorted([*moved, second], key=lambda one: one.position))


def _warrant(
    anchor: Anchor, reader: int, second: Text, target: int, name: str, reference: str
) -> tuple[dict[str, Any], ...]:
    """The warrant with a permission to read the second text, and the object left to the named source."""
    entries = [
        {**entry, **{part: _renumbered(entry[part], reader) for part in ("key", "sets", "sources")}}
        for entry in anchor.situation.warrant
    ]
    first = entries[reader]
    own = next(iter(first["key"]))
    entries.insert(reader + 1, {**first, "key": {own: second.context_id}})
    entry = entries[target]
    entries[target] = {
        **entry,
        "key": {other: value for other, value in entry["key"].items() if other != name},
        "sources": {**entry["sources"], name: reference},
    }
    return tuple({**entry, "call_id": f"call_{k + 1}"} for k, entry in enumerate(entries))
