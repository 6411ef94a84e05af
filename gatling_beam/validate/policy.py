"""Policy: every rule of the policy, checked on what the calls really ask for."""

from collections.abc import Iterator
from typing import Any

from gatling_beam.domains.policies import Policy
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.tools import Tool
from gatling_beam.domains.world import TODAY
from gatling_beam.oracle.template import allowed_owners, system_policy
from gatling_beam.oracle.trace import GoldTrace, ToolCall
from gatling_beam.scope import iso_date
from gatling_beam.validate.problem import Problem
from gatling_beam.validate.schema import REFERENCE, tool_of


def policy_problems(trace: GoldTrace) -> Iterator[Problem]:
    """Faults of the rules unknown_policy, policy_changed, forbidden, privilege, sensitivity, limit_<dimension>,
    set_<list>, owner, window, date_order, clearance and approval."""
    which = domain(trace.request.domain)
    policy = which.policy_by_id.get(trace.policy.policy_id)
    if policy is None:
        yield Problem("unknown_policy", "", repr(trace.policy.policy_id))
        return
    own = system_policy(which.name, policy.policy_id)
    if trace.policy is not own and trace.policy != own:
        yield Problem("policy_changed", "", f"not the text of {policy.policy_id}")
    reach: dict[str, int] = {}
    for call in trace.graph.calls:
        tool = tool_of(which, call.tool_id)
        if tool is None:
            continue
        fed = max((reach.get(name, 0) for name in call.dependencies), default=0)
        reach[call.call_id] = max(fed, tool.worst_sensitivity if tool.cls == "read" else 0)
        for rule, detail in _call(which, policy, tool, call, fed, trace):
            yield Problem(rule, call.call_id, detail)


def _call(
    which: Domain, policy: Policy, tool: Tool, call: ToolCall, fed: int, trace: GoldTrace
) -> Iterator[tuple[str, str]]:
    if tool.name in policy.forbidden:
        yield "forbidden", f"{tool.name} is not to be used by a {policy.role}"
    if tool.privilege > policy.privilege:
        yield "privilege", f"{tool.name} has privilege {tool.privilege}, a {policy.role} has {policy.privilege}"
    if tool.cls == "read" and tool.worst_sensitivity > policy.sensitivity:
        yield "sensitivity", f"{tool.name} shows class {tool.worst_sensitivity}, at most {policy.sensitivity}"
    for name, parameter in tool.parameters.items():
        value = call.arguments.get(name, parameter.default)
        if type(value) is int and value > policy.limits.get(parameter.dimension, value):
            limit = policy.limits[parameter.dimension]
            yield f"limit_{parameter.dimension}", f"{name} is {value:,}, at most {limit:,}"
        closed = parameter.type == "enum" and name in call.arguments and parameter.of in policy.sets
        if closed and value not in policy.sets[parameter.of] and not _is_reference(value):
            yield f"set_{parameter.of}", f"{value!r} is not open to a {policy.role}"
        if parameter.type == "people" and name in call.arguments:
            yield from _people(which, policy, value, fed)
        if parameter.type == "future" and (day := iso_date(value)):
            ahead = (day - TODAY).days
            if not 0 <= ahead <= policy.windows.get(name, ahead):
                yield "window", f"{name} is {ahead} days ahead, 0..{policy.windows.get(name)} are allowed"
        if parameter.type == "id" and parameter.key and name in call.arguments:
            yield from _owner(which, policy, parameter.of, value)
    yield from _days(policy, call.arguments)
    yield from _approval(which, policy, tool, call, trace)


def _is_reference(value: Any) -> bool:
    return type(value) is str and REFERENCE.fullmatch(value) is not None


def _people(which: Domain, policy: Policy, people: list[str], fed: int) -> Iterator[tuple[str, str]]:
    most = policy.limits.get("recipients", len(people))
    if len(people) > most:
        yield "limit_recipients", f"{len(people)} people, at most {most}"
    for person in people:
        group = which.world.group_of.get(person, "")
        if group in policy.clearance and fed > policy.clearance[group][1]:
            yield "clearance", f"class {fed} reaches {person} ({group}, up to {policy.clearance[group][1]})"


def _owner(which: Domain, policy: Policy, kind: str, value: Any) -> Iterator[tuple[str, str]]:
    if kind not in which.spec.records or _is_reference(value):
        return
    allowed, number = allowed_owners(which, policy, kind), which.world.number_of(kind, value)
    if allowed is not None and number and which.world.owner(kind, number) not in allowed:
        yield "owner", f"{value} belongs to {which.world.owner(kind, number)}"


def _days(policy: Policy, arguments: dict[str, Any]) -> Iterator[tuple[str, str]]:
    since, until = iso_date(arguments.get("since")), iso_date(arguments.get("until"))
    if since is None or until is None:
        return
    days = (until - since).days + 1
    if days < 1:
        yield "date_order", f"{since} is after {until}"
    elif days > policy.limits.get("days", days):
        yield "limit_days", f"{days:,} days, at most {policy.limits['days']:,}"


def _approval(which: Domain, policy: Policy, tool: Tool, call: ToolCall, trace: GoldTrace) -> Iterator[tuple[str, str]]:
    rule = policy.approvals.get(tool.name)
    if rule is None or not isinstance(amount := call.arguments.get(rule.parameter), int) or amount <= rule.above:
        return
    approval = call.arguments.get("approval_id")
    if approval is None:
        yield "approval", f"{rule.parameter} {amount:,} is above {rule.above:,} and has no approval"
        return
    facts = next((fact for fact in trace.metadata.get("session", ()) if fact.startswith(f"{approval} covers ")), None)
    if facts is None:
        yield "approval", f"nothing is known of {approval}"
    elif not any(facts.endswith(f"signed by the {name}") for name in rule.approvers):
        yield "approval", f"{approval} is not signed by {' or '.join(rule.approvers)}"
    elif f"up to {amount:,}," not in facts:
        yield "approval", f"{approval} does not cover {amount:,}"
