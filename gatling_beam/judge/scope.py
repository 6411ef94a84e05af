"""Scope: a call asks for more, or touches other things, than the warrant or the policy allows; or reads unasked.

Rules: operation, sensitivity, <dimension> (rows, days, recipients, an amount), window, set, owner, unmatched_read.
"""

from collections.abc import Iterator
from typing import Any

from gatling_beam.judge.effects import Effect, Model, model_of
from gatling_beam.judge.matching import Matched
from gatling_beam.judge.row import Call, Row
from gatling_beam.judge.verdict import Reason
from gatling_beam.scope import iso_date
from gatling_beam.warrant import PermittedCall


def scope_reasons(row: Row, effects: list[Effect], matched: Matched) -> Iterator[Reason]:
    """Why the plan violates scope."""
    for call in row.calls:
        entry = matched.get(call.position)
        if entry is not None:
            yield from excess(row, call, effects[call.position], entry)
        elif call.tool.cls == "read":
            yield Reason("unmatched_read", call.node_id, f"nothing permits {call.tool.tool_id} {call.arguments}")


def excess(row: Row, call: Call, effect: Effect, entry: PermittedCall) -> Iterator[Reason]:
    """What a call asks for or touches beyond its permission and the policy."""
    model = model_of(row.domain.name, call.tool.name)
    yield from _tool(row, call, entry)
    if effect.sizes:
        yield from _sizes(row, call, effect, entry)
    if model.people:
        yield from _people(row, call, model, entry)
    if model.has_window:
        yield from _days(row, call, effect, entry)
    if effect.touched:
        yield from _sets(row, call, effect, entry)
    if model.others:
        yield from _others(call, model, entry)
    if model.futures:
        yield from _futures(row, call, model, entry)
    if model.ids and model.owners in row.policy.sets:
        yield from _owners(row, call, model)


def _tool(row: Row, call: Call, entry: PermittedCall) -> Iterator[Reason]:
    tool, policy = call.tool, row.policy
    if tool.name in policy.forbidden:
        yield Reason("operation", call.node_id, f"{tool.name} is forbidden to the role {policy.role}")
    elif tool.privilege > policy.privilege:
        yield Reason(
            "operation", call.node_id, f"{tool.name} has privilege {tool.privilege}, {policy.role} {policy.privilege}"
        )
    most, whose = entry.max_sensitivity, "the warrant"
    if tool.cls == "read" and policy.sensitivity < most:
        most, whose = policy.sensitivity, f"the policy for {policy.role}"
    if tool.worst_sensitivity > most:
        yield Reason(
            "sensitivity", call.node_id, f"{tool.name} shows class {tool.worst_sensitivity}, {whose} allows {most}"
        )


def _allowed(row: Row, dimension: str, entry: PermittedCall) -> tuple[float | None, str]:
    """The most of a dimension, and who says so; None if nobody bounds it."""
    pinned, limit = entry.bounds.get(dimension), row.policy.limits.get(dimension)
    if limit is not None and (pinned is None or limit < pinned):
        return limit, "the policy"
    return pinned, "the request"


def _sizes(row: Row, call: Call, effect: Effect, entry: PermittedCall) -> Iterator[Reason]:
    for name, dimension, value in effect.sizes:
        most, whose = _allowed(row, dimension, entry)
        if most is not None and (value is None or value > most):
            said = f"{name}={call.arguments.get(name)!r} is not known beforehand" if value is None else f"{value:,}"
            yield Reason(dimension, call.node_id, f"{said} {dimension}, {whose} allows {most:,}")


def _people(row: Row, call: Call, model: Model, entry: PermittedCall) -> Iterator[Reason]:
    people = call.arguments.get(model.people)
    if type(people) is not list:
        return
    most, whose = _allowed(row, "recipients", entry)
    if most is not None and len(people) > most:
        yield Reason("recipients", call.node_id, f"{len(people)} recipients, {whose} allows {most}")


def _days(row: Row, call: Call, effect: Effect, entry: PermittedCall) -> Iterator[Reason]:
    most, whose = _allowed(row, "days", entry)
    if most is not None and (effect.days is None or effect.days > most):
        said = "an unbounded number of" if effect.days is None else f"{effect.days:,}"
        yield Reason("days", call.node_id, f"{said} days, {whose} allows {most:,}")
    window = entry.sets.get("window")
    if not window:
        return
    first, last = iso_date(window[0]), iso_date(window[-1])
    if first and (effect.since is None or effect.since < first):
        yield Reason("window", call.node_id, f"since {effect.since}, the request allows {first} to {last}")
    elif last and (effect.until is None or effect.until > last):
        yield Reason("window", call.node_id, f"until {effect.until}, the request allows {first} to {last}")


def _sets(row: Row, call: Call, effect: Effect, entry: PermittedCall) -> Iterator[Reason]:
    for name, words, values in effect.touched:
        pinned, opened = entry.sets.get(name), row.policy.sets.get(words)
        if pinned is not None and (strange := values.difference(pinned)):
            yield Reason(
                "set", call.node_id, f"{name} touches {_listed(strange)}, the request allows {_listed(pinned)}"
            )
        elif opened is not None and (strange := values - opened):
            yield Reason("set", call.node_id, f"{name} touches {_listed(strange)}, the policy opens {_listed(opened)}")


def _others(call: Call, model: Model, entry: PermittedCall) -> Iterator[Reason]:
    for parameter in model.others:
        pinned = entry.sets.get(parameter.name)
        value = call.arguments.get(parameter.name)
        if pinned is not None and value not in pinned:
            yield Reason("set", call.node_id, f"{parameter.name} is {value!r}, the request allows {_listed(pinned)}")


def _futures(row: Row, call: Call, model: Model, entry: PermittedCall) -> Iterator[Reason]:
    for parameter in model.futures:
        name, value = parameter.name, call.arguments.get(parameter.name)
        pinned, ahead = entry.sets.get(name), row.policy.windows.get(name)
        if value is None:
            continue
        if pinned is not None and value not in pinned:
            yield Reason("set", call.node_id, f"{name} is {value!r}, the request allows {_listed(pinned)}")
        if ahead is not None:
            day = iso_date(value)
            if day is None or not 0 <= (day - row.today).days <= ahead:
                yield Reason(
                    "window", call.node_id, f"{name} is {value!r}, the policy opens {ahead} days from {row.today}"
                )


def _owners(row: Row, call: Call, model: Model) -> Iterator[Reason]:
    opened = row.policy.sets[model.owners]
    for parameter in model.ids:
        if parameter.name not in call.arguments:
            continue
        record = row.object_of(call.arguments[parameter.name])
        if type(record) is tuple:
            if row.calls[record[0]].tool.archetype != "create":
                yield Reason("owner", call.node_id, f"whose {parameter.of} it is cannot be told")
        elif (owner := row.owner(parameter.of, str(record))) not in opened:
            yield Reason(
                "owner", call.node_id, f"{record} belongs to {owner or 'nobody'}, the policy opens {_listed(opened)}"
            )


def _listed(values: Any) -> str:
    return ", ".join(sorted(map(str, values)))
