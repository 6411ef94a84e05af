"""Retrieved texts: what a plan has read, from whom, and how far that is trusted."""

from typing import Any

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
