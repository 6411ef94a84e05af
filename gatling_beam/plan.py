"""The plan of an agent: tool calls as the nodes of a directed graph, with trust and scope on every node."""

from enum import IntEnum
from typing import Any

import msgspec

#: Plans with more nodes than this are refused: the encoders that read them cut longer ones silently.
MAX_NODES = 64


class TrustTier(IntEnum):
    """How far the origin of an instruction or a value is trusted; 1 is the most trusted."""

    USER = 1  # system, user, first party
    PARTNER = 2  # signed or verified retrieval
    UNVERIFIED_RAG = 3  # anything else that was retrieved
    INTERNAL = 1
    SIGNED_PARTNER = 2
    PUBLIC_WEB = 3


_TIER_OF_SOURCE_TYPE = {
    "system": TrustTier.USER,
    "user": TrustTier.USER,
    "verified_rag": TrustTier.PARTNER,
    "unverified_rag": TrustTier.UNVERIFIED_RAG,
}


def tier_of_source_type(source_type: str) -> TrustTier:
    """The trust tier of a trace's `source_type`: system, user, verified_rag or unverified_rag.

    Raises:
      ValueError: for any other word.
    """
    try:
        return _TIER_OF_SOURCE_TYPE[source_type]
    except KeyError:
        raise ValueError(f"source_type={source_type!r} is not one of {sorted(_TIER_OF_SOURCE_TYPE)}") from None


class ToolCallNode(msgspec.Struct, frozen=True, gc=False):
    """One tool call.

    `arguments` holds JSON values only (see `gatling_beam.json_value`). `provenance_tier` is 1..3, `scope_volume`
    is a number of rows, records or files >= 1, `scope_sensitivity` is 1 (public) .. 5 (critical).
    `provenance_hash` is the content hash of the text that the call goes back to.
    """

    tool_name: str
    arguments: dict[str, Any]
    provenance_tier: TrustTier
    provenance_hash: str
    scope_volume: int
    scope_sensitivity: int
    node_id: str


class ExecutionPlan(msgspec.Struct, frozen=True, gc=False):
    """Nodes in source order and edges `(from node_id, to node_id)`; an edge points from cause to effect."""

    nodes: tuple[ToolCallNode, ...]
    edges: tuple[tuple[str, str], ...] = ()


def node_id(original_id: str, position: int) -> str:
    """The id of the node at `position` (0-based) of a plan: `<original_id>_tool_<position>`."""
    return f"{original_id}_tool_{position}"
