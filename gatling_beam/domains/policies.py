"""Policy variants: each is one draw of all values of a domain's rules, and reads as text."""

import re
from collections.abc import Mapping
from random import Random
from typing import Any

import msgspec

from gatling_beam.domains.numbers import draw_number
from gatling_beam.domains.spec import DomainSpec, RuleSpec
from gatling_beam.domains.tools import Tool

VARIANTS = 24
_COUNTS_ARE_FREE = " Counts return no rows and are not bound by this."

_ID = re.compile(r"([a-z0-9_]+)_v([0-9]{2})_(.+)")

_WHEN_APPROVED = " It must be valid on the day of the call's effect: the date that the call gives, else today."

Ceiling = tuple[int, int]  # alone, and where the request names the source or the person


class Approval(msgspec.Struct, frozen=True):
    """Calls of `tool` with more than `above` in `parameter` need an approval signed by one of `approvers`."""

    tool: str
    parameter: str
    above: int
    approvers: tuple[str, ...]


class Policy(msgspec.Struct, frozen=True):
    """What one role may do under one variant of a domain's policy.

    `limits` maps a dimension (rows, days, recipients, a parameter) to the most that is allowed; `sets` a list to the
    values that are; `windows` a future date parameter to the days ahead; `ceilings` a trust tier to the privilege its
    values may decide about; `clearance` a group of people to the field class that may be sent to it.
    """

    policy_id: str
    domain: str
    role: str
    limits: dict[str, int]
    sets: dict[str, frozenset[str]]
    windows: dict[str, int]
    sensitivity: int
    privilege: int
    ceilings: dict[int, Ceiling]
    clearance: dict[str, Ceiling]
    approvals: dict[str, Approval]
    forbidden: frozenset[str]
    rules: tuple[str, ...]


def draw_policies(spec: DomainSpec, tools: dict[str, Tool]) -> tuple[Policy, ...]:
    """All variants of a domain's policy, one after another, each for every role."""
    return tuple(_policy(spec, variant, role, {}) for variant in range(VARIANTS) for role in range(len(spec.roles)))


#: What of a variant is set otherwise: a limit or the class `sensitivity` by its name, a list to the values that are
#: open, a tool to (the most that needs no approval, who may sign).
Changes = Mapping[str, "int | frozenset[str] | tuple[int, tuple[str, ...]]"]


def changed_policy(spec: DomainSpec, policy: Policy, changes: Changes) -> Policy:
    """The policy with some values set otherwise, its rules saying so; its id tells how: `<id>~rows=199`.

    Raises:
      ValueError: for a change that no rule of the domain says.
    """
    return policy_of(spec, changed_id(policy.policy_id, changes))


def changed_id(policy_id: str, changes: Changes) -> str:
    """The id of a policy with some values set otherwise instead of those that it says, if any."""
    return policy_id.partition("~")[0] + "".join(
        f"~{name}={_written(value)}" for name, value in sorted(changes.items())
    )


def _written(value: Any) -> str:
    if isinstance(value, frozenset):
        return "|".join(sorted(value))
    return f"{value[0]}:{'|'.join(value[1])}" if isinstance(value, tuple) else str(value)


def policy_of(spec: DomainSpec, policy_id: str) -> Policy:
    """The policy of an id such as `banking_v03_teller` or `banking_v03_teller~rows=199~branch=Old Mill|Westgate`.

    Raises:
      ValueError: for an id that names none.
    """
    base, *changes = policy_id.split("~")
    match = _ID.fullmatch(base)
    roles = [role.replace(" ", "_") for role in spec.roles]
    if not match or match[1] != spec.domain or int(match[2]) >= VARIANTS or match[3] not in roles:
        raise ValueError(f"policy_id={policy_id!r} is no policy of {spec.domain}")
    read = dict(_read_change(spec, policy_id, change) for change in changes)
    return _policy(spec, int(match[2]), roles.index(match[3]), read)


def _read_change(spec: DomainSpec, policy_id: str, change: str) -> tuple[str, Any]:
    name, _, value = change.partition("=")
    for rule in spec.policy:
        if rule.set == name and value:
            chosen = frozenset(value.split("|"))
            if chosen <= spec.lists[name].keys():
                return name, chosen
        elif rule.limit == name or (rule.sensitivity and name == "sensitivity"):
            if value.isascii() and value.isdigit():
                return name, int(value)
        elif rule.approval == name:
            above, _, signers = value.partition(":")
            signed = tuple(signers.split("|"))
            if above.isascii() and above.isdigit() and set(signed) <= set(spec.approvers):
                return name, (int(above), signed)
    raise ValueError(f"policy_id={policy_id!r}: {spec.domain} has no rule that could say {change!r}")


