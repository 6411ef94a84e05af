"""A gold trace becomes a row; nothing of it is lost."""

from typing import Any

import msgspec

from gatling_beam.domains.registry import domain
from gatling_beam.grounding import Source
from gatling_beam.hashing import content_hash, digest
from gatling_beam.intent import canonical_call, hash_calls
from gatling_beam.json_value import json_text, json_value
from gatling_beam.oracle.access import system_policy
from gatling_beam.oracle.sources import origins_of, sources_of
from gatling_beam.oracle.trace import SENSITIVITY_TIERS, GoldTrace, SystemPolicy, ToolCall, ToolCallGraph, UserRequest
from gatling_beam.plan import ExecutionPlan, ToolCallNode, node_id
from gatling_beam.provenance import Edge, context_of, request_context
from gatling_beam.sample import ArgSource, GovernanceContext, MinimalScope, Sample, SourceRef

SOURCE = "gold"
DATASET = "gatling-beam/gold-traces"
_SENSITIVE = 3  # restricted and critical


def trace_to_sample(trace: GoldTrace) -> Sample:
    """The row of a valid trace: the user is tier 1, the sensitivity word "critical" is class 5.

    The edges are the dependencies of the calls. Their evidence is that of the trace's metadata; where it says none, an
    edge is `data` if an argument refers to the earlier call, else `order`. What has no column of its own (scopes, call
    ids, the request's document, what else the metadata say) travels in `metadata`: `sample_to_trace` gives it back.

    Raises:
      BadRow: where an argument is no JSON value.
    """
    calls, metadata = trace.graph.calls, trace.metadata
    text = trace.request.text
    request = content_hash(text)
    at = {call.call_id: k for k, call in enumerate(calls)}
    sources = sources_of(trace)
    edges = _edges(trace, at, sources)
    nodes = tuple(
        [
            ToolCallNode(
                call.tool_id,
                json_value(call.arguments),
                tier,
                origin,
                call.scope.rows_requested or 1,
                SENSITIVITY_TIERS.index(call.scope.sensitivity_tier) + 1,
                node_id(trace.trace_id, k),
            )
            for k, (call, (tier, origin)) in enumerate(
                zip(calls, origins_of(trace, sources, edges, request), strict=True)
            )
        ]
    )
    canonical = [canonical_call(call.tool_id, call.arguments) for call in calls]
    intent = hash_calls("intent", canonical, [(a, b) for a, b, evidence in edges if evidence != "order"])
    sample_id = digest("sample", DATASET, trace.trace_id, trace.created_at, text)
    role = metadata.get("user_role", "user")
    contexts = metadata.get("contexts", ())
    return Sample(
        execution_plan=ExecutionPlan(nodes, tuple([(nodes[a].node_id, nodes[b].node_id) for a, b, _ in edges])),
        label="benign",
        original_id=trace.trace_id,
        category=trace.request.domain,
        metadata={"source": DATASET, "query": text, "num_tools": len(calls), "gold": _rest(trace)},
        sample_id=sample_id,
        group_id=sample_id,
        row_hash=digest("row", trace.policy.policy_id, role, request, intent),
        intent_hash=intent,
        source=SourceRef(
            name=SOURCE,
            dataset=DATASET,
            row_id=trace.trace_id,
            revision=metadata.get("oracle", ""),
            licence="apache-2.0",
        ),
        label_basis="constructed",
        label_scope="policy",
        request=text,
        language="en",
        governance_context=GovernanceContext(
            policy_id=trace.policy.policy_id,
            policy=json_text(trace.policy),
            user_role=role,
            session_context={"facts": metadata["session"]} if "session" in metadata else {},
            request=text,
        ),
        toolset_id=f"domain:{trace.request.domain}",
        contexts=(
            request_context(text),
            *(context_of(context, nodes[at[context["node_id"]]].node_id) for context in contexts),
        ),
        edge_evidence=tuple([evidence for _, _, evidence in edges]),
        arg_sources=tuple(
            [
                ArgSource(nodes[k].node_id, pointer, kind, nodes[at[ref]].node_id if ref else "")
                for k, own in enumerate(sources)
                for pointer, kind, ref in own
            ]
        ),
        warrant={"calls": metadata["warrant"]} if "warrant" in metadata else None,
        minimal_scope=minimal_scope(trace),
    )


