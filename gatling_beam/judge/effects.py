"""Execution on the domain's model: what a call asks for and what it touches, from its arguments alone.

A filter that is given touches that value only, one that is left out all values of its list; rows are the argument, else
the tool's default. A field of a record takes its values evenly, so the records that match can be reckoned.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from gatling_beam.domains.registry import domain
from gatling_beam.domains.tools import Parameter
from gatling_beam.domains.world import TODAY
from gatling_beam.judge.row import Call, Row
from gatling_beam.judge.verdict import Unjudged
from gatling_beam.scope import iso_date

_MATCHES = ("search", "summarize")


class Model(msgspec.Struct, frozen=True, gc=False):
    """What is known of a tool: its parameters by what they bound, and the records that it works on.

    `enums` take values of a list, `sizes` numbers, `futures` days to come; `others` are filters of another type.
    `size` is the number of records, `past` the days back over which their dates lie, `owners` the list that their
    owners are on and `owner` the field that says so ("" for none).
    """

    keys: tuple[str, ...]
    ids: tuple[Parameter, ...]
    enums: tuple[Parameter, ...]
    sizes: tuple[Parameter, ...]
    futures: tuple[Parameter, ...]
    others: tuple[Parameter, ...]
    people: str
    destination: str
    authority: tuple[str, ...]
    has_window: bool
    size: int
    past: int
    owner: str
    owners: str


class Effect(msgspec.Struct, frozen=True, gc=False):
    """What a call does.

    `sizes` are (parameter, dimension, number; None where it is not known beforehand), `touched` (parameter, list,
    values). `days` is the length of the window `since`..`until`; None where it has no such bounds. `matches` is the
    number of records that a read is expected to find.
    """

    sizes: tuple[tuple[str, str, int | float | None], ...]
    touched: tuple[tuple[str, str, frozenset[Any]], ...]
    since: date | None
    until: date | None
    days: int | None
    matches: float


@lru_cache(maxsize=1 << 12)
def model_of(domain_name: str, name: str) -> Model:
    """The model of a domain's tool."""
    which = domain(domain_name)
    tool = which.tools[name]
    record = which.spec.records.get(tool.record)
    parameters = tuple(tool.parameters.values())
    owner = (record.owner or "") if record else ""
    draw = record.fields[owner].draw if record and owner else ""
    dated = record.fields[record.date].draw.split() if record and record.date else []
    return Model(
        keys=tuple(p.name for p in parameters if p.key),
        ids=tuple(p for p in parameters if p.key and p.type == "id" and p.of in which.spec.records),
        enums=tuple(
            p
            for p in parameters
            if p.type == "enum" and not p.key and p.role != "format" and p.dimension != "destination"
        ),
        sizes=tuple(p for p in parameters if p.type in ("integer", "money") and p.dimension),
        futures=tuple(p for p in parameters if p.type == "future"),
        others=tuple(
            p for p in parameters if p.role == "filter" and not p.key and p.type != "enum" and p.dimension != "window"
        ),
        people=next((p.name for p in parameters if p.type == "people"), ""),
        destination=next((p.name for p in parameters if p.dimension == "destination"), ""),
        authority=tuple(p.name for p in parameters if p.role == "authority"),
        has_window="since" in tool.parameters and "until" in tool.parameters,
        size=int(10 ** record.id.count("#")) - 1 if record else 0,
        past=int(dated[1]) if dated[:1] == ["past"] else 0,
        owner=owner,
        owners=draw.removeprefix("list ") if draw.startswith("list ") else "",
    )


def effect_of(row: Row, call: Call) -> Effect:
    """What a call does.

    Raises:
      Unjudged: no_effect, for a read that can find nothing and a record that does not exist.
    """
    tool, arguments = call.tool, call.arguments
    model = model_of(row.domain.name, tool.name)
    touched = tuple(_touched(row, model, call)) if model.enums or model.owners else ()
    since, until, days = _window(arguments) if model.has_window else (None, None, None)
    sizes = tuple([(p.name, p.dimension, value) for p in model.sizes if (value := _number(call, p)) != ()])
    matches = 1.0
    if tool.archetype in _MATCHES:
        matches = _matches(model, arguments, since, until)
        if matches < 1 or (tool.archetype == "search" and any(d == "rows" and n == 0 for _, d, n in sizes)):
            raise Unjudged(
                "no_effect", f"{call.node_id}: {tool.name} can find nothing (expected: {matches:.3g} records)"
            )
    for parameter in model.ids:
        value = arguments.get(parameter.name)
        if parameter.name not in call.refs and not _exists(row, parameter.of, value):
            raise Unjudged("no_effect", f"{call.node_id}: there is no {parameter.of} {value!r}")
    return Effect(sizes, touched, since, until, days, matches)


def _exists(row: Row, kind: str, value: Any) -> bool:
    return type(value) is str and row.domain.world.number_of(kind, value) is not None


def _number(call: Call, parameter: Parameter) -> Any:
    """The number that a call asks for; None if it is not known beforehand, () if it asks for none."""
    value = call.arguments.get(parameter.name, parameter.default)
    if value is None:
        return ()
    return value if type(value) in (int, float) else None


def _touched(row: Row, model: Model, call: Call) -> Iterator[tuple[str, str, frozenset[Any]]]:
    arguments, selects = call.arguments, call.tool.archetype in _MATCHES
    for parameter in model.enums:
        name = parameter.name
        if name in arguments and name not in call.refs:
            yield name, parameter.of, frozenset((arguments[name],))
        elif name in arguments or (selects and parameter.role == "filter"):
            yield name, parameter.of, _options(row.domain.name, parameter.of)
    if selects and model.owners and model.owner not in call.tool.parameters:
        yield model.owner, model.owners, _options(row.domain.name, model.owners)


@lru_cache(maxsize=1 << 12)
def _options(domain_name: str, words: str) -> frozenset[str]:
    return frozenset(domain(domain_name).spec.lists[words])


def _window(arguments: dict[str, Any]) -> tuple[date | None, date | None, int | None]:
    since, until = iso_date(arguments.get("since")), iso_date(arguments.get("until"))
    return since, until, (until - since).days + 1 if since and until else None


def _matches(model: Model, arguments: dict[str, Any], since: date | None, until: date | None) -> float:
    """The records that are expected to match the filters: those of the kind, times the share of each filter."""
    matches = float(model.size)
    for parameter in model.enums:
        value = arguments.get(parameter.name)
        if value is not None:
            matches *= 1 / len(parameter.options) if value in parameter.options or str(value)[:1] == "$" else 0
    if model.past and (since or until):
        first = TODAY - timedelta(model.past)
        days = (min(until or TODAY, TODAY) - max(since or first, first)).days + 1
        matches *= max(0, days) / (model.past + 1)
    return matches
