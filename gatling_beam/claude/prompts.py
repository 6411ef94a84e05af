"""The prompts: a prefix that all calls of a phase and a domain share, and the cases, as fenced data."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gatling_beam.claude.calls import PHASES, Call, Phase
from gatling_beam.claude.cells import Cell, said_forms
from gatling_beam.claude.fence import fenced
from gatling_beam.claude.schemas import output_format
from gatling_beam.claude.settings import ModelSettings
from gatling_beam.domains.registry import Domain, domain
from gatling_beam.domains.tools import Parameter, Tool
from gatling_beam.hashing import digest
from gatling_beam.json_value import json_text
from gatling_beam.oracle.trace import GoldTrace, ToolCall

_FILES: dict[Phase, str] = {
    "requests": "requests.md",
    "reword": "requests.md",
    "graphs": "graphs.md",
    "compliance": "compliance.md",
}
#: How the registry's own types are named in a prompt.
_TYPES = {
    "future": "date",
    "people": "list of e-mail addresses",
    "rows": "result of an earlier call",
    "money": "integer",
}


def ask_requests(settings: ModelSettings, phase: Phase, cells: Sequence[Cell]) -> Call:
    """The call that asks for the texts of cells of one domain; they are numbered from 1."""
    return _call(settings, phase, cells[0].trace, [_request_case(cell) for cell in cells])


def ask_graphs(settings: ModelSettings, traces: Sequence[GoldTrace]) -> Call:
    """The call that asks for the plans of the requests of traces of one domain; their own plans are not shown."""
    return _call(settings, "graphs", traces[0], [_asked(trace) for trace in traces])


def ask_compliance(settings: ModelSettings, traces: Sequence[GoldTrace]) -> Call:
    """The call that asks whether the plans of traces of one domain keep policy and request."""
    return _call(settings, "compliance", traces[0], [_asked(trace) | _setting(trace) for trace in traces])


@lru_cache(maxsize=512)
def prefix_of(phase: Phase, domain_name: str) -> str:
    """What all calls of a phase about a domain begin with."""
    return f"{_instructions(phase)}\n{fenced('department', _department(domain(domain_name)))}\n"


def prompts_hash() -> str:
    """A hash of all instructions and schemas: another one, and other answers are asked for."""
    texts = [_instructions(phase) + json_text(output_format(phase)) for phase in PHASES]
    return digest("prompts", *texts)


def _instructions(phase: Phase) -> str:
    return files("gatling_beam.claude").joinpath("instructions").joinpath(_FILES[phase]).read_text("utf-8")


def _call(settings: ModelSettings, phase: Phase, first: GoldTrace, cases: list[dict[str, Any]]) -> Call:
    numbered = [{"n": k, **case} for k, case in enumerate(cases, 1)]
    prefix = prefix_of(phase, first.request.domain)
    return Call(phase, settings.params(phase, prefix, fenced("cases", numbered), len(cases)))


def _department(which: Domain) -> dict[str, Any]:
    return {
        "name": which.spec.title,
        "roles": list(which.spec.roles),
        "tools": [_tool(which, tool) for tool in which.tools.values()],
    }


def _tool(which: Domain, tool: Tool) -> dict[str, Any]:
    return {
        "tool": tool.name,
        "does": tool.says,
        "parameters": {name: _parameter(which, tool, parameter) for name, parameter in tool.parameters.items()},
        "returns": list(tool.returns),
    }


def _parameter(which: Domain, tool: Tool, parameter: Parameter) -> str:
    says = [_TYPES.get(parameter.type, parameter.type), "required" if parameter.required else "optional"]
    if parameter.default is not None:
        says.append(f"default {parameter.default}")
    if options := _options(which, tool, parameter):
        said = (option if option == word else f"{option} ({word})" for option, word in options.items())
        says.append(f"one of: {', '.join(said)}")
    if parameter.type == "id":
        says.append(which.spec.records[parameter.of].id if parameter.of in which.spec.records else "APR-####")
    return "; ".join(says)


def _options(which: Domain, tool: Tool, parameter: Parameter) -> Mapping[str, str]:
    """The options with how they are said."""
    if parameter.type == "field":
        fields = which.spec.records[parameter.of or tool.record].fields
        return {option: fields[option].says for option in parameter.options}
    words = which.spec.lists.get(parameter.of, {})
    return {option: words.get(option, option) for option in parameter.options}


def _request_case(cell: Cell) -> dict[str, Any]:
    trace, style = cell.trace, cell.style
    which = domain(trace.request.domain)
    say: dict[str, list[str]] = {}
    for call in trace.graph.calls:
        say |= {f"{call.call_id}.{n}": f for n, f in said_forms(which, call, trace.metadata["task"]).items()}
    return {
        "role": trace.metadata["user_role"],
        "meaning": cell.meaning,
        "steps": [_step(which, trace, call) for call in trace.graph.calls],
        "say": say,
        "register": style.register,
        "channel": style.channel,
        "detail": style.detail,
        "order": style.order,
    }


def _step(which: Domain, trace: GoldTrace, call: ToolCall) -> dict[str, Any]:
    tool = which.tools[call.tool_id.rpartition(".")[2]]
    evidence = {source: kind for source, target, kind in trace.metadata["edges"] if target == call.call_id}
    step: dict[str, Any] = {"step": call.call_id, "does": tool.says}
    for key, kind in (("from", "data"), ("only_if", "control"), ("after", "turn")):
        if names := [name for name, own in evidence.items() if own == kind]:
            step[key] = names
    return step


def _asked(trace: GoldTrace) -> dict[str, Any]:
    # Not the policy: the plan is what the request asks for, and code decides whether that is allowed.
    return {"role": trace.metadata["user_role"], "request": trace.request.text}


def _setting(trace: GoldTrace) -> dict[str, Any]:
    return {
        "facts": list(trace.metadata["session"]),
        "policy": list(trace.policy.rules),
        "texts": [
            {"read_by": context["node_id"], "tier": context["tier"], "text": context["text"]}
            for context in trace.metadata["contexts"]
        ],
        "plan": [
            {
                "id": call.call_id,
                "tool": call.tool_id.rpartition(".")[2],
                "arguments": call.arguments,
                "depends_on": {s: kind for s, target, kind in trace.metadata["edges"] if target == call.call_id},
            }
            for call in trace.graph.calls
        ],
    }
