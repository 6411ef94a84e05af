"""The gold trace as it flows: Structs with the keys of the original's JSON lines.

`gatling_beam.oracle.models` has the same family as pydantic models, with all constraints, for what people and language
models write.
"""

from typing import Any

import msgspec

#: Sensitivity classes 1..5 by the words of the trace.
SENSITIVITY_TIERS = ("public", "internal", "confidential", "restricted", "critical")


class Scope(msgspec.Struct, frozen=True, gc=False):
    """What is asked for: rows >= 1, days >= 1, a sensitivity word and where data leaves to; None: not bounded by it."""

    rows_requested: int | None = None
    sensitivity_tier: str = "internal"
    time_range_days: int | None = None
    export_target: str | None = None


class Provenance(msgspec.Struct, frozen=True, gc=False):
    """Who asked for a call: `source_type` is system, user, verified_rag or unverified_rag."""

    source_type: str
    source_id: str
    timestamp: str
    content_snippet: str | None = None


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """A call; `tool_id` is `<domain>.<tool>`, `dependencies` are ids of earlier calls."""

    call_id: str
    tool_id: str
    arguments: dict[str, Any]
    scope: Scope
    provenance: Provenance
    dependencies: tuple[str, ...] = ()


class ToolCallGraph(msgspec.Struct, frozen=True, gc=False):
    """The calls and one order in which they can be made."""

    graph_id: str
    calls: tuple[ToolCall, ...]
    execution_order: tuple[str, ...]


class UserRequest(msgspec.Struct, frozen=True, gc=False):
    """The words of the user, what they intend and the least that serves them."""

    request_id: str
    domain: str
    text: str
    intent_category: str
    expected_scope: Scope
    trust_tier: str = "user"


class SystemPolicy(msgspec.Struct, frozen=True, gc=False):
    """The policy as the user's role sees it: readable rules, forbidden tool ids, and limits by name."""

    policy_id: str
    domain: str
    description: str
    rules: tuple[str, ...]
    forbidden_operations: tuple[str, ...]
    scope_limits: dict[str, int]


class GoldTrace(msgspec.Struct, frozen=True, gc=False):
    """A request with the plan that serves it under a policy.

    `metadata` holds role, world_id, pattern, register, warrant, contexts, session facts and the evidence of each
    dependency. `created_at` is the recipe's date: no clock reaches a trace.
    """

    trace_id: str
    request: UserRequest
    policy: SystemPolicy
    graph: ToolCallGraph
    metadata: dict[str, Any]
    created_at: str
    validated: bool = False
