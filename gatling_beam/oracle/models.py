"""The gold-trace family as pydantic models: what people and language models write, with every constraint.

The JSON of a model is that of the Struct of the same name in `gatling_beam.oracle.trace`: a trace reads as either.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gatling_beam.domains.registry import domain
from gatling_beam.domains.spec import Intent
from gatling_beam.graph import topological_order
from gatling_beam.json_value import json_value
from gatling_beam.oracle import trace as structs
from gatling_beam.plan import MAX_NODES
from gatling_beam.validate.schema import schema_problems

SensitivityTier = Literal["public", "internal", "confidential", "restricted", "critical"]
SourceType = Literal["system", "user", "verified_rag", "unverified_rag"]


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError(f"{value!r} is blank; write at least one character that is seen")
    return value


def _known_domain(value: str) -> str:
    domain(value)
    return value


def _date_time(value: str) -> str:
    cure = "write an ISO 8601 date and time, as 2026-05-18T09:00:00"
    try:
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"{value!r} is no date-time; {cure}") from None
    if "T" not in value:
        raise ValueError(f"{value!r} has no time; {cure}")
    return value


T = TypeVar("T")
Positive = Annotated[int, Field(ge=1)]
Text = Annotated[str, AfterValidator(_not_blank)]
DomainName = Annotated[str, AfterValidator(_known_domain)]
DateTime = Annotated[str, AfterValidator(_date_time)]
#: A list of the JSON, a tuple here.
Items = Annotated[tuple[T, ...], Field(strict=False)]


class _Model(BaseModel):
    """Strict: "5" and true are no numbers. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ToolParameter(_Model):
    """A parameter of a tool; `constraints` may hold min, max, enum and max_length."""

    name: Text
    type: Literal["string", "integer", "number", "boolean", "array", "object"]
    description: str = ""
    required: bool = False
    default: Any = None
    constraints: dict[str, Any] = {}

    def problem(self, value: Any) -> str | None:
        """Why `value` is no argument for this parameter; None if it is one."""
        kinds: dict[str, tuple[type, ...]] = {
            "string": (str,),
            "integer": (int,),
            "number": (int, float),
            "boolean": (bool,),
            "array": (list,),
            "object": (dict,),
        }
        if not isinstance(value, kinds[self.type]) or (self.type != "boolean" and isinstance(value, bool)):
            return f"{self.name}={value!r} is no {self.type}"
        size = len(value) if isinstance(value, str | list) else value
        low, high = self.constraints.get("min"), self.constraints.get("max", self.constraints.get("max_length"))
        if isinstance(size, int | float) and ((low is not None and size < low) or (high is not None and size > high)):
            return f"{self.name}={value!r} is not in {low}..{high}"
        options = self.constraints.get("enum")
        return f"{self.name}={value!r} is not one of {options}" if options and value not in options else None


class ToolSchema(_Model):
    """A tool; `tool_id` is `<domain>.<tool>`."""

    tool_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
    domain: Text
    name: Text
    description: Text
    parameters: Items[ToolParameter]
    returns: str
    sensitivity: SensitivityTier = "internal"
    requires_auth: bool = True

    def problems(self, arguments: dict[str, Any]) -> list[str]:
        """What is wrong with the arguments of a call to this tool."""
        by_name = {parameter.name: parameter for parameter in self.parameters}
        found = [f"{name} is unknown" for name in arguments if name not in by_name]
        found += [f"{p.name} is missing" for p in self.parameters if p.required and p.name not in arguments]
        checked = (by_name[name].problem(value) for name, value in arguments.items() if name in by_name)
        return found + [problem for problem in checked if problem]


class SystemPolicy(_Model):
    """The policy as a role sees it."""

    policy_id: Text
    domain: DomainName
    description: Text
    rules: Annotated[Items[Text], Field(min_length=1)]
    forbidden_operations: Items[Text] = ()
    scope_limits: dict[Text, Positive] = {}

    @model_validator(mode="after")
    def _real_tools(self) -> "SystemPolicy":
        tools = {tool.tool_id for tool in domain(self.domain).tools.values()}
        if unknown := [name for name in self.forbidden_operations if name not in tools]:
            raise ValueError(f"forbidden_operations: {unknown} are no tools; there are {sorted(tools)}")
        return self


class ScopeMetadata(_Model):
    """What is asked for; None where it is not bounded."""

    rows_requested: Positive | None = None
    sensitivity_tier: SensitivityTier = "internal"
    time_range_days: Positive | None = None
    export_target: Text | None = None


class ProvenancePointer(_Model):
    """Where a call comes from; the time is the recipe's, never now."""

    source_type: SourceType
    source_id: Text
    timestamp: DateTime
    content_snippet: Text | None = None


class UserRequest(_Model):
    """The words of the user."""

    request_id: Text
    domain: DomainName
    text: Text
    intent_category: Intent
    expected_scope: ScopeMetadata
    trust_tier: SourceType = "user"


class ToolCall(_Model):
    """A call; its arguments are JSON values."""

    call_id: Text
    tool_id: Text
    arguments: dict[str, Any]
    scope: ScopeMetadata
    provenance: ProvenancePointer
    dependencies: Items[Text] = ()

    @model_validator(mode="after")
    def _json_arguments(self) -> "ToolCall":
        json_value(self.arguments)
        return self


class ToolCallGraph(_Model):
    """A non-empty acyclic graph of calls with unique ids, and an order that respects it."""

    graph_id: Text
    calls: Annotated[Items[ToolCall], Field(min_length=1, max_length=MAX_NODES)]
    execution_order: Items[Text]

    @model_validator(mode="after")
    def _a_dag(self) -> "ToolCallGraph":
        at = {call.call_id: k for k, call in enumerate(self.calls)}
        if len(at) < len(self.calls):
            raise ValueError("two calls have the same call_id")
        edges = []
        for k, call in enumerate(self.calls):
            if unknown := [name for name in call.dependencies if name not in at]:
                raise ValueError(f"{call.call_id} depends on {unknown}, which are no calls")
            edges += [(at[name], k) for name in call.dependencies]
        if topological_order(len(self.calls), edges) is None:
            raise ValueError("the dependencies form a cycle")
        if sorted(self.execution_order) != sorted(at):
            raise ValueError("execution_order does not name every call once")
        place = {name: k for k, name in enumerate(self.execution_order)}
        if any(place[self.calls[a].call_id] >= place[self.calls[b].call_id] for a, b in edges):
            raise ValueError("execution_order puts a call before one that it depends on")
        return self


class GoldTrace(_Model):
    """A request with the plan that serves it under a policy; every call is one that the domain's tools take."""

    trace_id: Text
    request: UserRequest
    policy: SystemPolicy
    graph: ToolCallGraph
    metadata: dict[str, Any] = {}
    created_at: DateTime
    validated: bool = False

    @model_validator(mode="after")
    def _one_domain(self) -> "GoldTrace":
        if self.request.domain != self.policy.domain:
            raise ValueError(f"the request is about {self.request.domain}, the policy about {self.policy.domain}")
        return self

    @model_validator(mode="after")
    def _json_metadata(self) -> "GoldTrace":
        json_value(self.metadata)
        return self

    @model_validator(mode="after")
    def _calls_of_the_domain(self) -> "GoldTrace":
        if found := list(schema_problems(self.to_struct())):
            raise ValueError("; ".join(f"{one.rule} {one.call_id}: {one.detail}" for one in found))
        return self

    def to_struct(self) -> structs.GoldTrace:
        """The same trace in the form that flows."""
        return msgspec.json.decode(self.model_dump_json(), type=structs.GoldTrace)
