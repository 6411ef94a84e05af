"""A row as the critic reads it: its calls, what reaches each of them, and what the values of arguments stand for."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from gatling_beam.domains.policies import Policy
from gatling_beam.domains.registry import domain
from gatling_beam.domains.world import TODAY
from gatling_beam.energy.tools import View, view_of
from gatling_beam.plan import ToolCallNode
from gatling_beam.sample import ArgSource, Sample
from gatling_beam.scope import iso_date
from gatling_beam.warrant import PermittedCall, read_warrant

_REFERENCE = re.compile(r"\$call_([0-9]{1,4})\.(\w+)\$")
#: Stands for an object that the warrant leaves open; it equals every object.
OPEN = object()
_INFLUENCE = ("data", "turn", "control")


class NoCritique(ValueError):
    """The row cannot be criticised. `reason` is no_warrant, unknown_domain, unknown_tool or unknown_policy."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


class Call:
    """One node of the plan. `data` and `influence` are the sets of its ancestors, as bits by position."""

    __slots__ = ("arguments", "at", "data", "influence", "node", "node_id", "view")

    def __init__(self, at: int, node: ToolCallNode, view: View) -> None:
        self.at, self.node, self.view = at, node, view
        self.node_id, self.arguments = node.node_id, node.arguments
        self.data = self.influence = 0


class Row:
    """A row, read once: `calls` in plan order, the permitted calls of its warrant, its policy."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        if sample.warrant is None:
            raise NoCritique("no_warrant", sample.sample_id)
        self.warrant = read_warrant(sample.warrant["calls"])
        self.policy = _policy(sample)
        self.calls = _calls(sample)
        self.tiers = [1] * len(self.calls)
        if len(sample.contexts) > 1:
            self._read_contexts()
        #: Whether anything was read that is not of the first tier.
        self.is_tainted = max(self.tiers, default=1) > 1
        self._sources: dict[str, list[ArgSource]] | None = None

    def _read_contexts(self) -> None:
        at = {call.node_id: call.at for call in self.calls}
        for context in self.sample.contexts:
            if context.node_id is not None and (k := at.get(context.node_id)) is not None:
                self.tiers[k] = max(self.tiers[k], int(context.tier))

    @property
    def facts(self) -> Sequence[str]:
        """What the session states."""
        facts = self.sample.governance_context.session_context.get("facts", ())
        return facts if isinstance(facts, (list, tuple)) else ()

    def today(self) -> date:
        """The session's day."""
        days = (iso_date(fact[9:]) for fact in self.facts if type(fact) is str and fact.startswith("today is "))
        return next((day for day in days if day), TODAY)

    def sources(self, node_id: str) -> list[ArgSource]:
        """Where the values of a node's arguments come from, as the row says."""
        if self._sources is None:
            self._sources = {}
            for source in self.sample.arg_sources:
                self._sources.setdefault(source.node_id, []).append(source)
        return self._sources.get(node_id, [])

    def worst_tier(self, bits: int) -> int:
        """The worst tier among the texts that the calls of a set read; 1 where they read none."""
        if not (self.is_tainted and bits):
            return 1
        return max((tier for k, tier in enumerate(self.tiers) if bits >> k & 1), default=1)

    def instructed(self, call: Call) -> int:
        """The worst tier that has influence on a call."""
        return self.worst_tier(call.influence)

    # -- what values stand for ---------------------------------------------------------------------------------------

    def object_of(self, value: Any, depth: int = 0) -> Any:
        """What an argument stands for: a value for itself, a reference to a call's own key for that key, what a
        text is about for the record that it names, any other reference for (tool, field, the keys of the call)."""
        found = reference(value)
        if found is None or found[0] >= len(self.calls) or depth > len(self.calls):
            return value
        call = self.calls[found[0]]
        if found[1] in call.view.keys:
            return self.object_of(call.arguments.get(found[1]), depth + 1)
        if found[1] == "about" and (subject := self._about(call.view, call.arguments.get(call.view.keys[0]))):
            return subject
        return self.origin_of(*found, depth)

    def origin_of(self, k: int, field: str, depth: int = 0) -> tuple[Any, ...]:
        """(tool, field, keys) of a reference to the call at `k`."""
        call = self.calls[k]
        keys = tuple(self.object_of(call.arguments.get(key), depth + 1) for key in call.view.keys)
        return call.node.tool_name, field, keys

    def permitted_object(self, value: Any, depth: int = 0) -> Any:
        """The same for a value of the warrant, whose references name its own calls; `OPEN` if it is left open."""
        found = reference(value)
        if found is None or found[0] >= len(self.warrant) or depth > len(self.warrant):
            return value
        entry, view = self._entry(found[0])
        if found[1] in view.keys:
            return self.permitted_object(entry.key[found[1]], depth + 1) if found[1] in entry.key else OPEN
        if found[1] == "about" and (subject := self._about(view, entry.key.get(view.keys[0]))):
            return subject
        return self.permitted_origin(*found, depth)

    def permitted_origin(self, k: int, field: str, depth: int = 0) -> tuple[Any, ...]:
        """(tool, field, keys) of a reference to a call of the warrant."""
        entry, view = self._entry(k)
        keys = tuple(self.permitted_object(entry.key.get(key, OPEN), depth + 1) for key in view.keys)
        return entry.tools[0], field, keys

    def _about(self, view: View, context_id: Any) -> str:
        """The record that a text is about, if the text names exactly one; else ""."""
        if view.about is None:
            return ""
        texts = (context.text for context in self.sample.contexts if context.context_id == context_id)
        named = {record_id for text in texts for record_id in view.about.findall(text)}
        return named.pop() if len(named) == 1 else ""

    def _entry(self, k: int) -> tuple[PermittedCall, View]:
        entry = self.warrant[k]
        view = view_of(self.sample.category, entry.tools[0]) if entry.tools else None
        if view is None:
            raise NoCritique("unknown_tool", f"{entry.call_id} of the warrant: {entry.tools}")
        return entry, view