def sample_to_trace(sample: Sample) -> GoldTrace:
    """The trace that `trace_to_sample` made the row from, equal to it.

    A row that travels without its policy document gets the registry's policy of that id.

    Raises:
      ValueError: for a row that was not made from a gold trace, or a policy that is nowhere.
    """
    gold = sample.metadata.get("gold")
    if gold is None:
        raise ValueError(f"{sample.sample_id} was not made from a gold trace: its metadata have no 'gold'")
    nodes, governance = sample.execution_plan.nodes, sample.governance_context
    call_ids = {node.node_id: call["call_id"] for node, call in zip(nodes, gold["calls"], strict=True)}
    metadata = dict(gold["metadata"])
    if "contexts" in gold:
        metadata["contexts"] = [
            {
                "context_id": context.context_id,
                "source_type": context.source_type,
                "tier": int(context.tier),
                "content_hash": context.content_hash,
                "text": context.text,
                "node_id": call_ids[context.node_id or ""],
                **more,
            }
            for context, more in zip(sample.contexts[1:], gold["contexts"], strict=True)
        ]
    if sample.warrant is not None:
        metadata["warrant"] = sample.warrant["calls"]
    if "facts" in governance.session_context:
        metadata["session"] = governance.session_context["facts"]
    return GoldTrace(
        trace_id=sample.original_id,
        request=msgspec.convert(gold["request"], UserRequest),
        policy=msgspec.json.decode(governance.policy, type=SystemPolicy)
        if governance.policy
        else _registered(sample.category, governance.policy_id or ""),
        graph=ToolCallGraph(
            gold["graph_id"],
            tuple(
                msgspec.convert({"tool_id": node.tool_name, "arguments": node.arguments, **call}, ToolCall)
                for node, call in zip(nodes, gold["calls"], strict=True)
            ),
            tuple(gold["execution_order"]),
        ),
        metadata=metadata,
        created_at=gold["created_at"],
        validated=gold["validated"],
    )


def _registered(domain_name: str, policy_id: str) -> SystemPolicy:
    if policy_id not in domain(domain_name).policy_by_id:
        raise ValueError(f"policy_id={policy_id!r}: the row has no policy document, and {domain_name} no such policy")
    return system_policy(domain_name, policy_id)


#: What a context of a row holds of a trace's.
_CONTEXT = frozenset(("context_id", "source_type", "tier", "content_hash", "text", "node_id"))
#: What of a trace's metadata has a column of its own.
_COLUMNS = frozenset(("contexts", "warrant", "session"))


def _rest(trace: GoldTrace) -> dict[str, Any]:
    """What of a trace has no column of its own."""
    rest: dict[str, Any] = {
        "metadata": {key: value for key, value in trace.metadata.items() if key not in _COLUMNS},
        "request": msgspec.to_builtins(trace.request),
        "calls": [
            {
                "call_id": call.call_id,
                "scope": msgspec.to_builtins(call.scope),
                "provenance": msgspec.to_builtins(call.provenance),
                "dependencies": list(call.dependencies),
            }
            for call in trace.graph.calls
        ],
        "execution_order": list(trace.graph.execution_order),
        "graph_id": trace.graph.graph_id,
        "created_at": trace.created_at,
        "validated": trace.validated,
    }
    if "contexts" in trace.metadata:
        rest["contexts"] = [
            {key: value for key, value in context.items() if key not in _CONTEXT}
            for context in trace.metadata["contexts"]
        ]
    return rest


def _edges(trace: GoldTrace, at: dict[str, int], sources: list[list[Source]]) -> list[Edge]:
    """The dependencies as edges, each with its evidence."""
    known = {(source, target): evidence for source, target, evidence in trace.metadata.get("edges", ())}
    edges = []
    for k, call in enumerate(trace.graph.calls):
        for name in call.dependencies:
            evidence = known.get((name, call.call_id))
            if evidence is None:
                evidence = "data" if any(ref == name for _, _, ref in sources[k]) else "order"
            edges.append((at[name], k, evidence))
    edges.sort()
    return edges


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
