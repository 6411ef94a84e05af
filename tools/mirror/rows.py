"""A row of the sample with what the pipeline is to make of it, and the dialects in which tools are described."""

import json
from dataclasses import dataclass
from typing import Any

from mirror.pool import Tool


@dataclass(frozen=True)
class Row:
    """`value` is the row (bytes where it is broken as text); `outcome` is plan, no_call, filtered:<reason> or
    dead:<reason>; `plan` is the key of its plan, "" where no other row has the same."""

    value: Any
    outcome: str = "plan"
    plan: str = ""


def text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


PYTHON_WORDS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "array": "List[str]"}


def flat_tool(tool: Tool) -> dict[str, Any]:
    """xLAM's dialect: a map of parameters with Python type words; a word says that a parameter is optional."""
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": {
            name: {"description": what, "type": PYTHON_WORDS[kind] + ("" if required else ", optional")}
            for name, (kind, what, required) in tool.parameters.items()
        },
    }


def schema_tool(tool: Tool, obj: str = "object", upper: bool = False, name: str = "") -> dict[str, Any]:
    """JSON Schema; `obj` is the dialect's word for an object, `upper` writes all type words in capitals."""
    word = str.upper if upper else str
    properties: dict[str, Any] = {}
    for parameter, (kind, what, _) in tool.parameters.items():
        properties[parameter] = {"type": word(kind), "description": what}
        if kind == "array":
            properties[parameter]["items"] = {"type": word("string")}
    required = [parameter for parameter, (_, _, needed) in tool.parameters.items() if needed]
    return {
        "name": name or tool.name,
        "description": tool.description,
        "parameters": {"type": word(obj), "properties": properties, "required": required},
    }


def wrapped(tool: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": tool}
