"""Rows that are a conversation, one function a wire format."""

import json
from typing import Any

from mirror.pool import Scenario, flat_key, session_key
from mirror.rows import Row, schema_tool, text, wrapped
from mirror.tables import answers, python_text


def _whole(scenario: Scenario) -> tuple[str, str]:
    return ("plan", session_key(scenario.steps)) if scenario.calls else ("no_call", "")


def _tags(calls: list[dict[str, Any]], python: bool = False) -> str:
    return "\n".join(f"<tool_call>\n{repr(call) if python else text(call)}\n</tool_call>" for call in calls)


def tagged(scenario: Scenario, number: int, *, thoughts: bool = False) -> Row:
    """Hermes: calls in tags, as JSON or (every third row) a Python dict; `thoughts` add a call that is not made."""
    tools = text([wrapped(schema_tool(tool)) for tool in scenario.tools])
    system = (
        f"You are a function calling AI model.\n<tools>\n{tools}\n</tools>\nReturn each call within tags:\n"
        "<tool_call>\n{'arguments': <args-dict>, 'name': <function-name>}\n</tool_call>\n"
    )
    messages = [{"from": "system", "value": system}]
    for turn in scenario.turns:
        messages.append({"from": "human", "value": turn.ask})
        for step in turn.steps:
            calls = [{"name": call.name, "arguments": call.arguments} for call in step]
            thought = f"<think>\nFirst idea:\n{_tags(calls[:1])}\nYes.\n</think>\n" if thoughts else ""
            messages.append({"from": "gpt", "value": thought + _tags(calls, python=number % 3 == 2)})
            results = [f"<tool_response>\n{text(call.result)}\n</tool_response>" for call in step]
            messages.append({"from": "tool", "value": "\n".join(results)})
        messages.append({"from": "gpt", "value": turn.answer})
    row = {"conversations": messages, "tools": tools, "category": "Services", "task": "A request"}
    if thoughts:
        kind = "multi_step" if len(scenario.steps) > 1 else "single_turn" if scenario.steps else "relevance"
        row |= {"source": "own", "scenario_category": kind}
    else:
        row |= {"id": f"row-{number:05d}", "subcategory": "Desk"}
    return Row(row, *_whole(scenario))


def structured(scenario: Scenario, number: int) -> Row:
    """A Hermes row of the json mode: an object as the schema wants it, no tools."""
    row = {
        "id": f"json-{number:05d}",
        "conversations": [
            {"from": "system", "value": "Answer in JSON by the schema <schema>{}</schema>."},
            {"from": "human", "value": scenario.ask},
            {"from": "gpt", "value": text({"answer": scenario.turns[0].answer})},
        ],
        "schema": "{}",
        "category": "Services",
        "subcategory": "Desk",
    }
    return Row(row, "no_call")


def preferred(scenario: Scenario, number: int) -> Row:
    """ToolPref: a conversation, and the better of two responses to it."""
    lines = "\n".join(text(wrapped(schema_tool(tool))) for tool in scenario.tools)
    calls = answers(scenario)
    chosen = _tags(calls) if calls else scenario.turns[0].answer
    row = {
        "uuid": number,
        "raw_id": number,
        "data_source": "qwen/toolrm_pairwise",
        "task_source": "own",
        "gt_actions": text(calls),
        "chat_history": [
            {"role": "system", "content": f"# Tools\n\n<tools></tools> holds them:\n<tools>\n{lines}\n</tools>"},
            {"role": "user", "content": scenario.ask},
        ],
        "task_complexity": len(calls),
        "chosen_response": {"role": "assistant", "content": chosen},
        "chosen_response_reward": 1.0,
        "chosen_response_from": "model-a",
        "reject_response": {"role": "assistant", "content": "I cannot do that."},
        "reject_response_reward": 0.0,
        "reject_response_from": "model-b",
        "reward_difference": 1.0,
        "ability": "reward_modeling",
    }
    return Row(row, "plan" if calls else "no_call", flat_key(scenario) if calls else "")


def _function(name: str, arguments: dict[str, Any], as_text: bool = True) -> dict[str, Any]:
    return {"name": name, "arguments": text(arguments) if as_text else arguments}


