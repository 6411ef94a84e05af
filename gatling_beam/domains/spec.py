"""What a domain file may say: pydantic models of the YAML, in the words of the file."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Intent = Literal["retrieve", "update", "create", "delete", "export", "analyze"]
INTENTS: tuple[Intent, ...] = ("retrieve", "update", "create", "delete", "export", "analyze")
Register = Literal["terse", "plain", "polite", "long"]
REGISTERS: tuple[Register, ...] = ("terse", "plain", "polite", "long")

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


def _name(value: str) -> str:
    if not _NAME.match(value):
        raise ValueError(f"{value!r} is not a name: small letters, digits and _")
    return value


Name = Annotated[str, AfterValidator(_name)]


class Part(BaseModel):
    """A part of a domain file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _spoken(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if odd := [item for item in value if not isinstance(item, str | int)]:
        raise ValueError(f"{odd[0]!r} is no word")
    if len({str(item) for item in value}) < len(value):
        raise ValueError("a word stands twice")
    return {str(item): str(item) for item in value}


#: The values of a list with how they are said; a plain list says them as they are.
Words = Annotated[dict[str, str], BeforeValidator(_spoken), Field(min_length=2)]


class FieldSpec(Part):
    """A field of a record: how its values are drawn, its sensitivity 1..5, and how it is said.

    `draw` is `list <list>`, `money lo..hi`, `number lo..hi`, `past <days>`, `code <pattern with #>` or `text`.
    """

    draw: str
    sensitivity: int = Field(ge=1, le=5)
    says: str

    @model_validator(mode="before")
    @classmethod
    def _from_triple(cls, value: Any) -> Any:
        if isinstance(value, list) and len(value) == 3:
            return dict(zip(("draw", "sensitivity", "says"), value, strict=True))
        return value

    @model_validator(mode="after")
    def _known_draw(self) -> "FieldSpec":
        if not re.match(r"list \w+\Z|(?:money|number) [0-9]+\.\.[0-9]+\Z|past [0-9]+\Z|code \S.*\Z|text\Z", self.draw):
            raise ValueError(
                f"{self.draw!r} is no draw; use list <list>, money lo..hi, number lo..hi, past <days>, code <#>, text"
            )
        if (bounds := re.match(r"(?:money|number) ([0-9]+)\.\.([0-9]+)\Z", self.draw)) and int(bounds[1]) > int(
            bounds[2]
        ):
            raise ValueError(f"{self.draw!r}: its low is above its high")
        return self


class RecordSpec(Part):
    """A kind of record of the domain's world.

    A record with `fields` is data: `owner` is the field that says whose it is, `date` the one that from/to filter.
    A record with `texts` is something people wrote about a record of the kind `about`: `channels` gives the trust tier
    of each place it may come from, and each text may name `{about}`, a list of the domain, and `{code}`. An `id` has
    six digits or more, so that tasks about one record alone seldom repeat.
    """

    id: str = Field(pattern=r"^[A-Z]+-#{6,8}$")
    called: tuple[str, str]
    count: int = Field(240, ge=20, le=2_000)
    owner: Name | None = None
    date: Name | None = None
    fields: dict[Name, FieldSpec] = {}
    about: Name | None = None
    channels: dict[str, Literal[1, 2, 3]] = {}
    texts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_kind(self) -> "RecordSpec":
        if bool(self.fields) == bool(self.texts):
            raise ValueError("a record has either fields or texts")
        if self.texts and (len(self.texts) < 4 or not self.about or set(self.channels.values()) != {1, 2, 3}):
            raise ValueError("a record of texts has at least 4 texts, `about`, and channels of all three tiers")
        for field in (self.owner, self.date):
            if field is not None and field not in self.fields:
                raise ValueError(f"{field!r} is not one of its fields {sorted(self.fields)}")
        return self


class ToolSpec(Part):
    """A tool, by its archetype (`is`) and what is special to it.

    `of` is the record it is about. search: `by` (fields to filter by); get: `shows`; summarize: `by`, `measures`;
    read: a record of texts; create and update: `sets`; delete; act: `with` (name -> type); run: `job` (a list);
    send: `takes` rows or text; export: `to` (a list of destinations).
    """

    archetype: Literal[
        "search", "get", "summarize", "read", "create", "update", "delete", "act", "run", "send", "export"
    ] = Field(alias="is")
    says: str = Field(min_length=8)
    of: Name | None = None
    by: tuple[Name, ...] = ()
    shows: tuple[Name, ...] = ()
    measures: tuple[Name, ...] = ()
    sets: tuple[Name, ...] = ()
    extras: dict[Name, str] = Field({}, alias="with")
    job: Name | None = None
    takes: Literal["rows", "text"] | None = None
    to: Name | None = None
    privilege: int | None = Field(None, ge=0, le=10)

    @model_validator(mode="after")
    def _complete(self) -> "ToolSpec":
        needs = {
            "search": ("of", "by"),
            "get": ("of", "shows"),
            "summarize": ("of", "by"),
            "create": ("of", "sets"),
            "update": ("of", "sets"),
            "act": ("of", "extras"),
            "run": ("of", "job"),
            "send": ("takes",),
            "export": ("to",),
        }.get(self.archetype, ("of",))
        if missing := [name for name in needs if not getattr(self, name)]:
            raise ValueError(f"a tool that is {self.archetype} needs {', '.join(missing).replace('extras', 'with')}")
        return self


def _rising(value: tuple[int, int]) -> tuple[int, int]:
    low, high = value
    if not 1 <= low <= high:
        raise ValueError(f"[{low}, {high}] is no range: 1 <= low <= high")
    return value


Range = Annotated[tuple[int, int], AfterValidator(_rising)]


class RuleSpec(Part):
    """One rule of the policy: a readable text with a drawn value in it, and the ranges the value is drawn from.

    Exactly one of `limit` (rows, days, recipients or a money/integer parameter), `set` (a list), `window` (a future
    date parameter), `sensitivity`, `privilege`, `sources`, `clearance`, `approval` (a tool), `forbidden`.
    """

    text: str
    limit: str | None = None
    set: str | None = None
    window: str | None = None
    sensitivity: Literal["fields"] | None = None
    privilege: Literal["tools"] | None = None
    sources: Literal["tiers"] | None = None
    clearance: Literal["people"] | None = None
    approval: str | None = None
    forbidden: Literal["tools"] | None = None
    above: str | None = None
    days: Range | None = None
    by_role: dict[str, Any] = {}
    alone: dict[Any, tuple[int, ...]] = {}
    named: dict[Any, tuple[int, ...]] = {}

    @property
    def kind(self) -> str:
        """The one kind that is given."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @model_validator(mode="after")
    def _one_kind(self) -> "RuleSpec":
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"a rule has exactly one of {', '.join(KINDS)}; this one has {given or 'none'}")
        wants = _PLACEHOLDERS[given[0]]
        if f"{{{wants}}}" not in self.text:
            raise ValueError(f"the text of a {given[0]} rule must hold {{{wants}}}")
        return self


KINDS = ("limit", "set", "window", "sensitivity", "privilege", "sources", "clearance", "approval", "forbidden")
_PLACEHOLDERS = {
    **dict.fromkeys(KINDS, "by_role"),
    "window": "days",
    "sources": "tiers",
    "clearance": "groups",
}


class TaskSpec(Part):
    """Something people ask for: a plan and the ways to ask for it.

    `plan` maps a node to a call, `tool(parameter=$slot, other=$node.field) after node, node` or `... if node`. `ask`
    maps each register to at least two sentences that say every slot as `{slot}`; a date range is said as `{when}`, and
    `{approval}` and `{reference}` (the requester's own number) are sentences of their own that stand at the end.
    Where a call hangs on a text that is read (`... if note`), `met_by` holds three or more texts under which that call
    is what the sentences ask for; they are read instead of the record's own texts.
    """

    intent: Intent
    plan: dict[Name, str] = Field(min_length=1, max_length=8)
    met_by: tuple[str, ...] = ()
    ask: dict[Register, Annotated[tuple[str, ...], Field(min_length=2)]]

    @model_validator(mode="after")
    def _all_registers(self) -> "TaskSpec":
        if missing := [register for register in REGISTERS if register not in self.ask]:
            raise ValueError(f"no sentences in the register {', '.join(missing)}")
        return self


class DomainSpec(Part):
    """One domain file."""

    domain: Name
    title: str
    group: str = "core business"
    roles: tuple[str, str, str]
    approvers: tuple[str, str, str]
    lists: dict[Name, Words]
    records: dict[Name, RecordSpec]
    people: Annotated[dict[str, str], Field(min_length=2)]
    tools: Annotated[dict[Name, ToolSpec], Field(min_length=5)]
    policy: tuple[RuleSpec, ...] = Field(min_length=8)
    because: tuple[str, ...] = Field(min_length=8)
    tasks: Annotated[dict[Name, TaskSpec], Field(min_length=6)]
