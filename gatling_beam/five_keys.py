"""Rows of the five original keys: what existing consumers write and read, without the columns beside them."""

from typing import Any

import msgspec

from gatling_beam.attribution import leaves
from gatling_beam.errors import BadRow
from gatling_beam.graph import plan_problem
from gatling_beam.grounding import REFERENCE
from gatling_beam.hashing import content_hash, digest
from gatling_beam.intent import intent_hash
from gatling_beam.json_value import check_text, json_value
from gatling_beam.plan import ExecutionPlan, ToolCallNode, TrustTier
from gatling_beam.sample import Context, GovernanceContext, Sample, SourceRef

SOURCE = "five_keys"


class _Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node; what it leaves out has the value that the format's consumers assume."""

    tool_name: str
    node_id: str
    arguments: dict[str, Any] = {}
    provenance_tier: TrustTier = TrustTier.USER
    provenance_hash: str | None = None
    scope_volume: int = 1
    scope_sensitivity: int = 1


class _Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    nodes: tuple[_Node, ...]
    edges: tuple[tuple[str, str], ...] = ()


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    execution_plan: _Plan
    label: str
    original_id: str
    category: str
    metadata: dict[str, Any]


def has_five_keys(row: dict[str, Any]) -> bool:
    """Whether a row is in the form of the five original keys: it has them, and no id of its own."""
    return row.keys() >= set(_Row.__struct_fields__) and "sample_id" not in row


def from_five_keys(row: dict[str, Any]) -> Sample:
    """The row with all columns; what nobody has written down is derived by hash or is empty.

    The request is `metadata.query` ("" without one). An edge is `data` where an argument of its target refers to its
    source (`$call_1.rows$`, counted from 1 in the order of the nodes); any other is `turn`: the row says that it is a
    dependency and not what it carries.

    Args:
      row: execution_plan (nodes, edges), label, original_id, category, metadata; no other keys.

    Raises:
      BadRow: wrong_type, missing_column, or what is wrong with the plan (`graph.plan_problem`; several parts are
        allowed).
    """
    try:
        read = msgspec.convert(row, _Row)
    except msgspec.ValidationError as e:
        raise BadRow("missing_column" if "missing" in str(e) else "wrong_type", str(e)) from None
    query = read.metadata.get("query", "")
    request = check_text(query, "the request") if type(query) is str else ""
    origin = content_hash(request)
    nodes = tuple(
        ToolCallNode(
            node.tool_name,
            json_value(node.arguments),
            node.provenance_tier,
            node.provenance_hash or origin,
            node.scope_volume,
            node.scope_sensitivity,
            node.node_id,
        )
        for node in read.execution_plan.nodes
    )
    plan = ExecutionPlan(nodes, read.execution_plan.edges)
    if problem := plan_problem(plan, connected=False):
        raise BadRow(*problem)
    evidence = _evidence(plan)
    intent = intent_hash(plan, evidence)
    source = read.metadata.get("source", "")
    dataset = source if type(source) is str else ""
    sample_id = digest("sample", dataset, read.original_id, origin, intent)
    return Sample(
        execution_plan=plan,
        label=read.label,
        original_id=read.original_id,
        category=read.category,
        metadata=read.metadata,
        sample_id=sample_id,
        group_id=sample_id,
        row_hash=digest("row", "", "user", origin, intent),
        intent_hash=intent,
        source=SourceRef(name=SOURCE, dataset=dataset, row_id=read.original_id),
        tier="I" if read.label == "benign" else "II",
        request=request,
        governance_context=GovernanceContext(request=request),
        contexts=(Context("request", "user", TrustTier.USER, origin, request),),
        edge_evidence=evidence,
    )


def _evidence(plan: ExecutionPlan) -> tuple[str, ...]:
    """The evidence of each edge."""
    ids = {f"call_{k}": node.node_id for k, node in enumerate(plan.nodes, 1)}
    feeding = {
        (ids[match[1]], node.node_id)
        for node in plan.nodes
        for _, value in leaves(node.arguments)
        if type(value) is str and (match := REFERENCE.fullmatch(value)) and match[1] in ids
    }
    return tuple("data" if edge in feeding else "turn" for edge in plan.edges)