def target(scenario: Scenario, number: int) -> Row:
    """MMAU: a conversation and the message that is right."""
    calls = [
        {"id": f"call_{k}", "type": "function", "function": _function(call.name, call.arguments, number % 2 == 0)}
        for k, call in enumerate(scenario.calls)
    ]
    row = {
        "deliverable_id": number,
        "messages": [{"role": "system", "content": "You have tools."}, {"role": "user", "content": scenario.ask}],
        "tools": [wrapped(schema_tool(tool)) for tool in scenario.tools],
        "target_message": {"role": "assistant", "content": None, "tool_calls": calls},
        "target_message_match_rules": None,
    }
    return Row(row, "plan", flat_key(scenario))


def trajectory(scenario: Scenario, number: int) -> Row:
    """ASTRA: JSON texts; a turn is a message that speaks and one that calls, in the older `function_call` form."""
    messages: list[dict[str, Any]] = []
    steps = []
    for turn in scenario.turns:
        messages.append({"role": "user", "content": turn.ask})
        for call in (call for step in turn.steps for call in step):
            steps.append([call])
            messages.append({"role": "assistant", "content": "One moment.", "reasoning_content": "Look it up."})
            messages.append({"role": "assistant", "content": "", "function_call": _function(call.name, call.arguments)})
            messages.append({"role": "function", "name": call.name, "content": text(call.result)})
        messages.append({"role": "assistant", "content": turn.answer})
    tools = [schema_tool(tool) for tool in scenario.tools]
    row = {
        "query_info": text({"generated_question": scenario.ask, "have_plan": False}),
        "mcp_info": text({"base_info": {"group_info": {"server_title": "office"}, "tool_list": tools}}),
        "trajectory": text(messages),
        "reward_info": text({"score": 0.9}),
    }
    return Row(row, "plan", session_key(steps))


def prefixes(scenario: Scenario) -> list[Row]:
    """ToolMind: a conversation as ever longer rows; only the last message of a row carries its reasoning."""
    tools = [wrapped(schema_tool(tool)) for tool in scenario.tools]
    messages: list[dict[str, Any]] = []
    rows = []

    def say(content: str, **calls: Any) -> None:
        last = {"role": "assistant", "content": f"<think>\nThink.\n</think>\n{content}", **calls}
        rows.append(Row({"conversations": [*messages, last], "tools": tools}, "filtered:prefix_row"))
        messages.append({"role": "assistant", "content": content, **calls})

    for turn in scenario.turns:
        messages.append({"role": "user", "content": turn.ask})
        for step in turn.steps:
            say("", tool_calls=[{"function": _function(call.name, call.arguments, False)} for call in step])
            messages.extend({"role": "tool", "content": call.result} for call in step)
        say(turn.answer)
    return [*rows[:-1], Row(rows[-1].value, *_whole(scenario))]


