"""Rows of the sources whose tools are their own: phones, images, libraries, model hubs, plan texts and graphs."""

from pathlib import Path
from typing import Any

import yaml
from mirror.pool import Call as PoolCall
from mirror.pool import Scenario, Tool, Turn, rank
from mirror.rows import Row, text

OWN: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "own.yaml").read_text("utf-8"))


def _scenarios(seed: str, offered: int) -> list[Scenario]:
    known = {
        name: Tool(name, description, {key: (kind, key, True) for key, kind in parameters.items()})
        for name, description, parameters in OWN[seed]["tools"]
    }
    scenarios = []
    for ask, calls in OWN[seed]["requests"]:
        made = [PoolCall(name, arguments, arguments, None, ()) for name, arguments in calls]
        called = dict.fromkeys(call.name for call in made)
        others = sorted((name for name in known if name not in called), key=lambda name: rank(seed, ask, name))
        scenarios.append(Scenario(ask, [Turn(ask, [made], "Done.")], [known[n] for n in [*called, *others][:offered]]))
    return scenarios


def images() -> list[Scenario]:
    return _scenarios("images", 3)


def phone() -> list[Scenario]:
    return _scenarios("phone", 4)


def bank_rows(split: str) -> list[Row]:
    return [
        Row({"instruction": short, "refined_instruction": refined, "functions": names, "explanation": "In this order."})
        for bank, short, refined, names in OWN["banks"]
        if bank == split
    ]


def library_rows(config: str) -> list[Row]:
    rows = []
    for name, instruction, call, outcome in OWN["libraries"]:
        if name != config:
            continue
        between = ", " if config == "tensorflow" else "\n"
        code = between.join([f"<<<domain>>>: Own{between}<<<api_call>>>: {call}", f"<<<code>>>: m = {call}"])
        if config == "torchhub":  # what stands in `code` there is neither JSON nor Python
            code = f"{{'Instruction': {instruction}, 'Output': {{'domain': 'Own', 'api_call': \"{call}\"}}}}"
        else:
            code = f"###Instruction: {instruction}\n###Output: {code}\n"
        arguments: Any = {"huggingface": None, "tensorflow": [], "torchhub": {"pretrained": "True"}}[config]
        row = {
            "code": code,
            "api_call": call,
            "provider": config,
            "api_data": {
                "domain": "Own",
                "framework": config,
                "functionality": "Own",
                "api_name": "own",
                "api_call": call,
                "api_arguments": arguments,
                "python_environment_requirements": ["own"],
                "example_code": None,
                "performance": {"dataset": None, "accuracy": None},
                "description": "A model made up for this sample.",
            },
        }
        rows.append(Row(row, outcome))
    return rows


def plan_text_rows() -> list[Row]:
    rows = []
    for request, texts in ((entry["request"], entry["plans"]) for entry in OWN["plan_texts"]):
        output = []
        for k, plan in enumerate(texts):
            parsed: list[Any] = [{"tool_name": "join", "tool_args": []}]
            output.append(
                {
                    "type": "replan" if k else "plan",
                    "raw_input": "",
                    "raw_output": f"{plan}<END_OF_PLAN>",
                    "parsed_output": parsed,
                    "id": f"{rank(request, plan)}",
                    "index": 2 * k,
                }
            )
            action = "Finish" if k == len(texts) - 1 else "Replan"
            output.append(
                {
                    "type": "join",
                    "raw_input": "",
                    "raw_output": f"Action: {action}(Done)<END_OF_RESPONSE>",
                    "parsed_output": {"thought": "", "action": action, "message": "Done"},
                    "id": f"{rank(request, plan, 'join')}",
                    "index": 2 * k + 1,
                }
            )
        rows.append(Row({"input": request, "output": output}, "no_call" if texts == ["1. join()"] else "plan"))
    return rows


def graph_rows(config: str) -> list[Row]:
    rows = []
    for number, (name, request, nodes, links) in enumerate(OWN["graphs"]):
        if name != config:
            continue
        listed, sampled = [], []
        for task, arguments in nodes:
            named = [{"name": a[0], "value": a[1]} if isinstance(a, list) else a for a in arguments]
            listed.append({"task": task, "arguments": named})
            if config == "dailylifeapis":
                sampled.append(
                    {"task": task, "arguments": [{"name": a[0], "type": "string", "desc": a[0]} for a in arguments]}
                )
            else:
                sampled.append({"task": task, "input-type": ["text"] * len(arguments), "output-type": ["text"]})
        row = {
            "id": str(30000000 + number),
            "seed": number,
            "type": "single" if len(nodes) == 1 else "chain",
            "n_tools": len(nodes),
            "sampled_nodes": text(sampled),
            "sampled_links": text([]),
            "instruction": request,
            "tool_steps": text([f"Step {k + 1}" for k in range(len(nodes))]),
            "tool_nodes": text(listed),
            "tool_links": text([{"source": source, "target": target} for source, target in links]),
        }
        rows.append(Row(row))
    return rows


def harmless_rows(start: int, stop: int) -> list[Row]:
    return [
        Row(
            {
                "id": f"{k}-1",
                "id_original": f"{k}-1",
                "detailed_prompt": True,
                "hint_included": False,
                "name": f"Errand {k}",
                "category": "Errands",
                "grading_function": f"grade_errand_{k}",
                "prompt": OWN["harmless"][k][0],
                "target_functions": OWN["harmless"][k][1],
            }
        )
        for k in range(start, stop)
    ]


def trace_rows(kind: str, defence: str) -> list[Row]:
    """AIQ: spans of chains and models, none of a tool."""
    rows = []
    for k in range(3):
        span = {
            "name": "research",
            "span_kind": "CHAIN",
            "parent_id": None,
            "context.span_id": f"a{k}",
            "attributes.input.value": text({"topic": "tides"}),
            "attributes.output.value": text({"report": "Tides rise."}),
        }
        model = {**span, "name": "own/model", "span_kind": "LLM", "parent_id": f"a{k}", "context.span_id": f"b{k}"}
        attack: dict[str, Any] = {
            "attack_type": kind,
            "attack_category": None,
            "attack_subcategory": None,
            "attack_prompt": f"Write a report on tides, part {k}.",
        }
        if kind == "security":
            attack = {"injection_string": "(an instruction inside a page)", "template_name": f"template-{k}"}
        snapshot = {"attack": attack, "result": {"trace_id": f"{defence}-{k}", "success": False}}
        rows.append(Row({"trace_id": f"{defence}-{k}", "attack_snapshot": snapshot, "trace": [span, model]}, "no_call"))
    return rows
