"""A row as the judge reads it: its calls with what they refer to, who influences whom, what has been read."""

import re
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

import msgspec

from gatling_beam.attribution import Wording, wording_of
from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.policies import Policy
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.tools import Tool
from gatling_beam.domains.world import TODAY
from gatling_beam.facts import approvals_of, groups_of, owners_of
from gatling_beam.graph import positions
from gatling_beam.grounding import REFERENCE, Grounding, tool_by_id
from gatling_beam.judge.verdict import Unjudged
from gatling_beam.plan import ToolCallNode
from gatling_beam.sample import Context, Sample
from gatling_beam.scope import iso_date
from gatling_beam.warrant import PermittedCall, read_warrant

#: The position of the call that is referred to, and the field of its result.
Ref = tuple[int, str]
_TODAY = re.compile(r"today is ([0-9-]{10})")


class Call(msgspec.Struct, frozen=True, gc=False):
    """A call of the plan at `position` (0-based); `refs` are the results that each argument takes."""

    position: int
    node_id: str
    tool: Tool
    arguments: dict[str, Any]
    refs: dict[str, list[Ref]]


class Row:
    """A row with its domain, policy, calls and warrant.

    Raises:
      Unjudged: no_warrant, unknown_tool or unknown_policy.
    """

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.entries = _entries(sample)
        self.domain = _domain(sample.category)
        self.policy = _policy(self.domain, sample.governance_context.policy_id)
        nodes = sample.execution_plan.nodes
        self.calls = [_call(sample.category, k, node, len(nodes)) for k, node in enumerate(nodes)]
        #: By position: the positions whose results it takes, and those that decide about it in any way.
        self.feeding: list[set[int]] = [
            {j for refs in call.refs.values() for j, _ in refs} if call.refs else set() for call in self.calls
        ]
        self.deciding: list[set[int]] = [set(feeding) for feeding in self.feeding]
        self._add_edges()

    def _add_edges(self) -> None:
        edges, evidence = self.sample.execution_plan.edges, self.sample.edge_evidence
        if not edges:
            return
        at = positions(self.sample.execution_plan)
        for k, (source, target) in enumerate(edges):
            kind = evidence[k] if k < len(evidence) else "data"
            if kind != "order":
                self.deciding[at[target]].add(at[source])
                if kind == "data":
                    self.feeding[at[target]].add(at[source])

    # -- influence -------------------------------------------------------------------------------------------------

    def fed_by(self, position: int) -> set[int]:
        """The calls whose results reach the call, over any number of data edges."""
        return _ancestors(position, self.feeding)

    def influenced_by(self, position: int) -> set[int]:
        """The calls that have a say in the call: over data, turn and control edges, never over mere order."""
        return _ancestors(position, self.deciding)

    def worst_influence(self, position: int) -> tuple[int, str]:
        """The worst tier among the texts in the call's influence, with the id of one that has it; (1, "") for none."""
        if len(self.sample.contexts) < 2 or not self.deciding[position]:
            return 1, ""
        read = (text for j in self.influenced_by(position) for text in self.texts[j])
        return max(((int(text.tier), text.context_id) for text in read), default=(1, ""))

    @cached_property
    def texts(self) -> list[list[Context]]:
        """The texts that each call reads: those of the ids that it asks for, else those that name it as reader."""
        found = []
        for call in self.calls:
            asked = list(call.arguments.values()) if call.tool.cls == "read" else []
            own = [text for text in self.sample.contexts[1:] if text.context_id in asked]
            found.append(own or [text for text in self.sample.contexts[1:] if text.node_id == call.node_id])
        return found

    @cached_property
    def wordings(self) -> dict[str, Wording]:
        """The words of each text by its context id."""
        return {text.context_id: wording_of(text.text) for text in self.sample.contexts[1:]}

    # -- facts -----------------------------------------------------------------------------------------------------

    @cached_property
    def facts(self) -> list[str]:
        """The facts of the session."""
        facts = self.sample.governance_context.session_context.get("facts")
        return [fact for fact in facts if type(fact) is str] if type(facts) is list else []

    @cached_property
    def today(self) -> date:
        """The day of the session."""
        said = (iso_date(match[1]) for fact in self.facts if (match := _TODAY.fullmatch(fact)))
        return next((day for day in said if day), TODAY)

    @cached_property
    def approvals(self) -> dict[str, Any]:
        """The approvals that the session tells of, by id."""
        return approvals_of(self.facts)

    @cached_property
    def _groups(self) -> dict[str, str]:
        return groups_of(self.facts)

    @cached_property
    def _owners(self) -> dict[str, str]:
        return owners_of(self.facts)

    @cached_property
    def grounding(self) -> Grounding:
        """What the request and the session say."""
        return Grounding(self.domain.name, self.sample.request, self.facts)

    def group(self, address: str) -> str:
        """The group of people that an address belongs to; "" for a stranger's."""
        return self._groups.get(address) or self.domain.world.group_of.get(address, "")

    def owner(self, kind: str, record_id: str) -> str:
        """Whose a record is; "" if nobody's, or there is no such record."""
        if told := self._owners.get(record_id):
            return told
        number = self.domain.world.number_of(kind, record_id)
        return self.domain.world.owner(kind, number) if number else ""

    # -- objects ---------------------------------------------------------------------------------------------------

    def object_of(self, value: Any) -> Any:
        """The record that an argument means, through references; a `Ref` where its id is not known beforehand."""
        for _ in range(len(self.calls) + 1):
            ref = ref_of(value, len(self.calls))
            if ref is None:
                return value
            call, field = self.calls[ref[0]], ref[1]
            if field in call.arguments and field in call.tool.parameters and call.tool.parameters[field].key:
                value = call.arguments[field]
            elif call.tool.archetype == "read" and field == "about":
                own_id = next(iter(call.arguments.values()), None)
                return self.about(call.tool.record, own_id, self.texts[ref[0]]) or ref
            else:
                return ref
        return value

    def about(self, kind: str, own_id: Any, texts: list[Context] | None = None) -> str | None:
        """The record that a text of a kind is about, if the text names exactly one."""
        if texts is None:
            texts = [text for text in self.sample.contexts[1:] if text.context_id == own_id]
        pattern = _about_pattern(self.domain.name, kind)
        found = {name for text in texts for name in pattern.findall(text.text)} if pattern else set()
        return found.pop() if len(found) == 1 else None


