"""Rows written by hand: calls, edges and a warrant in the domain of banking, under one policy."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gatling_beam.domains.policies import Policy
from gatling_beam.domains.registry import domain
from gatling_beam.hashing import content_hash
from gatling_beam.plan import ExecutionPlan, ToolCallNode, TrustTier
from gatling_beam.sample import ArgSource, Context, GovernanceContext, Sample, SourceRef

DOMAIN = "banking"
POLICY_ID = "banking_v02_operations_head"


@pytest.fixture(scope="session")
def policy() -> Policy:
    return domain(DOMAIN).policy(POLICY_ID)


@pytest.fixture(scope="session")
def make_row() -> Callable[..., Sample]:
    """`calls` are (tool, arguments); `edges` (from, to, evidence) by position; `warrant` holds `permitted` entries;
    `texts` (position of the reader, context id, tier, text); `sources` (position, path, kind, position of ref)."""

    def row(
        calls: Sequence[tuple[str, dict[str, Any]]],
        warrant: Sequence[dict[str, Any]],
        edges: Sequence[tuple[int, int, str]] = (),
        texts: Sequence[tuple[int, str, int, str]] = (),
        sources: Sequence[tuple[int, str, str, int | None]] = (),
        facts: Sequence[str] = ("today is 2026-05-18",),
        ids: Sequence[str] = (),
        policy_id: str = POLICY_ID,
        tiers: Sequence[int] = (),
    ) -> Sample:
        ids = ids or [f"row_tool_{k}" for k in range(len(calls))]
        tiers = tiers or [1] * len(calls)
        nodes = tuple(
            ToolCallNode(f"{DOMAIN}.{tool}", arguments, TrustTier(tier), "h", 1, 1, own)
            for (tool, arguments), own, tier in zip(calls, ids, tiers, strict=True)
        )
        return Sample(
            execution_plan=ExecutionPlan(nodes, tuple((ids[a], ids[b]) for a, b, _ in edges)),
            label="benign",
            original_id="row",
            category=DOMAIN,
            metadata={},
            sample_id="row",
            group_id="row",
            row_hash="row",
            intent_hash="row",
            source=SourceRef("test", "test"),
            governance_context=GovernanceContext(policy_id=policy_id, session_context={"facts": list(facts)}),
            contexts=(
                Context("request", "user", TrustTier.USER, "r", "the request"),
                *(Context(own, "", TrustTier(tier), content_hash(text), text, ids[k]) for k, own, tier, text in texts),
            ),
            edge_evidence=tuple(evidence for _, _, evidence in edges),
            arg_sources=tuple(
                ArgSource(ids[k], path, kind, "" if ref is None else ids[ref]) for k, path, kind, ref in sources
            ),
            warrant={"calls": [{"call_id": f"call_{k + 1}", **entry} for k, entry in enumerate(warrant)]},
        )

    return row


@pytest.fixture(scope="session")
def permitted() -> Callable[..., dict[str, Any]]:
    """An entry of a warrant for a tool of the domain."""

    def entry(tool: str, **more: Any) -> dict[str, Any]:
        own = domain(DOMAIN).tools[tool]
        return {"cls": own.cls, "tools": [own.tool_id], "max_sensitivity": own.worst_sensitivity, **more}

    return entry
