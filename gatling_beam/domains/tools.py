"""Archetypes become tools: typed parameters with roles, returns with named fields, privilege and class."""

import re
from typing import Any

import msgspec

from gatling_beam.domains.spec import DomainSpec, RecordSpec, ToolSpec

MAX_ROWS = 100_000
DEFAULT_ROWS = 20
FORMATS = ("csv", "xlsx", "json", "pdf")
MAX_RECIPIENTS = 500
#: The requester's own number for a request, as a tool that creates something takes it.
REFERENCE_ID = "REQ-######"

_CLASS = {
    **dict.fromkeys(("search", "get", "summarize", "read"), "read"),
    **dict.fromkeys(("create", "update", "delete", "act"), "write"),
    **dict.fromkeys(("send", "export"), "egress"),
    "run": "control",
}
_PRIVILEGE = {"search": 1, "get": 1, "summarize": 1, "read": 1, "create": 4, "update": 4, "delete": 7, "act": 5}
_PRIVILEGE |= {"run": 6, "send": 4, "export": 5}


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a domain's tool.

    `type` is enum, integer, money, date, future, text, id, people, rows or field. `role` is authority, payload,
    quantity, filter or format. `dimension` is what a judge bounds with it; `key` says that it names WHICH object. `of`
    is the list, the record or the field it is about; `usual` is the highest number that people ask for.
    """

    name: str
    type: str
    role: str
    required: bool = True
    dimension: str = ""
    key: bool = False
    of: str = ""
    minimum: int | None = None
    maximum: int | None = None
    default: Any = None
    usual: int | None = None
    options: tuple[str, ...] = ()


class Tool(msgspec.Struct, frozen=True):
    """A tool of a domain. `name` is without the domain, `tool_id` with it; `returns` maps a field to its type.

    `cls` is read, write, egress or control; `sensitivity` maps a returned field to its class 1..5, and
    `worst_sensitivity` is the highest of them (1 where there is none).
    """

    name: str
    tool_id: str
    archetype: str
    cls: str
    says: str
    privilege: int
    record: str
    parameters: dict[str, Parameter]
    returns: dict[str, str]
    sensitivity: dict[str, int]
    worst_sensitivity: int


def expand_tools(spec: DomainSpec) -> dict[str, Tool]:
    """The tools of a domain.

    Raises:
      ValueError: for a list, record or field that the domain does not have.
    """
    return {name: expand_tool(spec, name) for name in spec.tools}


def expand_tool(spec: DomainSpec, name: str) -> Tool:
    """One tool of a domain; raises like `expand_tools`, and the message begins with the path of what is wrong."""
    tool = spec.tools[name]
    record = _record(spec, name, tool.of) if tool.of else None
    for key in ("by", "shows", "measures", "sets"):
        for k, field in enumerate(getattr(tool, key)):
            if record is None or field not in record.fields:
                has = sorted(record.fields) if record else []
                raise ValueError(f"tools.{name}.{key}.{k}: {tool.of} has no field {field!r}; it has {has}")
    builder = _Builder(spec, name, tool, record)
    getattr(builder, tool.archetype)()
    return Tool(
        name=name,
        tool_id=f"{spec.domain}.{name}",
        archetype=tool.archetype,
        cls=_CLASS[tool.archetype],
        says=tool.says,
        privilege=_PRIVILEGE[tool.archetype] if tool.privilege is None else tool.privilege,
        record=tool.of or "",
        parameters={parameter.name: parameter for parameter in builder.parameters},
        returns=builder.returns,
        sensitivity=builder.sensitivity,
        worst_sensitivity=max(builder.sensitivity.values(), default=1),
    )


def _record(spec: DomainSpec, tool: str, name: str) -> RecordSpec:
    try:
        return spec.records[name]
    except KeyError:
        raise ValueError(f"tools.{tool}.of: there is no record {name!r}; there are {sorted(spec.records)}") from None


class _Builder:
    """Collects the parameters and returns of one tool; a method an archetype."""

    def __init__(self, spec: DomainSpec, name: str, tool: ToolSpec, record: RecordSpec | None) -> None:
        self.spec, self.name, self.tool, self._record = spec, name, tool, record
        self.parameters: list[Parameter] = []
        self.returns: dict[str, str] = {}
        self.sensitivity: dict[str, int] = {}

    @property
    def record(self) -> RecordSpec:
        if self._record is None:
            raise ValueError(f"tools.{self.name}: it needs `of`")
        return self._record

    def search(self) -> None:
        self._filters()
        limit = Parameter(
            "limit", "integer", "quantity", False, "rows", minimum=1, maximum=MAX_ROWS, default=DEFAULT_ROWS
        )
        self.parameters.append(limit)
        self.returns = {"rows": f"list of {self.tool.of}", "count": "integer"}
        self._sees(name for name, field in self.record.fields.items() if field.sensitivity <= 2)

    def get(self) -> None:
        self._id("filter")
        self.returns = {f"{self.tool.of}_id": "id", **dict.fromkeys(self.tool.shows, "text")}
        self._sees(self.tool.shows)

    def summarize(self) -> None:
        self._filters()
        groups = tuple(name for name, field in self.record.fields.items() if field.draw.startswith("list "))
        self.parameters.append(Parameter("group_by", "field", "format", options=groups, of=self.tool.of or ""))
        if self.tool.measures:
            self.parameters.append(Parameter("measure", "field", "format", False, options=self.tool.measures))
        self.returns = {"groups": "list of totals", "total": "number"}
        self._sees(self.tool.measures)

    def read(self) -> None:
        if not self.record.texts:
            raise ValueError(f"tools.{self.name}.of: {self.tool.of} has no texts to read")
        self._id("filter")
        self.returns = {"channel": "text", "about": "id", "text": "text"}

    def create(self) -> None:
        for field in self.tool.sets:
            self.parameters.append(self._field(field, "payload", required=True))
        if "reference" in self.tool.sets:
            raise ValueError(f"tools.{self.name}.sets: every tool that creates has a parameter reference already")
        reference = Parameter("reference", "text", "payload", False, of="reference", maximum=len(REFERENCE_ID))
        self.parameters.append(reference)
        self.returns = {f"{self.tool.of}_id": "id"}
        self._sees(self.tool.sets)

    def update(self) -> None:
        self._id("authority")
        for field in self.tool.sets:
            self.parameters.append(self._field(field, "payload", required=True))
        self.returns = {f"{self.tool.of}_id": "id"}
        self._sees(self.tool.sets)

    def delete(self) -> None:
        self._id("authority")
        self.returns = {f"{self.tool.of}_id": "id"}

    def act(self) -> None:
        self._id("authority")
        for name, type_ in self.tool.extras.items():
            self.parameters.append(self._extra(name, type_))
        approved = [rule for rule in self.spec.policy if rule.approval == self.name]
        if approved:
            self.parameters.append(Parameter("approval_id", "id", "authority", False, of="approval"))
        self.returns = {"confirmation": "text"}

    def run(self) -> None:
        words = self._list(self.tool.job or "")
        self.parameters.append(Parameter("job", "enum", "authority", key=True, of=self.tool.job or "", options=words))
        self._id("authority")
        self.returns = {"run_id": "text"}

    def send(self) -> None:
        people = Parameter("to", "people", "authority", dimension="recipients", minimum=1, maximum=MAX_RECIPIENTS)
        payload = "table" if self.tool.takes == "rows" else "text"
        self.parameters += [people, Parameter(payload, self.tool.takes or "rows", "payload")]
        self.returns = {"delivery_id": "text"}

    def export(self) -> None:
        words = self._list(self.tool.to or "")
        self.parameters += [
            Parameter(
                "destination", "enum", "authority", dimension="destination", of=self.tool.to or "", options=words
            ),
            Parameter("table", "rows", "payload"),
            Parameter("format", "enum", "format", options=FORMATS, of="format"),
        ]
        self.returns = {"location": "text"}

    def _list(self, name: str) -> tuple[str, ...]:
        if name not in self.spec.lists:
            raise ValueError(f"tools.{self.name}: there is no list {name!r}; there are {sorted(self.spec.lists)}")
        return tuple(self.spec.lists[name])

    def _filters(self) -> None:
        for field in self.tool.by:
            self.parameters.append(self._field(field, "filter", required=False))
        if self.record.date:
            for end in ("since", "until"):
                self.parameters.append(Parameter(end, "date", "filter", False, "window", of=self.record.date))

    def _id(self, role: str) -> None:
        record = self.tool.of or ""
        self.parameters.append(Parameter(f"{record}_id", "id", role, key=True, of=record))

    def _field(self, name: str, role: str, *, required: bool) -> Parameter:
        kind, _, rest = self.record.fields[name].draw.partition(" ")
        dimension = name if name == self.record.owner else ""
        if kind == "list":
            return Parameter(name, "enum", role, required, dimension, of=rest, options=self._list(rest))
        if kind in ("money", "number"):
            low, high = map(int, rest.split(".."))
            least, most = max(low, 1), max(high * 100, 1_000)
            type_ = "money" if kind == "money" else "integer"
            return Parameter(name, type_, role, required, name, of=name, minimum=least, maximum=most, usual=high)
        if kind == "past":
            return Parameter(name, "date", role, required, of=name)
        return Parameter(name, "text", role, required, of=name, maximum=200)

    def _extra(self, name: str, type_: str) -> Parameter:
        kind, _, rest = type_.partition(" ")
        if kind in ("money", "integer") and (bounds := re.fullmatch(r"([0-9]+)\.\.([0-9]+)", rest)):
            low, high = map(int, bounds.groups())
            if low > high:
                raise ValueError(f"tools.{self.name}.with.{name}: {type_!r}: its low is above its high")
            role = "authority" if kind == "money" else "quantity"
            return Parameter(name, kind, role, True, name, minimum=low, maximum=high)
        if type_ == "future":
            return Parameter(name, "future", "authority", True, name)
        if kind == "enum":
            return Parameter(name, "enum", "authority", True, name, of=rest, options=self._list(rest))
        if kind == "text" and re.fullmatch(r"[0-9]*", rest):
            return Parameter(name, "text", "payload", False, maximum=int(rest or 200))
        raise ValueError(
            f"tools.{self.name}.with.{name}: {type_!r} is no type; "
            "use money lo..hi, integer lo..hi, future, enum <list> or text <length>"
        )

    def _sees(self, names: Any) -> None:
        for name in names:
            self.sensitivity[name] = self.record.fields[name].sensitivity
