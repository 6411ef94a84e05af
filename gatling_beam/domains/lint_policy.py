"""What the rules of a domain's policy must have beyond their form: things that exist and ranges that rise."""

from collections.abc import Iterator
from string import Formatter
from typing import Any

from gatling_beam.domains.spec import DomainSpec, RuleSpec
from gatling_beam.domains.tools import Tool
from gatling_beam.domains.tree import Path, Problem

_WANTED = {"limit", "set", "sensitivity", "privilege", "sources", "clearance", "forbidden"}
_SAYS = {"approval": {"by_role", "approvers"}, "window": {"days"}, "sources": {"tiers"}, "clearance": {"groups"}}


def lint_policy(spec: DomainSpec, tools: dict[str, Tool]) -> Iterator[Problem]:
    """The problems of a policy; each has the path of the rule, `policy.<position>`, and of what is wrong in it."""
    kinds = [rule.kind for rule in spec.policy]
    if missing := sorted(_WANTED - set(kinds)):
        yield Problem(("policy",), f"no rule of the kind {', '.join(missing)}")
    if kinds.count("limit") < 3:
        yield Problem(("policy",), f"{kinds.count('limit')} limits; at least 3 are wanted")
    seen: dict[tuple[str, str], int] = {}
    for k, rule in enumerate(spec.policy):
        about = (rule.kind, getattr(rule, rule.kind))
        if (first := seen.setdefault(about, k)) != k:
            yield Problem(("policy", k, rule.kind), f"policy.{first} is about {about[1]!r} too")
        for path, says in _rule(spec, rule, tools):
            yield Problem(("policy", k, *path), says)


def _rule(spec: DomainSpec, rule: RuleSpec, tools: dict[str, Tool]) -> Iterator[tuple[Path, str]]:
    yield from _text(rule)
    if rule.kind == "limit":
        yield from _limit(spec, rule, tools)
    elif rule.kind == "set":
        yield from _set(spec, rule)
    elif rule.kind == "window":
        yield from _window(rule, tools)
    elif rule.kind == "sensitivity":
        yield from _ranges(spec, rule, 1, 5)
    elif rule.kind == "privilege":
        yield from _ranges(spec, rule, 0, 10)
    elif rule.kind == "sources":
        yield from _ceilings(rule, {1, 2, 3}, 10)
    elif rule.kind == "clearance":
        yield from _ceilings(rule, set(spec.people), 5)
    elif rule.kind == "approval":
        yield from _approval(spec, rule, tools)
    else:
        yield from _forbidden(spec, rule, tools)


def _text(rule: RuleSpec) -> Iterator[tuple[Path, str]]:
    allowed = _SAYS.get(rule.kind, {"by_role"})
    try:
        said = {name for _, name, _, _ in Formatter().parse(rule.text) if name is not None}
    except ValueError as e:
        yield ("text",), f"{e}: {rule.text!r}"
        return
    if odd := sorted(said - allowed):
        yield ("text",), f"it names {odd}; a {rule.kind} rule may name {sorted(allowed)}"


def _limit(spec: DomainSpec, rule: RuleSpec, tools: dict[str, Tool]) -> Iterator[tuple[Path, str]]:
    bounded = {"days", *(p.dimension for p in _parameters(tools) if p.maximum is not None and p.dimension)}
    if rule.limit not in bounded:
        yield ("limit",), f"nothing is bounded by {rule.limit!r}; there are {sorted(bounded)}"
    yield from _ranges(spec, rule, 1, None)


def _set(spec: DomainSpec, rule: RuleSpec) -> Iterator[tuple[Path, str]]:
    if rule.set not in spec.lists:
        yield ("set",), f"there is no list {rule.set!r}; there are {sorted(spec.lists)}"
    yield from _ranges(spec, rule, 0, len(spec.lists.get(rule.set or "", ())) or None)


def _window(rule: RuleSpec, tools: dict[str, Tool]) -> Iterator[tuple[Path, str]]:
    futures = sorted({p.name for p in _parameters(tools) if p.type == "future"})
    if rule.window not in futures:
        yield ("window",), f"no future parameter is called {rule.window!r}; there are {futures}"
    if not rule.days:
        yield ("days",), "a window rule needs `days: [low, high]`"


def _approval(spec: DomainSpec, rule: RuleSpec, tools: dict[str, Tool]) -> Iterator[tuple[Path, str]]:
    yield from _ranges(spec, rule, 1, None)
    acts = sorted(tool.name for tool in tools.values() if tool.archetype == "act")
    if rule.approval not in tools:
        yield ("approval",), f"there is no tool {rule.approval!r}; those that take an approval are {acts}"
        return
    tool = tools[rule.approval]
    if tool.archetype != "act":
        yield ("approval",), f"{tool.name} is {tool.archetype} and takes no approval_id; those that do are {acts}"
        return
    numbers = sorted(p.name for p in tool.parameters.values() if p.type in ("money", "integer"))
    if rule.above not in numbers:
        yield ("above",), f"{tool.name} has no number {rule.above!r}; it has {numbers}"


def _forbidden(spec: DomainSpec, rule: RuleSpec, tools: dict[str, Tool]) -> Iterator[tuple[Path, str]]:
    yield from _roles(spec, rule)
    for role, choices in rule.by_role.items():
        if not isinstance(choices, list) or not choices or not all(isinstance(choice, list) for choice in choices):
            yield ("by_role", role), f"{choices!r} is no list of lists of tools, [[]] for none"
            continue
        for k, choice in enumerate(choices):
            for n, tool in enumerate(choice):
                if not isinstance(tool, str) or tool not in tools:
                    yield ("by_role", role, k, n), f"there is no tool {tool!r}; there are {sorted(tools)}"


def _ceilings(rule: RuleSpec, keys: set[Any], most: int) -> Iterator[tuple[Path, str]]:
    for name in ("alone", "named"):
        given = getattr(rule, name)
        if set(given) != keys:
            yield (name,), f"it must have the keys {sorted(map(str, keys))}, not {sorted(map(str, given))}"
        for key, values in given.items():
            if not values or not all(0 <= value <= most for value in values):
                yield (name, key), f"{list(values)} must hold numbers from 0 to {most}"


def _roles(spec: DomainSpec, rule: RuleSpec) -> Iterator[tuple[Path, str]]:
    if set(rule.by_role) != set(spec.roles):
        yield ("by_role",), f"it names {sorted(rule.by_role)}, the roles are {list(spec.roles)}"


def _ranges(spec: DomainSpec, rule: RuleSpec, least: int, most: int | None) -> Iterator[tuple[Path, str]]:
    """A range for each role, its ends within least..most; that of a higher role starts no lower."""
    yield from _roles(spec, rule)
    before = least
    for role in sorted(rule.by_role, key=lambda name: spec.roles.index(name) if name in spec.roles else -1):
        value = rule.by_role[role]
        path = ("by_role", role)
        if not isinstance(value, list) or len(value) != 2 or not all(isinstance(end, int) for end in value):
            yield path, f"{value!r} is no range; write [low, high], two whole numbers"
            continue
        low, high = value
        if low > high:
            yield path, f"[{low}, {high}]: the low end is above the high one"
        elif low < least or (most is not None and high > most):
            yield path, f"[{low}, {high}] leaves {least} to {'any number' if most is None else most}"
        elif low < before:
            yield path, f"[{low}, {high}]: a higher role has a smaller low end, below {before}"
        before = max(before, low)


def _parameters(tools: dict[str, Tool]) -> Iterator[Any]:
    for tool in tools.values():
        yield from tool.parameters.values()
