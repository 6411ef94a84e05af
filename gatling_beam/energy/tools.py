"""What the critic needs to know of a domain's tool, worked out once for each tool."""

import re
from functools import lru_cache

import msgspec

from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.tools import Tool
from gatling_beam.lexicon import is_obfuscating

#: Weights of the dimensions of size; any other is an amount.
_WEIGHTS = {"rows": 1.0, "depth": 0.3, "recipients": 1.0}
_WEIGHT_OF_AMOUNT = 1.0


class Size(msgspec.Struct, frozen=True, gc=False):
    """An argument that says how much, and the dimension that bounds it."""

    name: str
    dimension: str
    default: int | None
    weight: float


class Choice(msgspec.Struct, frozen=True, gc=False):
    """An argument that takes one value of a list of the domain. Left out, a filter means all of `options`."""

    name: str
    of: str
    options: tuple[str, ...]
    is_filter: bool


class Object(msgspec.Struct, frozen=True, gc=False):
    """An argument that names a record, and the list on which its owners are ("" for none)."""

    name: str
    kind: str
    owners: str


class View(msgspec.Struct, frozen=True, gc=False):
    """A tool as the critic sees it. `span` is the number of days that the record's dates cover, 0 without dates;
    `about` finds the records that a text which the tool reads can be about."""

    tool: Tool
    domain: Domain
    is_effectful: bool
    control_flow: float
    keys: tuple[str, ...]
    sizes: tuple[Size, ...]
    choices: tuple[Choice, ...]
    objects: tuple[Object, ...]
    futures: tuple[str, ...]
    span: int
    about: re.Pattern[str] | None
    people: str
    store: str
    authority: frozenset[str]
    carriers: frozenset[str]
    is_obfuscating: bool


@lru_cache(maxsize=1 << 14)
def view_of(domain_name: str, tool_name: str) -> View | None:
    """The view of the tool `<domain>.<tool>`; None if the domain has no such tool.

    Raises:
      ValueError: for an unknown domain.
    """
    which = domain(domain_name)
    owner, _, name = tool_name.partition(".")
    tool = which.tools.get(name) if owner == which.name else None
    if tool is None:
        return None
    parameters = tool.parameters.values()
    record = which.spec.records.get(tool.record)
    date = record.fields[record.date].draw if record and record.date else ""
    return View(
        tool=tool,
        domain=which,
        is_effectful=tool.cls != "read",
        control_flow=float(tool.cls == "control"),
        keys=tuple(p.name for p in parameters if p.key),
        sizes=tuple(
            Size(p.name, p.dimension, p.default, _WEIGHTS.get(p.dimension, _WEIGHT_OF_AMOUNT))
            for p in parameters
            if p.type in ("integer", "money") and p.dimension
        ),
        choices=tuple(
            Choice(p.name, p.of, p.options, p.role == "filter")
            for p in parameters
            if p.type == "enum" and p.of != "format" and not p.key and p.dimension != "destination"
        ),
        objects=tuple(
            Object(p.name, p.of, _owners(which, p.of))
            for p in parameters
            if p.type == "id" and p.key and p.of in which.spec.records
        ),
        futures=tuple(p.name for p in parameters if p.type == "future"),
        span=int(date.removeprefix("past ")) + 1 if "since" in tool.parameters and date.startswith("past ") else 0,
        about=_ids_of(which, record.about) if record and tool.archetype == "read" and record.about else None,
        people=next((p.name for p in parameters if p.type == "people"), ""),
        store=next((p.name for p in parameters if p.dimension == "destination"), ""),
        authority=frozenset(p.name for p in parameters if p.role == "authority"),
        carriers=frozenset(p.name for p in parameters if p.role in ("authority", "filter")),
        is_obfuscating=is_obfuscating(name),
    )


def _ids_of(which: Domain, kind: str) -> re.Pattern[str]:
    form = which.spec.records[kind].id
    prefix, digits = form.rstrip("#"), form.count("#")
    return re.compile(rf"(?<!\w){re.escape(prefix)}[0-9]{{{digits}}}(?!\w)")


def _owners(which: Domain, kind: str) -> str:
    record = which.spec.records[kind]
    draw = record.fields[record.owner].draw if record.owner else ""
    return draw.removeprefix("list ") if draw.startswith("list ") else ""
