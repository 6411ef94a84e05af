"""Crossings become rows: a row a cell, with the labels that its construction declares and nothing judged yet."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from gatling_beam.attribution import wording_of
from gatling_beam.domains.tools import Tool
from gatling_beam.families.edit_script import edit_script, plan_state
from gatling_beam.grounding import Grounding, Source, tool_by_id
from gatling_beam.hashing import content_hash, digest
from gatling_beam.intent import canonical_call, hash_calls
from gatling_beam.json_value import json_text
from gatling_beam.mutate.crossing import Call, Cell, Crossing, Plan, Situation, Text
from gatling_beam.oracle.access import system_policy
from gatling_beam.plan import ExecutionPlan, ToolCallNode, TrustTier, node_id
from gatling_beam.provenance import decided_by, request_context
from gatling_beam.sample import (
    ENERGY_TERMS,
    ArgSource,
    Context,
    GovernanceContext,
    MinimalScope,
    Mutation,
    Sample,
    ViolationLabel,
)

_SENSITIVE = 4  # restricted and critical


def rows_of(crossing: Crossing, anchor: Sample, *, tier: str | None = None) -> list[Sample]:
    """The rows of a crossing, in the order of its cells; the first is the parent of all.

    Args:
      anchor: the row that the crossing was built from; the rows keep its `original_id`, `category` and `group_id`.
      tier: of all rows; None for I where benign and II where not.
    """
    situations = [_Context(situation, anchor) for situation in crossing.situations]
    plans = [_Calls(plan, anchor) for plan in crossing.plans]
    made = [_Row(crossing, cell, anchor, situations[cell.situation], plans[cell.plan]) for cell in crossing.cells]
    parent = made[0]
    parent_id = digest("sample", parent.row_hash, anchor.group_id)
    effectful = sorted({call.tool_id for call in crossing.plans[0].calls if _is_effectful(call.tool_id)})
    batch_key = digest("batch", anchor.category, *effectful)
    return [row.sample(parent, parent_id, batch_key, tier) for row in made]


class _Calls:
    """What the rows of a plan share."""

    def __init__(self, plan: Plan, anchor: Sample) -> None:
        self.plan = plan
        self.ids = [node_id(anchor.original_id, k) for k in range(len(plan.calls))]
        self.tools = [_tool(call) for call in plan.calls]
        self.volumes = _volumes(plan, self.tools)
        self.before = _influences(plan)
        canonical = [canonical_call(call.tool_id, call.arguments) for call in plan.calls]
        self.intent = hash_calls("intent", canonical, [(a, b) for a, b, evidence in plan.edges if evidence != "order"])
        self.edges = json_text([list(edge) for edge in plan.edges])


class _Context:
    """What the rows of a situation share."""

    def __init__(self, situation: Situation, anchor: Sample) -> None:
        self.situation = situation
        self.wordings = {text.position: wording_of(text.text) for text in situation.texts}
        self.contexts = (request_context(situation.request), *(_context(text, anchor) for text in situation.texts))
        self.asked = (TrustTier.USER, self.contexts[0].content_hash)
        self.read = {
            text.position: (context.tier, context.content_hash)
            for text, context in zip(situation.texts, self.contexts[1:], strict=True)
        }
        self.governance = GovernanceContext(
            policy_id=situation.policy_id,
            policy=_policy_text(anchor.category, situation.policy_id),
            user_role=anchor.governance_context.user_role,
            session_context={"facts": list(situation.facts)},
            request=situation.request,
        )
        self.warrant = {"calls": list(situation.warrant)}
        self.minimal = _minimal(situation)
        self._grounding = Grounding(anchor.category, situation.request, situation.facts)
        self._sources: dict[tuple[int, tuple[int, ...]], list[Source]] = {}

    def sources(self, call: Call, before: Sequence[int]) -> list[Source]:
        """The source of each value of a call after others; plans have many of their calls in common."""
        readers = tuple(k for k in before if k in self.wordings)
        key = (id(call), readers)
        if key not in self._sources:
            texts = [self.wordings[k] for k in readers]
            self._sources[key] = list(self._grounding.sources(call.tool_id, call.arguments, texts))
        return self._sources[key]


class _Row:
    """A row in the making."""

    def __init__(self, crossing: Crossing, cell: Cell, anchor: Sample, context: _Context, calls: _Calls) -> None:
        self.crossing, self.cell, self.anchor = crossing, cell, anchor
        self.context, self.situation, self.plan = context, context.situation, calls.plan
        ids = calls.ids
        self.sources = [
            context.sources(call, before) for call, before in zip(self.plan.calls, calls.before, strict=True)
        ]
        origins = decided_by(
            anchor.category,
            [call.tool_id for call in self.plan.calls],
            range(len(self.plan.calls)),
            self.plan.edges,
            [[(pointer, kind, _position(ref)) for pointer, kind, ref in own] for own in self.sources],
            [context.asked] * len(ids),
            context.read,
        )
        self.execution_plan = ExecutionPlan(
            tuple(
                ToolCallNode(call.tool_id, call.arguments, tier, origin, volume, tool.worst_sensitivity, own_id)
                for call, tool, (tier, origin), volume, own_id in zip(
                    self.plan.calls, calls.tools, origins, calls.volumes, ids, strict=True
                )
            ),
            tuple((ids[a], ids[b]) for a, b, _ in self.plan.edges),
        )
        self.intent = calls.intent
        self.row_hash = digest(
            "row",
            self.situation.policy_id,
            anchor.governance_context.user_role,
            "\n".join(self.situation.facts),
            *(one.content_hash for one in context.contexts),
            self.intent,
            calls.edges,
        )

    def sample(self, parent: "_Row", parent_id: str, batch_key: str, tier: str | None) -> Sample:
        anchor, situation, crossing = self.anchor, self.situation, self.crossing
        violated = self.cell.violated
        adversarial = any(violated)
        nodes = self.execution_plan.nodes
        return Sample(
            execution_plan=self.execution_plan,
            label="adversarial" if adversarial else "benign",
            original_id=anchor.original_id,
            category=anchor.category,
            metadata={
                "source": anchor.metadata.get("source", ""),
                "query": situation.request,
                "num_tools": len(nodes),
            },
            sample_id=parent_id if self is parent else digest("sample", self.row_hash, anchor.group_id),
            group_id=anchor.group_id,
            row_hash=self.row_hash,
            intent_hash=self.intent,
            source=anchor.source,
            tier=tier or ("II" if adversarial else "I"),
            split=anchor.split,
            in_family=True,
            label_basis=anchor.label_basis if anchor.label_basis == "annotated" else "constructed",
            label_scope="policy",
            batch_key=batch_key,
            request=situation.request,
            language=anchor.language,
            governance_context=self.context.governance,
            toolset_id=anchor.toolset_id,
            toolset=anchor.toolset,
            contexts=self.context.contexts,
            edge_evidence=tuple(evidence for _, _, evidence in self.plan.edges),
            arg_sources=tuple(
                ArgSource(nodes[k].node_id, pointer, kind, nodes[_position(ref) or 0].node_id if ref else "")
                for k, own in enumerate(self.sources)
                for pointer, kind, ref in own
            ),
            warrant=self.context.warrant,
            minimal_scope=self.context.minimal,
            violation_labels=tuple(
                ViolationLabel(term, is_violated) for term, is_violated in zip(ENERGY_TERMS, violated, strict=True)
            ),
            mutation=Mutation(
                strategy=crossing.strategy,
                severity=0.0,
                difficulty=crossing.difficulty,
                difficulty_score=round(crossing.score, 6),
                ratio_band=crossing.band,
                parent=parent_id,
                edit_script={
                    "kind": crossing.kind,
                    "rule": crossing.rule,
                    "distance": crossing.distance,
                    **({} if self is parent else {"edits": edit_script(parent.state(), self.state())}),
                },
            ),
        )

    def state(self) -> dict[str, Any]:
        """What an edit script edits."""
        return {
            "request": self.situation.request,
            "policy_id": self.situation.policy_id,
            "facts": list(self.situation.facts),
            "plan": plan_state(self.execution_plan),
            "edge_evidence": [evidence for _, _, evidence in self.plan.edges],
        }


def state_of(sample: Sample) -> dict[str, Any]:
    """What of a row its edit script edits: request, policy, session facts, plan and the evidence of its edges."""
    governance = sample.governance_context
    return {
        "request": sample.request,
        "policy_id": governance.policy_id,
        "facts": list(governance.session_context.get("facts", ())),
        "plan": plan_state(sample.execution_plan),
        "edge_evidence": list(sample.edge_evidence),
    }


def _influences(plan: Plan) -> list[list[int]]:
    """For each call, the positions of those that influence it by data, turn or control, through any number of edges."""
    before: list[frozenset[int]] = []
    for k in range(len(plan.calls)):
        direct = [a for a, b, evidence in plan.edges if b == k and evidence != "order"]
        before.append(frozenset(direct).union(*(before[a] for a in direct)))
    return [sorted(own) for own in before]


def _context(text: Text, anchor: Sample) -> Context:
    """A text as the rows have it, with the id of the node that reads it."""
    reader = node_id(anchor.original_id, text.position)
    return Context(text.context_id, text.source_type, TrustTier(text.tier), content_hash(text.text), text.text, reader)


def _position(ref: str) -> int | None:
    return int(ref[5:]) - 1 if ref else None


def _tool(call: Call) -> Tool:
    tool = tool_by_id(call.tool_id.partition(".")[0], call.tool_id)
    assert tool is not None, call.tool_id
    return tool


def _is_effectful(tool_id: str) -> bool:
    return _tool(Call(tool_id, {})).cls != "read"


def _volumes(plan: Plan, tools: Sequence[Tool]) -> list[int]:
    """The rows that each call asks for, or that reach it by data; 1 where that says nothing."""
    volumes: list[int] = []
    for k, (call, tool) in enumerate(zip(plan.calls, tools, strict=True)):
        own = call.arguments.get("limit", tool.parameters["limit"].default if "limit" in tool.parameters else None)
        if own is None:
            own = sum(volumes[a] for a, b, evidence in plan.edges if b == k and evidence == "data" and volumes[a] > 1)
        volumes.append(own or 1)
    return volumes


def _minimal(situation: Situation) -> MinimalScope:
    bounds = [entry["bounds"] for entry in situation.warrant]
    limits = [bound["rows"] for bound in bounds if "rows" in bound]
    days = [bound["days"] for bound in bounds if "days" in bound]
    pinned = (["limit"] if limits else []) + (["date_range_days"] if days else [])
    return MinimalScope(
        limit=max(limits, default=1),
        date_range_days=max(days, default=1),
        max_depth=1,
        include_sensitive=max(entry["max_sensitivity"] for entry in situation.warrant) >= _SENSITIVE,
        pinned=tuple(pinned),
        spans=tuple(
            form
            for limit in sorted(set(limits))
            for form in dict.fromkeys((f"{limit:,}", str(limit)))
            if form in situation.request
        ),
    )


@lru_cache(maxsize=1 << 13)
def _policy_text(domain: str, policy_id: str) -> str:
    return json_text(system_policy(domain, policy_id))
