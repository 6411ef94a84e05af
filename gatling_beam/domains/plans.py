"""The plan of a task: call texts become steps with slots, references and the edges between them."""

import ast
from typing import Any

import msgspec

from gatling_beam.domains.tools import Parameter, Tool

PATTERNS = ("single", "chain", "fan-out", "fan-in", "diamond", "conditional")


class Slot(msgspec.Struct, frozen=True):
    """A value that is drawn for a task."""

    name: str


class Result(msgspec.Struct, frozen=True):
    """The field `field` of what the step `step` returns."""

    step: str
    field: str


class Step(msgspec.Struct, frozen=True):
    """One call of a task's plan. Argument values are Slot, Result, a list of Results, or a literal."""

    name: str
    tool: Tool
    arguments: dict[str, Any]
    after: tuple[str, ...] = ()
    condition: tuple[str, ...] = ()

    def feeding(self) -> list[str]:
        """The steps whose results this one takes, without repeats."""
        values = [item for value in self.arguments.values() for item in (value if isinstance(value, list) else [value])]
        return list(dict.fromkeys(value.step for value in values if isinstance(value, Result)))


def parse_plan(calls: dict[str, str], tools: dict[str, Tool]) -> tuple[Step, ...]:
    """The steps of a plan, in listed order.

    Raises:
      ValueError: for what is no call, an unknown tool, parameter, step or result field, or a missing required argument.
    """
    steps: list[Step] = []
    for name, text in calls.items():
        steps.append(_step(name, text, tools, {step.name: step for step in steps}))
    return tuple(steps)


def _step(name: str, text: str, tools: dict[str, Tool], earlier: dict[str, Step]) -> Step:
    call, after, condition = text, "", ""
    if ") after " in text:
        call, after = text.rsplit(" after ", 1)
    elif ") if " in text:
        call, condition = text.rsplit(" if ", 1)
    try:
        node = ast.parse(call.replace("$", "_SLOT_"), mode="eval").body
    except (SyntaxError, RecursionError):
        raise ValueError(f"{name}: {text!r} is no call, tool(parameter=$slot, other=$step.field) after step") from None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.args:
        raise ValueError(f"{name}: {text!r} is no call with named arguments")
    if node.func.id not in tools:
        raise ValueError(f"{name}: there is no tool {node.func.id!r}; there are {sorted(tools)}")
    tool = tools[node.func.id]
    if len({keyword.arg for keyword in node.keywords}) < len(node.keywords):
        raise ValueError(f"{name}: a parameter stands twice in {text!r}")
    arguments = {keyword.arg or "**": _value(name, keyword.value, earlier) for keyword in node.keywords}
    if unknown := arguments.keys() - tool.parameters.keys():
        raise ValueError(f"{name}: {tool.name} has no parameter {sorted(unknown)}; it has {list(tool.parameters)}")
    required = {parameter.name for parameter in tool.parameters.values() if parameter.required}
    if missing := required - arguments.keys():
        raise ValueError(f"{name}: {tool.name} needs {sorted(missing)}")
    names = tuple(part.strip() for part in (after or condition).split(",") if part.strip())
    if lost := [step for step in names if step not in earlier]:
        raise ValueError(f"{name}: there is no earlier step {lost}")
    return Step(name, tool, arguments, names if after else (), names if condition else ())


def _value(step: str, node: ast.expr, earlier: dict[str, Step]) -> Any:
    if isinstance(node, ast.Name):
        return Slot(node.id.removeprefix("_SLOT_")) if node.id.startswith("_SLOT_") else node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        source = node.value.id.removeprefix("_SLOT_")
        if source not in earlier:
            raise ValueError(f"{step}: there is no earlier step {source!r}")
        if node.attr not in earlier[source].tool.returns:
            raise ValueError(f"{step}: {source} returns {list(earlier[source].tool.returns)}, not {node.attr!r}")
        return Result(source, node.attr)
    if isinstance(node, ast.List):
        return [_value(step, item, earlier) for item in node.elts]
    if isinstance(node, ast.Constant):
        return node.value
    raise ValueError(f"{step}: {ast.unparse(node)!r} is neither a slot, a result nor a literal")


def slots_of(steps: tuple[Step, ...]) -> dict[str, Parameter]:
    """The slots of a plan with the parameter that each stands for first."""
    slots: dict[str, Parameter] = {}
    for step in steps:
        for key, value in step.arguments.items():
            if isinstance(value, Slot):
                slots.setdefault(value.name, step.tool.parameters[key])
    return slots


def edges_of(steps: tuple[Step, ...]) -> list[tuple[int, int, str]]:
    """The edges between steps, as (from position, to position, evidence data | turn | control)."""
    at = {step.name: k for k, step in enumerate(steps)}
    edges: dict[tuple[int, int], str] = {}
    for k, step in enumerate(steps):
        for evidence, names in (("data", step.feeding()), ("control", step.condition), ("turn", step.after)):
            for name in names:
                edges.setdefault((at[name], k), evidence)
    return sorted((source, target, evidence) for (source, target), evidence in edges.items())


def pattern_of(steps: tuple[Step, ...]) -> str:
    """The shape of a plan: one of `PATTERNS`."""
    if any(step.condition for step in steps):
        return "conditional"
    if len(steps) == 1:
        return "single"
    edges = edges_of(steps)
    outs = max(sum(source == k for source, _, _ in edges) for k in range(len(steps)))
    ins = max(sum(target == k for _, target, _ in edges) for k in range(len(steps)))
    if outs > 1 and ins > 1:
        return "diamond"
    if outs > 1:
        return "fan-out"
    return "fan-in" if ins > 1 else "chain"