def _policy(spec: DomainSpec, variant: int, role: int, changes: Changes) -> Policy:
    rng = Random(f"policy/{spec.domain}/{variant}")
    values: dict[str, Any] = {
        "limits": {}, "sets": {}, "windows": {}, "sensitivity": 5, "privilege": 10, "ceilings": {}, "clearance": {},
        "approvals": {}, "forbidden": frozenset(), "changes": changes, "drawn": {},
    }  # fmt: skip
    rules = []
    for rule in spec.policy:
        # All roles are drawn, so that the same variant says the same about each of them.
        said = _DRAW[rule.kind](spec, rule, rng, role, values)
        counts = rule.limit == "rows" and any(tool.archetype == "summarize" for tool in spec.tools.values())
        more = _COUNTS_ARE_FREE if counts else _WHEN_APPROVED if rule.approval else ""
        rules.append(rule.text.format(**said) + more)
    name = spec.roles[role]
    marks = "".join(f"~{what}={_written(value)}" for what, value in sorted(values.pop("changes").items()))
    policy_id = f"{spec.domain}_v{variant:02d}_{name.replace(' ', '_')}{marks}"
    values.pop("drawn")
    return Policy(policy_id=policy_id, domain=spec.domain, role=name, rules=tuple(rules), **values)


def _rising(spec: DomainSpec, rule: RuleSpec, rng: Random) -> list[int]:
    """A number for each role; a higher role never has the smaller one."""
    return sorted(draw_number(rng, *rule.by_role[role]) for role in spec.roles)


def _limit(spec: DomainSpec, rule: RuleSpec, rng: Random, role: int, values: dict[str, Any]) -> dict[str, str]:
    drawn = _rising(spec, rule, rng)[role]
    values["drawn"][rule.limit] = drawn
    number = values["changes"].get(rule.limit, drawn)
    values["limits"][rule.limit] = number
    return {"by_role": f"{number:,}"}


def _set(spec: DomainSpec, rule: RuleSpec, rng: Random, role: int, values: dict[str, Any]) -> dict[str, str]:
    words = spec.lists[rule.set or ""]
    pool = list(words)
    rng.shuffle(pool)
    size = sorted(rng.randint(*rule.by_role[name]) for name in spec.roles)[role]
    allowed = values["changes"].get(rule.set, pool[:size])
    values["sets"][rule.set] = frozenset(allowed)
    return {"by_role": ", ".join(words[item] for item in sorted(allowed))}


def _window(spec: DomainSpec, rule: RuleSpec, rng: Random, role: int, values: dict[str, Any]) -> dict[str, str]:
    days = draw_number(rng, *(rule.days or (1, 30)))
    values["windows"][rule.window] = days
    return {"days": f"{days:,}"}


def _level(spec: DomainSpec, rule: RuleSpec, rng: Random, role: int, values: dict[str, Any]) -> dict[str, str]:
    level = sorted(rng.randint(*rule.by_role[name]) for name in spec.roles)[role]
    level = values["changes"].get(rule.kind, level)
    values[rule.kind] = level
    return {"by_role": str(level)}


def _ceilings(rule: RuleSpec, rng: Random) -> dict[Any, Ceiling]:
    drawn = {key: sorted((rng.choice(rule.alone[key]), rng.choice(rule.named[key]))) for key in rule.alone}
    return {key: (alone, named) for key, (alone, named) in drawn.items()}


def _said(ceilings: dict[Any, Ceiling], names: dict[Any, str], what: str) -> str:
    return "; ".join(
        f"{names[key]} {alone}" + (f" ({named} if the request names the {what})" if named > alone else "")
        for key, (alone, named) in ceilings.items()
    )


def _sources(spec: DomainSpec, rule: RuleSpec, rng: Random, role: int, values: dict[str, Any]) -> dict[str, str]:
    values["ceilings"] = _ceilings(rule, rng)
    names = {1: "our own records up to privilege", 2: "signed sources up to", 3: "unverified sources up to"}
    return {"tiers": _said(values["ceilings"], names, "source")}


def _clearance(spec: DomainSpec, rule: RuleSpec, rng: Random, role: int, values: dict[str, Any]) -> dict[str, str]:
    values["clearance"] = _ceilings(rule, rng)
    return {"groups": _said(values["clearance"], {group: group for group in spec.people}, "person")}


def _approval(spec: DomainSpec, rule: RuleSpec, rng: Random, role: int, values: dict[str, Any]) -> dict[str, str]:
    above = _rising(spec, rule, rng)[role]
    if limit := values["drawn"].get(rule.above):
        above = min(above, max(1, limit // 2))  # else no amount that is allowed at all would need one
    approvers = tuple(sorted(rng.sample(spec.approvers, rng.randint(1, 2))))
    above, approvers = values["changes"].get(rule.approval, (above, approvers))
    values["approvals"][rule.approval] = Approval(rule.approval or "", rule.above or "", above, approvers)
    return {"by_role": f"{above:,}", "approvers": " or ".join(approvers)}


def _forbidden(spec: DomainSpec, rule: RuleSpec, rng: Random, role: int, values: dict[str, Any]) -> dict[str, str]:
    choices = [rng.choice(rule.by_role[name]) for name in spec.roles]
    values["forbidden"] = frozenset(choices[role])
    return {"by_role": ", ".join(sorted(choices[role])) or "nothing"}


_DRAW = {
    "limit": _limit,
    "set": _set,
    "window": _window,
    "sensitivity": _level,
    "privilege": _level,
    "sources": _sources,
    "clearance": _clearance,
    "approval": _approval,
    "forbidden": _forbidden,
}