def parts(scenario: Scenario, number: int) -> Row:
    """reason-tool-use: the content of every message is a list of typed parts."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": [_part("text", "You are methodical.")]}]
    for turn in scenario.turns:
        messages.append({"role": "user", "content": [_part("text", turn.ask)]})
        for step in turn.steps:
            calls = [_part("tool_call", text({"name": call.name, "arguments": call.arguments})) for call in step]
            messages.append({"role": "assistant", "content": [_part("reasoning", "A tool helps."), *calls]})
            messages += [{"role": "tool", "content": [_part("text", text(call.result))]} for call in step]
        messages.append({"role": "assistant", "content": [_part("reasoning", "Answer."), _part("text", turn.answer)]})
    row = {"messages": messages, "tools": text([wrapped(schema_tool(tool, "dict")) for tool in scenario.tools])}
    return Row(row, *_whole(scenario))


def _part(kind: str, value: str) -> dict[str, str]:
    return {"type": kind, "value": value}


def typed(scenario: Scenario, number: int) -> Row:
    """APIGen-MT: a call is a turn of its own; the tool `think` does nothing."""
    thinking = {
        "name": "think",
        "description": "Think about something.",
        "parameters": {"type": "object", "properties": {"thought": {"type": "string"}}, "required": ["thought"]},
    }
    turns: list[dict[str, str]] = []
    steps = []
    for turn in scenario.turns:
        turns.append({"from": "human", "value": turn.ask})
        turns.append({"from": "function_call", "value": text({"name": "think", "arguments": {"thought": "Plan."}})})
        turns.append({"from": "observation", "value": ""})
        for call in (call for step in turn.steps for call in step):
            steps.append([call])
            turns.append({"from": "function_call", "value": text({"name": call.name, "arguments": call.arguments})})
            turns.append({"from": "observation", "value": text(call.result)})
        turns.append({"from": "gpt", "value": turn.answer})
    row = {
        "system": "# Service desk policy\nMake one tool call at a time.",
        "tools": text([*(schema_tool(tool) for tool in scenario.tools), thinking]),
        "conversations": turns,
    }
    return Row(row, "plan", session_key(steps))


def bracketed(scenario: Scenario, number: int) -> Row:
    """ToolACE: calls as Python text in square brackets."""
    tools = text([{**schema_tool(tool, "dict"), "required": None} for tool in scenario.tools])
    turns: list[dict[str, str]] = []
    for turn in scenario.turns:
        turns.append({"from": "user", "value": turn.ask})
        for step in turn.steps:
            calls = ", ".join(python_text(call.name, call.arguments) for call in step)
            turns.append({"from": "assistant", "value": f"[{calls}]"})
            results = [{"name": call.name, "results": call.result} for call in step]
            turns.append({"from": "tool", "value": text(results)})
        turns.append({"from": "assistant", "value": turn.answer})
    system = (
        "You are an expert in composing functions.\nHere is a list of functions in JSON format that you can invoke:\n"
        f"{tools}\n\nPut calls in the format of [func1(params_name=params_value), func2(params)]\n"
    )
    return Row({"system": system, "conversations": turns}, *_whole(scenario))


def fields(scenario: Scenario, number: int) -> Row:
    """Dolci: calls as lines of Python text in a field of their own; on these turns `content` is null."""
    system = {
        "role": "system",
        "content": "You are a helpful function-calling AI assistant.",
        "functions": text([schema_tool(tool) for tool in scenario.tools]),
        "function_calls": None,
    }
    messages = [system]
    for turn in scenario.turns:
        messages.append({"role": "user", "content": turn.ask, "functions": None, "function_calls": None})
        for step in turn.steps:
            calls = "\n".join(python_text(call.name, call.arguments) for call in step)
            messages.append({"role": "assistant", "content": None, "functions": None, "function_calls": calls})
            results = "\n".join(text(call.result) for call in step)
            messages.append({"role": "environment", "content": results, "functions": None, "function_calls": None})
        messages.append({"role": "assistant", "content": turn.answer, "functions": None, "function_calls": None})
    return Row({"id": f"own_{number}", "dataset_source": "own/sim", "messages": messages}, *_whole(scenario))


def marked(scenario: Scenario, number: int) -> Row:
    """glaive: one text; arguments are JSON inside single quotes, apostrophes not escaped. One call a message."""
    end = "<|endoftext|>\n\n\n"
    chat = ""
    steps = []
    for turn in scenario.turns:
        chat += f"USER: {turn.ask}\n\n\n"
        for call in (call for step in turn.steps for call in step):
            steps.append([call])
            body = f'{{"name": "{call.name}", "arguments": \'{text(call.arguments)}\'}}'
            chat += f"ASSISTANT: <functioncall> {body} {end}FUNCTION RESPONSE: {text(call.result)}\n\n\n"
        chat += f"ASSISTANT: {turn.answer} {end}"
    tools = "\n\n".join(json.dumps(schema_tool(tool), indent=4) for tool in scenario.tools)
    head = "SYSTEM: You are a helpful assistant with access to the following functions. Use them if required -\n"
    if not scenario.calls:
        head, tools = "SYSTEM: You are a helpful assistant, with no access to external functions.", ""
    plan = session_key(steps) if steps else ""
    return Row({"system": f"{head}{tools}\n", "chat": chat}, "plan" if steps else "no_call", plan)


def without_reasoning(scenario: Scenario, number: int) -> Row:
    """mobile-actions: the developer's words, the user's, and one message that calls."""
    calls = [
        {"id": f"call_{k}", "type": "function", "function": _function(call.name, call.arguments, number % 2 == 0)}
        for k, call in enumerate(scenario.calls)
    ]
    row = {
        "metadata": "eval" if number % 5 == 4 else "train",
        "tools": [{"function": schema_tool(tool, upper=True)} for tool in scenario.tools],
        "messages": [
            {"role": "developer", "content": "Current date and time: 2026-03-02T08:15:00\nYou can call functions\n"},
            {"role": "user", "content": scenario.ask},
            {"role": "assistant", "tool_calls": calls},
        ],
    }
    return Row(row, "plan", flat_key(scenario))
