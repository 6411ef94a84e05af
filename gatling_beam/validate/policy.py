"""Policy: every rule of the policy, checked on what the calls really ask for."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from gatling_beam.domains.policies import Policy
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.tools import Parameter, Tool
from gatling_beam.domains.world import TODAY
from gatling_beam.oracle.access import system_policy, with_article
from gatling_beam.oracle.trace import GoldTrace, ToolCall
from gatling_beam.scope import iso_date
from gatling_beam.validate.approval import approval_problems
from gatling_beam.validate.flow import Flow
from gatling_beam.validate.problem import Problem
from gatling_beam.validate.schema import tool_of


def policy_problems(trace: GoldTrace) -> Iterator[Problem]:
    """Faults of the rules unknown_policy, policy_changed, forbidden, privilege, sensitivity, limit_<dimension>,
    set_<list>, owner, window, date_order, clearance, approval, source_tier and unbounded_reference.

    Where a call leaves out what the policy bounds, it asks for everything: no owner filter is every owner, no dates are
    all days.
    """
    which = domain(trace.request.domain)
    policy = which.policy_by_id.get(trace.policy.policy_id)
    if policy is None:
        yield Problem("unknown_policy", "", repr(trace.policy.policy_id))
        return
    own = system_policy(which.name, policy.policy_id)
    if trace.policy is not own and trace.policy != own:
        yield Problem("policy_changed", "", f"not the text of {policy.policy_id}")
    flow = Flow(which, trace)
    session = tuple(trace.metadata.get("session") or ())
    for call in flow.calls:
        tool = tool_of(which, call.tool_id)
        if tool is None:
            continue
        for rule, detail in _call(which, policy, tool, call, flow, session):
            yield Problem(rule, call.call_id, detail)


def _call(
    which: Domain, policy: Policy, tool: Tool, call: ToolCall, flow: Flow, session: tuple[Any, ...]
) -> Iterator[tuple[str, str]]:
    """Only those checks are begun that can find a fault in such a call."""
    yield from _tool(policy, tool)
    yield from _arguments(which, policy, tool, call, flow)
    if tool.archetype in ("search", "summarize"):
        yield from _left_out(which, policy, tool, call)
    if "since" in tool.parameters or "since" in call.arguments:
        yield from _days(policy, tool, call.arguments)
    yield from approval_problems(policy, tool, call, flow, session)


def _tool(policy: Policy, tool: Tool) -> Iterator[tuple[str, str]]:
    if tool.name in policy.forbidden:
        yield "forbidden", f"{tool.name} is not to be used by {with_article(policy.role)}"
    if tool.privilege > policy.privilege:
        yield "privilege", f"{tool.name} has privilege {tool.privilege}, {with_article(policy.role)} {policy.privilege}"
    if tool.cls == "read" and tool.worst_sensitivity > policy.sensitivity:
        yield "sensitivity", f"{tool.name} shows class {tool.worst_sensitivity}, at most {policy.sensitivity}"


def _arguments(which: Domain, policy: Policy, tool: Tool, call: ToolCall, flow: Flow) -> Iterator[tuple[str, str]]:
    taken, fed, arguments = flow.taken[call.call_id], flow.fed[call.call_id], call.arguments
    for name, parameter in tool.parameters.items():
        given = name in arguments
        value = arguments[name] if given else parameter.default
        if type(value) is int and value > policy.limits.get(parameter.dimension, value):
            limit = policy.limits[parameter.dimension]
            yield f"limit_{parameter.dimension}", f"{name} is {value:,}, at most {limit:,}"
        if not given:
            continue
        if name in taken:
            yield from _reference(policy, tool, parameter, taken[name], flow)
        elif parameter.type == "enum" and value not in policy.sets.get(parameter.of, (value,)):
            yield f"set_{parameter.of}", f"{value!r} is not open to {with_article(policy.role)}"
        elif parameter.type == "people":
            yield from _people(which, policy, value, fed)
        elif parameter.type == "future" and (day := iso_date(value)):
            ahead = (day - TODAY).days
            if not 0 <= ahead <= policy.windows.get(name, ahead):
                yield "window", f"{name} is {ahead} days ahead, 0..{policy.windows.get(name)} are allowed"
        if parameter.key and parameter.type == "id" and parameter.of in which.spec.records:
            yield from _owner(which, policy, parameter.of, value, flow)


def _reference(
    policy: Policy, tool: Tool, parameter: Parameter, sources: list[str], flow: Flow
) -> Iterator[tuple[str, str]]:
    """A result cannot be held against a bound beforehand; a deciding value comes from whom the policy trusts."""
    approval = policy.approvals.get(tool.name)
    if (
        parameter.dimension in policy.limits
        or (parameter.type == "enum" and parameter.of in policy.sets)
        or (parameter.type == "future" and parameter.name in policy.windows)
        or (parameter.type == "people" and policy.clearance)
        or (approval is not None and approval.parameter == parameter.name)
    ):
        yield (
            "unbounded_reference",
            f"{parameter.name} is bounded, but what {sources[0]} returns is not known beforehand",
        )
    if parameter.role not in ("authority", "quantity"):
        return
    for source in sorted(flow.rests_on(sources)):
        ceiling = policy.ceilings.get(tier := flow.tier(source))
        if ceiling is None:
            continue
        named = flow.is_named(source)
        if tool.privilege > ceiling[named]:
            yield (
                "source_tier",
                f"{parameter.name} rests on a text of tier {tier}, which decides up to privilege {ceiling[named]};"
                f" {tool.name} has {tool.privilege}",
            )


def _people(which: Domain, policy: Policy, people: list[str], fed: int) -> Iterator[tuple[str, str]]:
    most = policy.limits.get("recipients", len(people))
    if len(people) > most:
        yield "limit_recipients", f"{len(people)} people, at most {most}"
    for person in people:
        group = which.world.group_of.get(person, "")
        if group in policy.clearance and fed > policy.clearance[group][1]:
            yield "clearance", f"class {fed} reaches {person} ({group}, up to {policy.clearance[group][1]})"


def _owner(which: Domain, policy: Policy, kind: str, value: Any, flow: Flow) -> Iterator[tuple[str, str]]:
    opened = policy.sets.get(_owner_list(which, kind))
    if opened is None:
        return
    own_id = flow.object_of(kind, value)
    if own_id is None:
        yield "owner", f"whose {kind} {value!r} is cannot be told"
    elif (number := which.world.number_of(kind, own_id)) and (owner := which.world.owner(kind, number)) not in opened:
        yield "owner", f"{own_id} belongs to {owner}"


@lru_cache(maxsize=1 << 12)
def _owner_list(which: Domain, kind: str) -> str:
    """The list that the owners of a kind of record are on; "" where it has none."""
    record = which.spec.records[kind]
    return record.fields[record.owner].draw.removeprefix("list ") if record.owner else ""


def _left_out(which: Domain, policy: Policy, tool: Tool, call: ToolCall) -> Iterator[tuple[str, str]]:
    """Without a filter of owners a query is about all of them."""
    words = _owner_list(which, tool.record)
    if words not in policy.sets or (owner := which.spec.records[tool.record].owner) in call.arguments:
        return
    if closed := set(which.spec.lists[words]) - policy.sets[words]:
        yield f"set_{words}", f"no {owner} is given, and {', '.join(sorted(closed))} are closed"


def _days(policy: Policy, tool: Tool, arguments: dict[str, Any]) -> Iterator[tuple[str, str]]:
    since, until = iso_date(arguments.get("since")), iso_date(arguments.get("until"))
    if since is None or until is None:
        if "since" in tool.parameters and "days" in policy.limits:
            yield "limit_days", f"unbounded: since and until are not both given, at most {policy.limits['days']:,} days"
        return
    days = (until - since).days + 1
    if days < 1:
        yield "date_order", f"{since} is after {until}"
    elif days > policy.limits.get("days", days):
        yield "limit_days", f"{days:,} days, at most {policy.limits['days']:,}"
