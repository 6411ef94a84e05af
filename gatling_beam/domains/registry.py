"""The domains, ready for use: tools, plans, policies, world, and who may do what."""

from collections import Counter
from difflib import get_close_matches
from functools import cached_property, lru_cache

from gatling_beam.domains.loader import domain_names, load_spec
from gatling_beam.domains.plans import Step, edges_of, parse_plan, pattern_of, slots_of
from gatling_beam.domains.policies import Policy, draw_policies, policy_of
from gatling_beam.domains.spec import DomainSpec
from gatling_beam.domains.tools import Parameter, Tool, expand_tools
from gatling_beam.domains.world import World


class Domain:
    """One domain. Its parts are made when they are first asked for, from the file alone."""

    def __init__(self, spec: DomainSpec) -> None:
        self.spec = spec
        self.name = spec.domain

    @cached_property
    def tools(self) -> dict[str, Tool]:
        """The tools by name."""
        return expand_tools(self.spec)

    @cached_property
    def list_values(self) -> dict[str, tuple[str, ...]]:
        """The values of each list."""
        return {name: tuple(words) for name, words in self.spec.lists.items()}

    @cached_property
    def spoken(self) -> dict[str, tuple[str, ...]]:
        """How the values of each list are said."""
        return {name: tuple(words.values()) for name, words in self.spec.lists.items()}

    @cached_property
    def plans(self) -> dict[str, tuple[Step, ...]]:
        """The plan of each task."""
        return {name: parse_plan(task.plan, self.tools) for name, task in self.spec.tasks.items()}

    @cached_property
    def slots(self) -> dict[str, dict[str, Parameter]]:
        """The slots of each task, with the parameter that each stands for."""
        return {name: slots_of(plan) for name, plan in self.plans.items()}

    @cached_property
    def edges(self) -> dict[str, list[tuple[int, int, str]]]:
        """The edges of each task's plan."""
        return {name: edges_of(plan) for name, plan in self.plans.items()}

    @cached_property
    def patterns(self) -> dict[str, str]:
        """The shape of each task's plan."""
        return {name: pattern_of(plan) for name, plan in self.plans.items()}

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """All policy variants, each for every role."""
        return draw_policies(self.spec, self.tools)

    @cached_property
    def policy_by_id(self) -> dict[str, Policy]:
        """The policies by their id."""
        return {policy.policy_id: policy for policy in self.policies}

    def policy(self, policy_id: str) -> Policy:
        """The policy of an id, which may be a variant with changes (`policies.policy_of`).

        Raises:
          ValueError: for an id that names none.
        """
        known = self.policy_by_id.get(policy_id)
        return known if known is not None else _changed_policy(self.name, policy_id)

    @cached_property
    def world(self) -> World:
        """The seeded world."""
        return World(self.spec)

    @cached_property
    def feasible(self) -> dict[str, tuple[Policy, ...]]:
        """The policies under which each task can be done at all.

        No tool of its plan is out of reach, and a task that compares two departments needs two that are open.
        """
        return {
            name: tuple(
                policy
                for policy in self.policies
                if all(may_use(policy, step.tool) for step in plan) and has_values(policy, self.slots[name])
            )
            for name, plan in self.plans.items()
        }


def may_use(policy: Policy, tool: Tool) -> bool:
    """Whether a role may use a tool at all: not forbidden, its privilege and what it shows within the role's."""
    return (
        tool.name not in policy.forbidden
        and tool.privilege <= policy.privilege
        and (tool.cls != "read" or tool.worst_sensitivity <= policy.sensitivity)
    )


def has_values(policy: Policy, slots: dict[str, Parameter]) -> bool:
    """Whether the policy opens as many values of each list as the slots take."""
    needed = Counter(parameter.of for parameter in slots.values() if parameter.of in policy.sets)
    return all(n <= len(policy.sets[name]) for name, n in needed.items())


def load_domains() -> dict[str, Domain]:
    """All domains by name, in alphabetical order."""
    return {name: domain(name) for name in domain_names()}


@lru_cache(maxsize=256)
def domain(name: str) -> Domain:
    """The domain of that name.

    Raises:
      ValueError: for an unknown one; lists those that are close.
    """
    if name not in domain_names():
        close = get_close_matches(name, domain_names(), 3)
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise ValueError(f"there is no domain {name!r}{hint} (`gatling-beam domains` lists all {len(domain_names())})")
    return Domain(load_spec(name))


@lru_cache(maxsize=1 << 14)
def _changed_policy(name: str, policy_id: str) -> Policy:
    return policy_of(domain(name).spec, policy_id)
