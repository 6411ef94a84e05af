"""The warrant: what a request permits. It is drawn before the plan, and the request's text says it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from gatling_beam.domains.plans import Result, Slot, Step
from gatling_beam.domains.tools import Tool

#: Dimensions that are compared as sets of values, not as sizes.
_SIZE_TYPES = ("integer", "money")


class PermittedCall(msgspec.Struct, frozen=True, gc=False):
    """One call that the request permits.

    `key` says which object; `bounds` the most of each dimension (rows, days, recipients, amounts); `sets` the allowed
    values of each filter; `destinations` where data may go; `sources` from which read an argument may come.
    """

    call_id: str
    cls: str
    tools: list[str]
    key: dict[str, Any] = {}
    bounds: dict[str, int] = {}
    sets: dict[str, list[Any]] = {}
    destinations: list[str] = []
    sources: dict[str, str] = {}
    max_sensitivity: int = 5


def permitted_call(step: Step, call_id: str, arguments: Mapping[str, Any], days: int | None) -> dict[str, Any]:
    """The permission for a step with the arguments that were drawn for it: a `PermittedCall` as plain values."""
    tool: Tool = step.tool
    key: dict[str, Any] = {}
    bounds: dict[str, int] = {}
    sets: dict[str, list[Any]] = {}
    destinations: list[str] = []
    sources: dict[str, str] = {}
    for name, value in arguments.items():
        parameter = tool.parameters[name]
        drawn = step.arguments.get(name)
        if type(drawn) is Result:
            sources[name] = str(value)
        if parameter.key:
            key[name] = value
        elif parameter.type in _SIZE_TYPES and parameter.dimension:
            bounds[parameter.dimension] = value
        elif parameter.type == "people":
            destinations = list(value)
            bounds["recipients"] = len(value)
        elif parameter.dimension == "destination":
            destinations = [value]
        elif parameter.role in ("filter", "authority") and type(drawn) is Slot and parameter.dimension != "window":
            sets[name] = [value]
    if days is not None and "since" in arguments:
        sets["window"] = [arguments["since"], arguments["until"]]
        bounds["days"] = days
    return {
        "call_id": call_id,
        "cls": tool.cls,
        "tools": [tool.tool_id],
        "key": key,
        "bounds": bounds,
        "sets": sets,
        "destinations": destinations,
        "sources": sources,
        "max_sensitivity": tool.worst_sensitivity,
    }


def read_warrant(calls: list[dict[str, Any]]) -> list[PermittedCall]:
    """The warrant of a trace or row.

    Raises:
      msgspec.ValidationError: for what is no warrant.
    """
    return msgspec.convert(calls, list[PermittedCall])