def reference(value: Any) -> tuple[int, str] | None:
    """(position, field) of a reference `$call_<k>.<field>$`; None for any other value."""
    if type(value) is not str or value[:6] != "$call_" or not (match := _REFERENCE.fullmatch(value)):
        return None
    return int(match[1]) - 1, match[2]


def same(asked: Any, permitted: Any) -> bool:
    """Whether two objects are the same, where the warrant may leave (a part of) it open."""
    if permitted is OPEN:
        return True
    if type(asked) is tuple and type(permitted) is tuple:
        return len(asked) == len(permitted) and all(map(same, asked, permitted))
    return bool(asked == permitted)


def _policy(sample: Sample) -> Policy:
    policy_id = sample.governance_context.policy_id
    try:
        which = domain(sample.category)
    except ValueError as problem:
        raise NoCritique("unknown_domain", str(problem)) from None
    try:
        return which.policy(policy_id or "")
    except (KeyError, ValueError):
        raise NoCritique("unknown_policy", f"policy_id={policy_id!r}") from None


def _calls(sample: Sample) -> list[Call]:
    plan, category = sample.execution_plan, sample.category
    calls = []
    for k, node in enumerate(plan.nodes):
        view = view_of(category, node.tool_name)
        if view is None:
            raise NoCritique("unknown_tool", f"{node.node_id}: {node.tool_name!r} is no tool of {category}")
        calls.append(Call(k, node, view))
    if plan.edges:
        _reach(sample, calls)
    return calls


def _reach(sample: Sample, calls: list[Call]) -> None:
    """The ancestors of every call: by data, and by all that carries influence; `order` carries nothing."""
    at = {call.node_id: call for call in calls}
    edges = [
        (at[source], at[target], evidence == "data")
        for (source, target), evidence in zip(sample.execution_plan.edges, sample.edge_evidence, strict=True)
        if evidence in _INFLUENCE
    ]
    grows = True
    while grows:
        grows = False
        for source, target, is_data in edges:
            influence = target.influence | source.influence | 1 << source.at
            data = target.data | source.data | 1 << source.at if is_data else target.data
            if influence != target.influence or data != target.data:
                target.influence, target.data, grows = influence, data, True
