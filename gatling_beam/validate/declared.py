"""Declared metadata: the shape that readers of traces rely on, and whether what is declared is true of the calls."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.spec import INTENTS, REGISTERS, RecordSpec
from gatling_beam.hashing import content_hash
from gatling_beam.oracle.trace import GoldTrace, ToolCall
from gatling_beam.plan import TrustTier, tier_of_source_type
from gatling_beam.validate.problem import Problem
from gatling_beam.validate.schema import REFERENCE, tool_of
from gatling_beam.warrant import PermittedCall

#: What an edge of a gold trace may rest on: a result that is passed on, a listed order, a condition.
EVIDENCE = ("data", "turn", "control")
SOURCE_TYPES = ("system", "user", "verified_rag", "unverified_rag")


class RetrievedText(msgspec.Struct, gc=False):
    """An entry of metadata["contexts"]: a text that the call `node_id` reads."""

    context_id: str
    source_type: str
    tier: int
    content_hash: str
    text: str
    channel: str
    node_id: str


class Declared(msgspec.Struct, gc=False):
    """The metadata that every gold trace has; more keys may stand beside them."""

    domain: str
    world_id: str
    pattern: str
    register: str
    user_role: str
    session: list[str]
    edges: list[tuple[str, str, str]]
    warrant: list[PermittedCall]
    contexts: list[RetrievedText]
    oracle: str


_KEYS = Declared.__struct_fields__


def shape_problems(metadata: dict[str, Any]) -> Iterator[Problem]:
    """Faults of the rules metadata_missing and metadata_invalid."""
    if missing := [name for name in _KEYS if name not in metadata]:
        yield Problem("metadata_missing", "", ", ".join(missing))
        return
    try:
        msgspec.convert(metadata, Declared)
    except msgspec.ValidationError as e:
        yield Problem("metadata_invalid", "", str(e))


def declared_problems(trace: GoldTrace) -> Iterator[Problem]:
    """Faults of the rules wrong_metadata_domain, wrong_world, wrong_role, unknown_intent, unknown_register, bad_time,
    unknown_source_type, wrong_source, edges_wrong, unknown_evidence, evidence_untrue, pattern_untrue, context_missing,
    context_unknown, context_changed and wrong_tier.

    The trace's structure, schema and metadata's shape must be sound.
    """
    metadata, request = trace.metadata, trace.request
    which = domain(request.domain)
    if metadata["domain"] != which.name:
        yield Problem("wrong_metadata_domain", "", f"{metadata['domain']!r}, the request is about {which.name}")
    if metadata["world_id"] != which.world.world_id:
        yield Problem("wrong_world", "", f"{metadata['world_id']!r} is not {which.world.world_id!r}")
    policy = which.policy_by_id.get(trace.policy.policy_id)
    if policy and metadata["user_role"] != policy.role:
        yield Problem("wrong_role", "", f"{metadata['user_role']!r}, the policy is that of {policy.role!r}")
    if request.intent_category not in INTENTS:
        yield Problem("unknown_intent", "", f"{request.intent_category!r} is not one of {', '.join(INTENTS)}")
    if metadata["register"] not in REGISTERS:
        yield Problem("unknown_register", "", f"{metadata['register']!r} is not one of {', '.join(REGISTERS)}")
    if not _is_time(trace.created_at):
        yield Problem("bad_time", "", f"created_at={trace.created_at!r} is no ISO 8601 date-time")
    yield from _sources(trace)
    yield from _edges(trace)
    yield from _contexts(which, trace)


@lru_cache(maxsize=1 << 10)
def _is_time(text: str) -> bool:
    try:
        msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return False
    return True


def _sources(trace: GoldTrace) -> Iterator[Problem]:
    """The user asks for the calls; a call that a retrieved text asks for must say so with that text's own type."""
    asked_by = trace.request.trust_tier
    if asked_by not in SOURCE_TYPES:
        yield Problem("unknown_source_type", "", f"trust_tier={asked_by!r} is not one of {', '.join(SOURCE_TYPES)}")
    elif tier_of_source_type(asked_by) is not TrustTier.USER:
        yield Problem("wrong_source", "", f"a request is the user's, not {asked_by}")
    retrieved: dict[str, str] = {entry["context_id"]: entry["source_type"] for entry in trace.metadata["contexts"]}
    for call in trace.graph.calls:
        own = call.provenance
        if own.source_type not in SOURCE_TYPES:
            yield Problem("unknown_source_type", call.call_id, f"{own.source_type!r} is none of {SOURCE_TYPES}")
        elif tier_of_source_type(own.source_type) is not TrustTier.USER or own.source_id in retrieved:
            known = retrieved.get(own.source_id)
            if own.source_type != known:
                yield Problem("wrong_source", call.call_id, f"{own.source_id!r} is {known}, not {own.source_type}")
        if not _is_time(own.timestamp):
            yield Problem("bad_time", call.call_id, f"timestamp={own.timestamp!r} is no ISO 8601 date-time")


