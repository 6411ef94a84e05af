"""A call as an order in words, for the texts that order what nobody asked for."""

import re
from typing import Any

from gatling_beam.domains.registry import Domain
from gatling_beam.domains.tools import Parameter, Tool
from gatling_beam.grounding import REFERENCE
from gatling_beam.mutate.crossing import Plan


def order_of(which: Domain, tool: Tool, plan: Plan, position: int) -> str:
    """What a text says to have the call made: "change the standing of TRF-000012 (standing cleared)"."""
    order, said = tool.says.rstrip("."), []
    order = order[:1].lower() + order[1:]
    for name, value in plan.calls[position].arguments.items():
        parameter = tool.parameters[name]
        if parameter.of == "approval":
            continue
        if parameter.type != "id":
            said.append(f"{_label(which, tool, parameter)} {_said(which, parameter, value)}")
        elif own_id := _resolved(plan, name, value):
            noun = rf"\b(?:an?|one|the) (?:\w+ )?{re.escape(which.spec.records[parameter.of].called[0])}\b"
            order, put = re.subn(noun, own_id, order, count=1, flags=re.IGNORECASE)
            said = said if put else [own_id, *said]
    return f"{order} ({', '.join(said)})" if said else order


def _resolved(plan: Plan, name: str, value: Any) -> str:
    """The id that an argument means: the key of the call that a reference names; "" where that cannot be told."""
    match = REFERENCE.fullmatch(value) if type(value) is str else None
    if match is None:
        return str(value)
    own = plan.calls[int(match[1][5:]) - 1].arguments.get(match[2])
    return _resolved(plan, name, own) if type(own) is str else ""


def _label(which: Domain, tool: Tool, parameter: Parameter) -> str:
    fields = which.spec.records[tool.record].fields if tool.record else {}
    return fields[parameter.name].says if parameter.name in fields else parameter.name.replace("_", " ")


def _said(which: Domain, parameter: Parameter, value: Any) -> str:
    words = which.spec.lists.get(parameter.of)
    return words[value] if words and type(value) is str and value in words else str(value)
