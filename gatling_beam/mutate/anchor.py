"""The anchor of families: a benign row of the registry, taken apart."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec

from gatling_beam.domains.policies import Policy
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.tools import Parameter, Tool
from gatling_beam.grounding import REFERENCE
from gatling_beam.mutate.crossing import Call, NotApplicable, Plan, Situation, Text
from gatling_beam.sample import Sample


class Argument(msgspec.Struct, frozen=True):
    """A literal argument: of the call at `position`."""

    position: int
    name: str
    parameter: Parameter
    value: Any


class Anchor:
    """A benign row whose plan has a warrant and tools of the registry.

    Raises:
      NotApplicable: unmapped_tools, no_warrant.
    """

    def __init__(self, sample: Sample) -> None:
        governance = sample.governance_context
        if sample.warrant is None or governance.policy_id is None:
            raise NotApplicable("no_warrant")
        self.sample = sample
        self.domain: Domain = domain(sample.category)
        self.policy: Policy = self.domain.policy(governance.policy_id)
        nodes = sample.execution_plan.nodes
        at = {node.node_id: k for k, node in enumerate(nodes)}
        self.plan = Plan(
            # In the order of their names: a coder or a file may have put arguments into another one.
            tuple(Call(node.tool_name, dict(sorted(node.arguments.items()))) for node in nodes),
            tuple(
                (at[a], at[b], evidence)
                for (a, b), evidence in zip(sample.execution_plan.edges, sample.edge_evidence, strict=True)
            ),
        )
        self.situation = Situation(
            request=sample.request,
            policy_id=governance.policy_id,
            facts=tuple(governance.session_context.get("facts", ())),
            texts=tuple(
                Text(c.context_id, c.source_type, int(c.tier), c.text, at[c.node_id or ""]) for c in sample.contexts[1:]
            ),
            warrant=tuple(sample.warrant["calls"]),
        )

    @cached_property
    def tools(self) -> tuple[Tool, ...]:
        """The tool of each call."""
        return tuple(self.domain.tools[call.tool_id.partition(".")[2]] for call in self.plan.calls)

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """The literal arguments of all calls."""
        return tuple(self._arguments())

    def _arguments(self) -> Iterator[Argument]:
        for k, (call, tool) in enumerate(zip(self.plan.calls, self.tools, strict=True)):
            for name, value in call.arguments.items():
                if not (type(value) is str and REFERENCE.fullmatch(value)) and name in tool.parameters:
                    yield Argument(k, name, tool.parameters[name], value)

    def before(self, position: int) -> frozenset[int]:
        """The positions of the calls that influence the one at `position`, by data, turn or control."""
        found: set[int] = set()
        waiting = [position]
        while waiting:
            target = waiting.pop()
            for source, to, evidence in self.plan.edges:
                if to == target and evidence != "order" and source not in found:
                    found.add(source)
                    waiting.append(source)
        return frozenset(found)

    def uses(self, value: Any) -> list[Argument]:
        """The literal arguments that have that value."""
        return [argument for argument in self.arguments if argument.value == value]


def with_arguments(plan: Plan, changes: Mapping[int, Mapping[str, Any]]) -> Plan:
    """The plan with some arguments of the calls at some positions changed."""
    return Plan(
        tuple(
            Call(call.tool_id, {**call.arguments, **changes[k]}) if k in changes else call
            for k, call in enumerate(plan.calls)
        ),
        plan.edges,
    )


def with_permission(
    warrant: tuple[dict[str, Any], ...], changes: Mapping[int, Mapping[str, Any]]
) -> tuple[dict[str, Any], ...]:
    """The warrant with some fields of the entries at some positions changed."""
    return tuple({**entry, **changes[k]} if k in changes else entry for k, entry in enumerate(warrant))


def pick_level(dice: Any, difficulty: str | None) -> str:
    """The difficulty to build for: the one asked for, else one at random."""
    return difficulty or dice.pick(("hard", "medium", "easy"))