def _edges(trace: GoldTrace) -> Iterator[Problem]:
    edges, calls = trace.metadata["edges"], trace.graph.calls
    declared = sorted((source, target) for source, target, _ in edges)
    actual = sorted((source, call.call_id) for call in calls for source in call.dependencies)
    if declared != actual:
        yield Problem("edges_wrong", "", f"{declared} are declared, the dependencies are {actual}")
        return
    feeding = {(source, call.call_id) for call in calls for source in _feeding(call)} if edges else set()
    for source, target, evidence in edges:
        if evidence not in EVIDENCE:
            yield Problem("unknown_evidence", target, f"{evidence!r} is not one of {', '.join(EVIDENCE)}")
        elif (evidence == "data") != ((source, target) in feeding):
            yield Problem("evidence_untrue", target, f"{evidence} from {source!r}")
    shape = _shape(len(calls), edges)
    # A result that decides whether a later call is made may be passed to it as well; its edge is then one of data.
    if trace.metadata["pattern"] not in ((shape, "conditional") if edges else (shape,)):
        yield Problem("pattern_untrue", "", f"{trace.metadata['pattern']!r} is declared, it is {shape!r}")


def _feeding(call: ToolCall) -> Iterator[str]:
    for value in call.arguments.values():
        for item in value if type(value) is list else (value,):
            if type(item) is str and item[:1] == "$" and (match := REFERENCE.fullmatch(item)):
                yield match.group(1)


def _shape(calls: int, edges: list[Any]) -> str:
    """The pattern of a graph, as `domains.plans.pattern_of` names it."""
    if any(evidence == "control" for _, _, evidence in edges):
        return "conditional"
    if calls == 1:
        return "single"
    sources, targets = [edge[0] for edge in edges], [edge[1] for edge in edges]
    outs, ins = len(set(sources)) < len(sources), len(set(targets)) < len(targets)
    if outs and ins:
        return "diamond"
    return "fan-out" if outs else "fan-in" if ins else "chain"


def _contexts(which: Domain, trace: GoldTrace) -> Iterator[Problem]:
    """Each read of a text has the text, once, unchanged, and trusted as the place that it comes from."""
    unread = {(entry["node_id"], entry["context_id"]): entry for entry in trace.metadata["contexts"]}
    if len(unread) < len(trace.metadata["contexts"]):
        yield Problem("context_unknown", "", "a call has the same text twice")
    for call in trace.graph.calls:
        tool = tool_of(which, call.tool_id)
        record = which.spec.records.get(tool.record) if tool and tool.archetype == "read" else None
        if not tool or not record:
            continue
        own_id = call.arguments.get(f"{tool.record}_id")
        entry = unread.pop((call.call_id, str(own_id)), None)
        if entry is None:
            yield Problem("context_missing", call.call_id, f"it reads {own_id}, whose text is not there")
            continue
        if content_hash(entry["text"]) != entry["content_hash"]:
            yield Problem("context_changed", call.call_id, f"the text of {own_id} does not match its content_hash")
        yield from _tier(call, record, entry)
    for node, context in unread:
        yield Problem("context_unknown", node, f"{context!r} is read by no such call")


def _tier(call: ToolCall, record: RecordSpec, entry: dict[str, Any]) -> Iterator[Problem]:
    own_id, source, tier = entry["context_id"], entry["source_type"], entry["tier"]
    if source not in SOURCE_TYPES:
        yield Problem("unknown_source_type", call.call_id, f"{source!r} is none of {', '.join(SOURCE_TYPES)}")
    elif tier_of_source_type(source) != tier:
        yield Problem("wrong_tier", call.call_id, f"{own_id} has tier {tier}, which is not that of {source}")
    elif record.channels.get(entry["channel"]) != tier:
        yield Problem(
            "wrong_tier", call.call_id, f"{own_id} has tier {tier}, which is not that of {entry['channel']!r}"
        )