def ref_of(value: Any, calls: int) -> Ref | None:
    """The reference that a value is; None for a literal, or for a call that is not there."""
    if type(value) is not str or value[:1] != "$" or not (match := REFERENCE.fullmatch(value)):
        return None
    position = _position(match[1])
    return (position, match[2]) if 0 <= position < calls else None


@lru_cache(maxsize=1 << 10)
def _position(call_id: str) -> int:
    number = call_id.removeprefix("call_")
    return int(number) - 1 if number.isascii() and number.isdigit() else -1


def _call(domain_name: str, position: int, node: ToolCallNode, calls: int) -> Call:
    tool = tool_by_id(domain_name, node.tool_name)
    if tool is None:
        raise Unjudged("unknown_tool", f"{node.node_id}: {domain_name} has no tool {node.tool_name!r}")
    refs: dict[str, list[Ref]] = {}
    for name, value in node.arguments.items():
        if type(value) is str:
            if value[:1] == "$" and (ref := ref_of(value, calls)):
                refs[name] = [ref]
        elif type(value) is list and (found := [ref for item in value if (ref := ref_of(item, calls))]):
            refs[name] = found
    return Call(position, node.node_id, tool, node.arguments, refs)


def _entries(sample: Sample) -> list[PermittedCall]:
    calls = sample.warrant.get("calls") if sample.warrant else None
    if not calls:
        raise Unjudged("no_warrant", f"{sample.sample_id} has no warrant")
    try:
        return read_warrant(calls)
    except msgspec.ValidationError as error:
        raise Unjudged("no_warrant", f"{sample.sample_id}: {error}") from None


def _domain(name: str) -> Domain:
    if name not in domain_names():
        raise Unjudged("unknown_tool", f"there is no domain {name!r}")
    return domain(name)


def _policy(which: Domain, policy_id: str | None) -> Policy:
    try:
        return which.policy(policy_id or "")
    except ValueError as error:
        raise Unjudged("unknown_policy", str(error)) from None


def _ancestors(position: int, parents: list[set[int]]) -> set[int]:
    seen: set[int] = set()
    stack = list(parents[position])
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(parents[node])
    return seen


@lru_cache(maxsize=1 << 10)
def _about_pattern(domain_name: str, kind: str) -> re.Pattern[str] | None:
    """The ids of the kind of record that texts of `kind` are about."""
    records = domain(domain_name).spec.records
    about = records[kind].about if kind in records else None
    if not about:
        return None
    form = records[about].id
    prefix, digits = form.rstrip("#"), form.count("#")
    return re.compile(rf"(?<!\w){re.escape(prefix)}[0-9]{{{digits}}}(?!\w)")
