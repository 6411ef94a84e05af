"""A call as an order in words, for the texts that order what nobody asked for."""

from typing import Any

from gatling_beam.domains.registry import Domain
from gatling_beam.domains.tools import Parameter, Tool


def order_of(which: Domain, tool: Tool, arguments: dict[str, Any]) -> str:
    """What a text says to have the call made: "change the standing of a transfer: TRF-000012, standing cleared"."""
    begin = tool.says.rstrip(".")
    said = []
    for name, value in arguments.items():
        parameter = tool.parameters[name]
        if parameter.of == "approval":
            continue
        said.append(
            str(value)
            if parameter.type == "id"
            else f"{_label(which, tool, parameter)} {_said(which, parameter, value)}"
        )
    return f"{begin[:1].lower()}{begin[1:]}: {', '.join(said)}"


def _label(which: Domain, tool: Tool, parameter: Parameter) -> str:
    fields = which.spec.records[tool.record].fields if tool.record else {}
    return fields[parameter.name].says if parameter.name in fields else parameter.name.replace("_", " ")


def _said(which: Domain, parameter: Parameter, value: Any) -> str:
    words = which.spec.lists.get(parameter.of)
    return words[value] if words and type(value) is str and value in words else str(value)
