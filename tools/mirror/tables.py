"""Rows that are a query beside its calls: JSON texts in columns, gold actions, accepted values, labelled calls."""

from typing import Any

from mirror.pool import Scenario, flat_key, plan_key, rewritten, session_key
from mirror.rows import Row, flat_tool, schema_tool, text, wrapped


def answers(scenario: Scenario) -> list[dict[str, Any]]:
    return [{"name": call.name, "arguments": call.arguments} for call in scenario.calls]


def _outcome(scenario: Scenario) -> tuple[str, str]:
    return ("plan", flat_key(scenario)) if scenario.calls else ("no_call", "")


def xlam(scenario: Scenario, number: int) -> Row:
    row = {
        "id": number,
        "query": scenario.ask,
        "answers": text(answers(scenario)),
        "tools": text([flat_tool(tool) for tool in scenario.tools]),
    }
    return Row(row, *_outcome(scenario))


def twinkle(scenario: Scenario, number: int) -> Row:
    tools = text([flat_tool(tool) for tool in scenario.tools])
    calls = text(answers(scenario))
    request = scenario.translations["zh"]
    think = "使用者的要求很明確,我直接呼叫需要的函式。"
    row = {
        "id": number,
        "query": scenario.ask,
        "tools": tools,
        "query_zhtw": request,
        "think": think,
        "answer": calls,
        "messages": [
            {"content": f"You are a function calling AI model.\n\n<tools>\n{tools}\n</tools>", "role": "system"},
            {"content": request, "role": "user"},
            {"content": f"<think>\n{think}\n</think>\n\n<tool_call>\n{calls}\n</tool_call>", "role": "assistant"},
        ],
    }
    return Row(row, *_outcome(scenario))


def turkish(scenario: Scenario, number: int) -> Row:
    calls = [{"function": answer} for answer in answers(scenario)]
    row = {
        "query": scenario.translations.get("tr", "Sonbahar hakkında kısa bir şiir yaz."),
        "tools": text([wrapped(schema_tool(tool)) for tool in scenario.tools]),
        "answers": text(calls) if calls else None,
    }
    return Row(row, *_outcome(scenario))


def accepted(scenario: Scenario, category: str, number: int) -> tuple[Row, dict[str, Any]]:
    """A benchmark row and its answer: every argument is a list of accepted values."""
    id_ = f"{category}_{number}"
    row = {
        "id": id_,
        "question": [[{"role": "user", "content": scenario.ask}]],
        "function": [schema_tool(tool, "dict") for tool in scenario.tools],
    }
    truth = []
    for call in scenario.calls:
        values: dict[str, list[Any]] = {name: [value] for name, value in call.arguments.items()}
        tool = next(tool for tool in scenario.tools if tool.name == call.name)
        values |= {name: [""] for name in tool.parameters if name not in values}
        truth.append({call.name: values})
    return Row(row, "plan", flat_key(scenario)), {"id": id_, "ground_truth": truth}


def irrelevant(scenario: Scenario, number: int) -> Row:
    row = {
        "id": f"irrelevance_{number}",
        "question": [[{"role": "user", "content": scenario.ask}]],
        "function": [schema_tool(tool, "dict") for tool in scenario.tools],
    }
    return Row(row, "no_call")


def python_text(name: str, arguments: dict[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def multi_turn(scenario: Scenario, number: int) -> tuple[Row, dict[str, Any]]:
    id_ = f"multi_turn_base_{number}"
    row = {
        "id": id_,
        "question": [[{"role": "user", "content": turn.ask}] for turn in scenario.turns],
        "initial_config": {},
        "path": [f"Office.{call.name}" for call in scenario.calls],
        "involved_classes": ["Office"],
        "excluded_function": [],
    }
    turns = [[call for step in turn.steps for call in step] for turn in scenario.turns]
    truth = [[python_text(call.name, call.arguments) for call in turn] for turn in turns]
    return Row(row, "plan", session_key(turns, seen_results=False)), {"id": id_, "ground_truth": truth}


def toolscale(scenario: Scenario, number: int) -> Row:
    """Gold actions; every argument object is filled with nulls to the columns of all tools."""
    shared = {"club_id": None, "season": None, "notify": None}
    actions = [
        {"name": call.name, "action_id": f"{call.name}_{k}", "arguments": {**shared, **call.arguments}, "info": None}
        for k, call in enumerate(scenario.calls)
    ]
    row = {
        "id": str(number),
        "description": {"purpose": "A customer of a service desk.", "relevant_policies": None, "notes": None},
        "user_scenario": {
            "persona": None,
            "instructions": {
                "task_instructions": "\n".join(turn.ask for turn in scenario.turns),
                "reason_for_call": "You want it done today.",
                "known_info": "You have no further details.",
                "unknown_info": "",
                "domain": "service",
            },
        },
        "initial_state": None,
        "evaluation_criteria": {"actions": actions, "communicate_info": [], "nl_assertions": None},
    }
    steps = [[call] for call in scenario.calls]
    plan = session_key(steps, seen_results=False)
    return Row(row, "plan" if actions else "no_call", plan if actions else "")


def nestful(scenario: Scenario, number: int) -> Row:
    """Calls with labels; a value that an earlier call returned is written as `$var1.member$`."""
    calls, edges = [], set()
    for k, call in enumerate(scenario.calls):
        arguments = rewritten(call, lambda origin, path: f"$var{origin}.{_indexed(path)}$")
        edges |= {(origin, k) for origin in call.origins}
        calls.append({"name": call.name, "arguments": arguments, "label": f"var{k + 1}"})
    plan = plan_key([(call["name"], call["arguments"]) for call in calls], edges)
    answer = {"name": "var_result", "arguments": {"done": f"$var{len(calls)}$"}}
    row = {
        "sample_id": f"nest-{number:04d}",
        "input": scenario.ask,
        "output": text([*calls, answer]),
        "tools": text([schema_tool(tool) for tool in scenario.tools]),
        "gold_answer": text(scenario.turns[-1].answer),
    }
    return Row(row, "plan", plan)


def _indexed(path: str) -> str:
    """`events.0.id` as `events[0].id`."""
    first, *rest = path.split(".")
    return first + "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in rest)
