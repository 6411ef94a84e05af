"""ToolBench and its relative DTA: ReAct text, search trees, and queries with the names of their APIs."""

import json
from typing import Any

from mirror.pool import Call, Scenario, plan_key, session_key
from mirror.rows import Row, schema_tool, text

FINISH = {
    "name": "Finish",
    "description": "Call this function to give the final answer.",
    "parameters": {
        "type": "object",
        "properties": {
            "return_type": {"type": "string", "enum": ["give_answer", "give_up_and_restart"]},
            "final_answer": {"type": "string", "description": "The final answer"},
        },
        "required": ["return_type"],
    },
}
ROLE = "You are AutoGPT, you can use many tools(functions) to do the following task.\n"
RETRY = "This is not the first time you try this task, all previous trails failed."


def api_name(name: str) -> str:
    return f"{name}_for_office"


def _functions(scenario: Scenario) -> list[dict[str, Any]]:
    described = [schema_tool(tool, name=api_name(tool.name)) for tool in scenario.tools]
    for function in described:
        function["parameters"]["optional"] = []
    return [*described, FINISH]


def _system(scenario: Scenario) -> str:
    names = f"{ROLE}You have access of the following tools:\n1.office: The office\n\n"
    return f"{names}Specifically, you have access to the following APIs: {_functions(scenario)!r}"


def _response(result: Any) -> str:
    """What an API answered: JSON in a text in JSON, with the usual ballast."""
    response = {"status": "success", "message": "the request was processed by the office", "data": result}
    return text({"error": "", "response": text(response)})


def _finish(scenario: Scenario, gives_up: bool) -> dict[str, Any]:
    if gives_up:
        return {"return_type": "give_up_and_restart"}
    return {"return_type": "give_answer", "final_answer": scenario.turns[-1].answer}


def _steps(scenario: Scenario) -> list[list[Call]]:
    return [[call] for call in scenario.calls]


def step_rows(scenario: Scenario, gives_up: bool = False) -> list[Row]:
    """The SFT file: a path of n steps is n rows, each one step longer; only a path that answers is a plan."""
    messages = [
        {"from": "system", "value": _system(scenario)},
        {"from": "user", "value": f"\n{scenario.ask}\nBegin!\n"},
    ]
    rows = []
    actions = [(api_name(call.name), call.arguments, call.result) for call in scenario.calls]
    for k, (name, arguments, result) in enumerate([*actions, ("Finish", _finish(scenario, gives_up), None)]):
        # A thought may quote an action; the last one counts.
        thought = f"I could write\nAction: {name}\nAction Input: {{}}\nbut it needs arguments." if k == 1 else ""
        written = json.dumps(arguments, indent=2, ensure_ascii=False)
        value = f"\nThought: {thought}\nAction: {name}\nAction Input: {written}"
        messages.append({"from": "assistant", "value": value})
        row = {"id": f"Step {len(messages) - 2}: {scenario.ask}", "conversations": list(messages)}
        rows.append(Row(row, "filtered:unfinished"))
        messages.append({"from": "function", "value": _response(result)})
    if gives_up:
        return rows
    return [*rows[:-1], Row(rows[-1].value, "plan", session_key(_steps(scenario), api_name))]


def answer_tree(scenario: Scenario, fate: str = "answer") -> Row:
    """A raw answer; `fate` is answer, retry (a second attempt answers), give_up or invalid (no path is stored)."""
    path: list[dict[str, Any]] = [
        {"role": "system", "content": f"{ROLE}1.office: The office\n"},
        {"role": "user", "content": f"\n{scenario.ask}\nBegin!\n"},
    ]
    if fate == "retry":
        path.append({"role": "user", "content": RETRY, "valid": False})
    for call in scenario.calls:
        function = {"name": api_name(call.name), "arguments": text(call.arguments)}
        path.append({"role": "assistant", "content": None, "function_call": function})
        content = _response(call.result)
        path.append({"role": "function", "name": function["name"], "content": content})
    finish = _finish(scenario, fate == "give_up")
    path.append({"role": "assistant", "content": None, "function_call": {"name": "Finish", "arguments": text(finish)}})
    answer = {
        "valid_data": fate != "invalid",
        "query_count": len(path),
        "total_tokens": 900,
        "final_answer": text(finish),
        "function": _functions(scenario),
        "chain": [],
        "query": scenario.ask,
        "finish_type": "give_up" if fate == "give_up" else "give_answer",
        "train_messages": [path[:3], path],
    }
    if fate == "invalid":
        del answer["train_messages"]
    row = {
        "win": fate in ("answer", "retry"),
        "tree": {"size": 2, "max_length": 1, "tree": {"node_type": "Action Input", "children": []}},
        "forward_args": {"single_chain_max_step": 12, "tree_beam_size": 2},
        "compare_candidates": [],
        "answer_generation": answer,
    }
    if not row["win"]:
        return Row(row, "filtered:unfinished")
    return Row(row, "plan", session_key(_steps(scenario), api_name))


def query(scenario: Scenario, number: int) -> Row:
    """A query with its APIs; a plan of names without arguments."""
    apis = [
        {
            "category_name": "Business",
            "tool_name": "Office",
            "api_name": tool.name,
            "api_description": tool.description,
            "required_parameters": [
                {"name": name, "type": kind.upper(), "description": what, "default": ""}
                for name, (kind, what, needed) in tool.parameters.items()
                if needed
            ],
            "optional_parameters": [],
            "method": "GET",
            "template_response": {},
        }
        for tool in scenario.tools
    ]
    names = [call.name for call in scenario.calls]
    row = {
        "api_list": apis,
        "query": scenario.ask,
        "relevant APIs": [["Office", name] for name in names],
        "query_id": number,
    }
    return Row(row, "plan", plan_key([(f"Office/{name}", {}) for name in names], set()))


def list_after_mark(scenario: Scenario, number: int, gives_up: bool = False) -> Row:
    """DTA: lists of parallel calls after `Function Call:`, as JSON or (every other row) as a Python literal."""
    write = repr if number % 2 else text
    messages = [
        {"from": "system", "value": _system(scenario)},
        {"from": "user", "value": scenario.ask},
    ]
    for step in scenario.steps:
        calls = [{"name": api_name(call.name), "arguments": call.arguments} for call in step]
        messages.append({"from": "assistant", "value": f"Thought: next.\nFunction Call: {write(calls)}"})
        for call in step:
            content = text({"name": api_name(call.name), "content": text(call.result)})
            messages.append({"from": "function", "value": content})
    finish = [{"name": "Finish", "arguments": _finish(scenario, gives_up)}]
    messages.append({"from": "assistant", "value": f"Thought: done.\nFunction Call: {write(finish)}"})
    row = {"id": scenario.ask, "conversations": messages}
    if gives_up:
        return Row(row, "filtered:unfinished")
    if not scenario.calls:
        return Row(row, "no_call")
    return Row(row, "plan", session_key(scenario.steps, api_name))
