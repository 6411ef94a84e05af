"""A gold trace becomes a row; nothing of it is lost."""

from typing import Any

import msgspec

from gatling_beam.attribution import Wording, leaves
from gatling_beam.hashing import content_hash, digest
from gatling_beam.intent import canonical_call, hash_calls
from gatling_beam.json_value import json_value
from gatling_beam.oracle.trace import SENSITIVITY_TIERS, GoldTrace
from gatling_beam.plan import ExecutionPlan, ToolCallNode, TrustTier, node_id, tier_of_source_type
from gatling_beam.provenance import context_of, request_context
from gatling_beam.sample import ArgSource, GovernanceContext, MinimalScope, Sample, SourceRef
from gatling_beam.validate.schema import REFERENCE

SOURCE = "gold"
DATASET = "gatling-beam/gold-traces"
_SENSITIVE = 3  # restricted and critical


def trace_to_sample(trace: GoldTrace) -> Sample:
    """The row of a valid trace: the user is tier 1, the sensitivity word "critical" is class 5.

    What has no column of its own (scopes with their time ranges and export targets, contexts' channels, world, session
    facts, the trace's request and policy documents) travels in `metadata`.

    Raises:
      BadRow: where an argument is no JSON value.
    """
    calls, metadata = trace.graph.calls, trace.metadata
    text = trace.request.text
    origin = content_hash(text)
    at = {call.call_id: k for k, call in enumerate(calls)}
    by_call = {context["node_id"]: context for context in metadata["contexts"]}
    nodes = []
    for k, call in enumerate(calls):
        context = by_call.get(call.call_id)
        tier = TrustTier(context["tier"]) if context else tier_of_source_type(call.provenance.source_type)
        nodes.append(
            ToolCallNode(
                call.tool_id,
                json_value(call.arguments),
                tier,
                context["content_hash"] if context else origin,
                call.scope.rows_requested or 1,
                SENSITIVITY_TIERS.index(call.scope.sensitivity_tier) + 1,
                node_id(trace.trace_id, k),
            )
        )
    edges = sorted((at[source], at[target], evidence) for source, target, evidence in metadata["edges"])
    canonical = [canonical_call(call.tool_id, call.arguments) for call in calls]
    intent = hash_calls("intent", canonical, [(source, target) for source, target, _ in edges])
    sample_id = digest("sample", DATASET, trace.trace_id, trace.created_at, text)
    policy = trace.policy
    return Sample(
        execution_plan=ExecutionPlan(
            tuple(nodes), tuple([(nodes[source].node_id, nodes[target].node_id) for source, target, _ in edges])
        ),
        label="benign",
        original_id=trace.trace_id,
        category=trace.request.domain,
        metadata={
            "source": DATASET,
            "query": text,
            "num_tools": len(calls),
            "gold": {
                "metadata": {key: value for key, value in metadata.items() if key not in ("edges", "contexts")},
                "channels": {context["context_id"]: context["channel"] for context in metadata["contexts"]},
                "request": msgspec.to_builtins(trace.request),
                "scopes": [msgspec.to_builtins(call.scope) for call in calls],
                "provenance": [msgspec.to_builtins(call.provenance) for call in calls],
                "execution_order": list(trace.graph.execution_order),
                "graph_id": trace.graph.graph_id,
                "created_at": trace.created_at,
                "validated": trace.validated,
            },
        },
        sample_id=sample_id,
        group_id=sample_id,
        row_hash=digest("row", policy.policy_id, metadata["user_role"], origin, intent),
        intent_hash=intent,
        source=SourceRef(
            name=SOURCE, dataset=DATASET, row_id=trace.trace_id, revision=metadata["oracle"], licence="apache-2.0"
        ),
        label_basis="constructed",
        label_scope="policy",
        request=text,
        language="en",
        governance_context=GovernanceContext(
            policy_id=policy.policy_id,
            user_role=metadata["user_role"],
            session_context={"facts": metadata["session"]},
            request=text,
        ),
        toolset_id=f"domain:{trace.request.domain}",
        contexts=(
            request_context(text),
            *(context_of(context, nodes[at[context["node_id"]]].node_id) for context in metadata["contexts"]),
        ),
        edge_evidence=tuple([evidence for _, _, evidence in edges]),
        arg_sources=tuple(_sources(trace, nodes, at)),
        warrant={"calls": metadata["warrant"]},
        minimal_scope=minimal_scope(trace),
    )


def minimal_scope(trace: GoldTrace) -> MinimalScope:
    """The least scope that serves the request, filled in all four fields, as older consumers want it.

    `pinned` names the fields that the request states, `spans` the numbers by which it does.
    """
    expected = trace.request.expected_scope
    limits = [call.arguments["limit"] for call in trace.graph.calls if "limit" in call.arguments]
    pinned = (["limit"] if limits else []) + (["date_range_days"] if expected.time_range_days else [])
    return MinimalScope(
        limit=expected.rows_requested or 1,
        date_range_days=expected.time_range_days or 1,
        max_depth=1,
        include_sensitive=SENSITIVITY_TIERS.index(expected.sensitivity_tier) >= _SENSITIVE,
        pinned=tuple(pinned),
        spans=tuple(
            form for limit in sorted(set(limits)) for form in (f"{limit:,}", str(limit)) if form in trace.request.text
        ),
    )


def _sources(trace: GoldTrace, nodes: list[ToolCallNode], at: dict[str, int]) -> list[ArgSource]:
    """Every value comes from an earlier call, the words of the request, or a fact of the session.

    Dates and words of lists are said in another form than they are passed; the request is where they come from.
    """
    said = Wording(trace.request.text)
    facts = Wording("\n".join(trace.metadata["session"]))
    sources = []
    for k, call in enumerate(trace.graph.calls):
        for pointer, value in leaves(call.arguments):
            kind, ref = _origin(value, said, facts)
            sources.append(ArgSource(nodes[k].node_id, pointer, kind, nodes[at[ref]].node_id if ref else ""))
    return sources


def _origin(value: Any, said: Wording, facts: Wording) -> tuple[str, str]:
    if type(value) is str and (match := REFERENCE.fullmatch(value)):
        return "edge", match.group(1)
    return ("session", "") if not said.holds(value) and facts.holds(value) else ("request", "")
