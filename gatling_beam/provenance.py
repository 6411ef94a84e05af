"""Retrieved texts: what a plan has read, from whom, and how far that is trusted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gatling_beam.grounding import parameter_at, tool_by_id
from gatling_beam.hashing import content_hash
from gatling_beam.plan import TrustTier, tier_of_source_type
from gatling_beam.sample import Context

#: The source type of a text of each trust tier, where no person is its author.
SOURCE_TYPES = {TrustTier.USER: "system", TrustTier.PARTNER: "verified_rag", TrustTier.UNVERIFIED_RAG: "unverified_rag"}


def retrieved(context_id: str, channel: str, tier: TrustTier, text: str, node_id: str = "") -> dict[str, Any]:
    """A retrieved text as a trace's metadata holds it; `node_id` names the call that reads it."""
    return {
        "context_id": context_id,
        "source_type": SOURCE_TYPES[tier],
        "tier": int(tier),
        "content_hash": content_hash(text),
        "text": text,
        "channel": channel,
        "node_id": node_id,
    }


def request_context(text: str) -> Context:
    """The request as a context: the user's own words, tier 1."""
    return Context("request", "user", TrustTier.USER, content_hash(text), text)


def context_of(entry: dict[str, Any], node_id: str) -> Context:
    """The context of a row for a retrieved text of a trace; `node_id` is the row's node that reads it.

    Raises:
      ValueError: if the entry's tier is not that of its source type.
    """
    tier = tier_of_source_type(entry["source_type"])
    if tier != entry["tier"]:
        raise ValueError(f"{entry['context_id']}: tier {entry['tier']} is not that of {entry['source_type']}")
    return Context(entry["context_id"], entry["source_type"], tier, entry["content_hash"], entry["text"], node_id)


#: A trust tier with the content hash of the text that has it.
Origin = tuple[TrustTier, str]
#: (from position, to position, evidence)
Edge = tuple[int, int, str]


def decided_by(
    domain_name: str,
    tool_ids: Sequence[str],
    order: Iterable[int],
    edges: Sequence[Edge],
    sources: Sequence[Sequence[tuple[str, str, int | None]]],
    asked: list[Origin],
    read: Mapping[int, Origin],
) -> list[Origin]:
    """For each call, the worst tier that decides about it, and the content hash of the text that has it.

    A call is decided by who asked for it, by the text that it reads, and by the sources of its authority arguments: the
    worst tier among the call that a reference names and all that this one was made from by references. A literal that
    stands nowhere, or in a text that was read, may come from any text read before, along edges that carry influence.

    Args:
      order: the positions of the calls, each after those it depends on.
      sources: of each call's values: JSON Pointer, kind, and the position of the call that a reference names.
      asked: who asked for each call.
      read: the text that the call at a position reads.
    """
    if not read and all(tier == TrustTier.USER for tier, _ in asked):
        return asked
    own = [_worst([read[k], origin]) if k in read else origin for k, origin in enumerate(asked)]
    decided, carried, influence = list(own), list(own), list(own)
    for k in order:
        tool = tool_by_id(domain_name, tool_ids[k])
        before = [influence[source] for source, target, evidence in edges if target == k and evidence != "order"]
        for pointer, kind, ref in sources[k]:
            parameter = parameter_at(tool, pointer)
            decides = parameter is None or parameter.role == "authority"
            if kind == "edge" and ref is not None:
                carried[k] = _worst([carried[k], carried[ref]])
                if decides:
                    decided[k] = _worst([decided[k], carried[ref]])
            elif kind in ("unattributed", "context") and decides:
                decided[k] = _worst([decided[k], *before])
        influence[k] = _worst([influence[k], *before])
    return decided


def _worst(origins: list[Origin]) -> Origin:
    """The first of the least trusted."""
    return max(origins, key=lambda origin: origin[0])
