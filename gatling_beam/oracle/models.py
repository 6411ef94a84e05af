"""The gold-trace family as pydantic models: what people and language models write, with every constraint.

The JSON of a model is that of the Struct of the same name in `gatling_beam.oracle.trace`: a trace reads as either.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_validator

from gatling_beam.domains.spec import Intent
from gatling_beam.graph import topological_order
from gatling_beam.json_value import json_value
from gatling_beam.oracle import trace as structs
from gatling_beam.plan import MAX_NODES

SensitivityTier = Literal["public", "internal", "confidential", "restricted", "critical"]
SourceType = Literal["system", "user", "verified_rag", "unverified_rag"]
Positive = Annotated[int, Field(ge=1)]
Text = Annotated[str, Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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
        low, high = self.constraints.get("min"), self.constraints.get("max")
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
    parameters: tuple[ToolParameter, ...]
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
    domain: Text
    description: str
    rules: Annotated[tuple[Text, ...], Field(min_length=1)]
    forbidden_operations: tuple[str, ...] = ()
    scope_limits: dict[str, Positive] = {}


class ScopeMetadata(_Model):
    """What is asked for; None where it is not bounded."""

    rows_requested: Positive | None = None
    sensitivity_tier: SensitivityTier = "internal"
    time_range_days: Positive | None = None
    export_target: str | None = None


class ProvenancePointer(_Model):
    """Where a call comes from; the time is the recipe's, never now."""

    source_type: SourceType
    source_id: Text
    timestamp: datetime
    content_snippet: str | None = None

    @field_serializer("timestamp")
    def _iso(self, value: datetime) -> str:
        return value.isoformat()


class UserRequest(_Model):
    """The words of the user."""

    request_id: Text
    domain: Text
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
    dependencies: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _json_arguments(self) -> "ToolCall":
        json_value(self.arguments)
        return self


class ToolCallGraph(_Model):
    """A non-empty acyclic graph of calls with unique ids, and an order that respects it."""

    graph_id: Text
    calls: Annotated[tuple[ToolCall, ...], Field(min_length=1, max_length=MAX_NODES)]
    execution_order: tuple[str, ...]

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
    """A request with the plan that serves it under a policy."""

    trace_id: Text
    request: UserRequest
    policy: SystemPolicy
    graph: ToolCallGraph
    metadata: dict[str, Any] = {}
    created_at: datetime
    validated: bool = False

    @field_serializer("created_at")
    def _iso(self, value: datetime) -> str:
        return value.isoformat()

    @model_validator(mode="after")
    def _one_domain(self) -> "GoldTrace":
        if self.request.domain != self.policy.domain:
            raise ValueError(f"the request is about {self.request.domain}, the policy about {self.policy.domain}")
        return self

    def to_struct(self) -> structs.GoldTrace:
        """The same trace in the form that flows."""
        return msgspec.json.decode(self.model_dump_json(), type=structs.GoldTrace)
