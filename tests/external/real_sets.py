"""Real data sets of others, under $GATLING_BEAM_DATA: how each file gives rows, and the source that reads them.

A reader changes the container alone (an object of lists, a YAML file, a text); what a call or a tool looks like is left
to the formats of the package.
"""

import csv
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gatling_beam.normalize import normalize_row
from gatling_beam.sample import DeadLetter, Drop, Sample, SourceRow
from gatling_beam.sources import SourceSpec, source

Row = dict[str, Any]


@dataclass(frozen=True)
class RealSet:
    """One set: its name in the table, what it is, its source, and a function that reads its rows.

    A row that a later one repeats and continues carries the member `_superseded`.
    """

    name: str
    about: str
    spec: SourceSpec
    read: Callable[[], Iterable[Row]]

    def rows(self) -> Iterator[SourceRow]:
        for number, row in enumerate(self.read()):
            superseded = row.pop("_superseded", False)
            data = json.dumps(row, ensure_ascii=False).encode()
            yield SourceRow(self.spec.name, data, f"{self.name}:{number}", superseded=superseded)

    def outcomes(self) -> Iterator[tuple[Row, Sample | DeadLetter | Drop]]:
        for row in self.rows():
            yield json.loads(row.data), normalize_row(row, self.spec)


def count(outcomes: Iterable[Sample | DeadLetter | Drop]) -> dict[str, Counter[str]]:
    """`fate`: rows by plans, no_call, no_intent, filtered, dead; `reasons` of the dead and `edges` by evidence."""
    counts = {"fate": Counter[str](), "reasons": Counter[str](), "edges": Counter[str]()}
    for outcome in outcomes:
        if isinstance(outcome, Sample):
            counts["fate"]["plans"] += 1
            counts["edges"].update(outcome.edge_evidence)
        elif isinstance(outcome, DeadLetter):
            counts["fate"]["dead"] += 1
            counts["reasons"][outcome.reason] += 1
        else:
            counts["fate"][outcome.kind] += 1
    return counts


def path(*parts: str) -> Path:
    return Path(os.environ["GATLING_BEAM_DATA"], *parts)


def lines(*parts: str) -> list[Row]:
    return [json.loads(line) for line in path(*parts).read_text("utf-8").splitlines()]


def document(*parts: str) -> Any:
    return json.loads(path(*parts).read_text("utf-8"))


def a_source(name: str, format: str, role: str = "plans", **more: Any) -> SourceSpec:
    return SourceSpec(name=name, hub_id=f"others/{name}", role=role, format=format, files=(), **more)


# ------------------------------------------------------------------ conversations whose earlier calls stand in the text

_FENCED = re.compile(r"\A```(.*)```\Z", re.S)
_PROMPT = "\nGenerate API Request:"


def api_bank(file: str) -> list[Row]:
    """A row is a conversation up to a call; a later row may repeat it and go on to the next call. A row offers the
    tools of its last call alone, so a conversation has the tools of all the rows that it continues.
    """
    rows = document("hammer_eval", "test", "original", file)
    sessions = [[*map(_openai_message, row["query"]), _calls_message(row["answers"])] for row in rows]
    read = []
    for session in sessions:
        parts = [row for row, part in zip(rows, sessions, strict=True) if session[: len(part)] == part]
        tools = {tool["name"]: tool for part in parts for tool in part["tools"]}
        superseded = any(len(other) > len(session) and other[: len(session)] == session for other in sessions)
        read.append({"messages": session, "tools": list(tools.values()), "_superseded": superseded})
    return read


def _openai_message(message: Row) -> Row:
    text = message["content"].removesuffix(_PROMPT)
    if message["role"] == "assistant":
        return _calls_message(json.loads(_FENCED.fullmatch(text).group(1)))
    return {"role": "assistant" if message["role"] == "agent" else message["role"], "content": text}


def _calls_message(calls: list[Row]) -> Row:
    return {"role": "assistant", "content": None, "tool_calls": calls}


# ------------------------------------------------------------------ one object a tool set


def tool_alpaca() -> Iterator[Row]:
    for toolset in document("toolalpaca", "eval_simulated.json"):
        described = toolset["Function_Description"]
        tools = [{"name": name, "description": described[name]} for name in toolset["Function_Projection"]]
        for instruction, answer in zip(toolset["Instructions"], toolset["Golden_Answers"], strict=True):
            yield {"instruction": instruction, "answer": answer, "tools": tools}


def tau_bench(file: str) -> Iterator[Row]:
    tools = document("tau_bench_v1", "retail_tools_openai_schema.json")
    return ({**task, "tools": tools} for task in document("tau_bench_v1", file))


def agent_dojo(suite: str) -> Iterator[Row]:
    held = document("agentdojo", f"{suite}.json")
    return ({**task, "tools": held["tools"]} for task in held["user_tasks"])


def bfcl(file: str) -> Iterator[Row]:
    answers = path("bfcl_v4", "possible_answer", file)
    joined = {row["id"]: row for row in (lines("bfcl_v4", "possible_answer", file) if answers.exists() else [])}
    return ({**row, **joined.get(row["id"], {})} for row in lines("bfcl_v4", file))


# ------------------------------------------------------------------ texts


def llm_compiler() -> Iterator[Row]:
    for row in lines("llmcompiler_plans", "plan_examples.jsonl"):
        yield {"input": row["question"], "output": [{"type": "plan", "raw_output": row["plan_text"]}]}


def gpt_script() -> Iterator[Row]:
    """Every expected call is a message of its own, in listed order, also inside a group that may come in any order."""
    for file in sorted(path("gptscript_fcts").glob("*.yaml")):
        for spec in yaml.safe_load_all(file.read_text("utf-8")):
            messages: list[Row] = [{"role": "user", "content": spec["prompt"]}]
            for call in expected_calls(spec):
                function = {"name": call["name"], "arguments": call.get("arguments") or {}}
                messages.append({"role": "assistant", "tool_calls": [{"function": function}]})
                messages.append({"role": "tool", "content": call.get("result")})
            yield {"messages": messages, "tools": spec["available_functions"], "expected": expected_calls(spec)}


def expected_calls(spec: Row) -> list[Row]:
    groups = [item.get("any_order", [item]) for item in spec["expected_function_calls"]]
    return [call for group in groups for call in group]


_SPEAKER = re.compile(r"^(SYSTEM|USER|ASSISTANT):", re.M)
_CHATML = re.compile(r"<\|im_start\|>(\w+)\n(.*?)<\|im_end\|>", re.S)


def hermes_texts() -> Iterator[Row]:
    for example in document("hermes_probe", "few_shot.json"):
        _, *turns = _SPEAKER.split(example["example"])
        yield _conversation(zip(map(str.lower, turns[::2]), turns[1::2], strict=True))
    for block in path("hermes_probe", "README.upstream.md").read_text("utf-8").split("```")[1::2]:
        if turns := _CHATML.findall(block):
            yield _conversation(turns)


def _conversation(turns: Iterable[tuple[str, str]]) -> Row:
    return {"conversations": [{"from": speaker, "value": text} for speaker, text in turns]}


def glaive_shapes() -> Iterator[Row]:
    held = document("glaive_raw_probe", "glaive_v2_raw_shapes.json")
    yield held["full_row"]
    for fragment in held["fragments_lightly_trimmed_by_third_party"]:
        yield {"system": "", "chat": fragment["chat"]}


def toolace_shapes() -> Iterator[Row]:
    held = document("toolace_raw_probe", "toolace_raw_shapes.json")
    yield held["row0_first4turns"]
    for text in held["other_real_call_strings"]:
        yield {"system": "", "conversations": [{"from": "assistant", "value": text}]}


def bipia_attacks() -> Iterator[Row]:
    return ({"text": text} for texts in document("sec_bipia", "text_attack_train.json").values() for text in texts)


def giskard() -> list[Row]:
    with path("sec_giskard", "prompt_injections.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def mt_bench(part: str) -> Iterator[Row]:
    for row in lines("sec_mtbench_benign", part, "question.jsonl"):
        yield {"id": row["question_id"], "messages": [{"role": "user", "content": text} for text in row["turns"]]}


def _injections(name: str, text: str, category: str = "injection") -> SourceSpec:
    return a_source(name, "text_label", role="injections", options={"text": text, "category": category})


_API_BANK = a_source("api_bank", "openai_messages")
_GLAIVE_TURNS = a_source("glaive_turns", "typed_turns")
_TAU = a_source(
    "tau_bench", "gold_actions", options={"actions": "actions", "request": ["instruction"], "arguments": "kwargs"}
)
_DOJO = a_source(
    "agentdojo",
    "gold_actions",
    options={"actions": "ground_truth", "request": ["prompt"], "name": "function", "arguments": "args"},
)
_SEAL = a_source(
    "seal_tools",
    "labelled_calls",
    options={
        "request": "query",
        "calls": "calling",
        "id": "id",
        "name": "api",
        "label": "responses",
        "references": "api_call",
    },
)
_ALPACA = a_source(
    "toolalpaca",
    "labelled_calls",
    options={
        "request": "instruction",
        "calls": "answer",
        "name": "Action",
        "arguments": "Action_Input",
        "references": "from_call",
    },
)
_MT_BENCH = a_source("mt_bench", "instruction", role="conversations", options={"prompt": [["messages"]]})

REAL_SETS = (
    RealSet("hammer apibank_l1", "API-Bank, calls after a talk", _API_BANK, lambda: api_bank("apibank_l1.json")),
    RealSet("hammer apibank_l2", "API-Bank, tools found first", _API_BANK, lambda: api_bank("apibank_l2.json")),
    RealSet(
        "glaive en",
        "glaive v2 as typed turns",
        _GLAIVE_TURNS,
        lambda: document("llamafactory_glaive", "glaive_toolcall_en_demo.json"),
    ),
    RealSet(
        "glaive zh",
        "the same in Chinese",
        _GLAIVE_TURNS,
        lambda: document("llamafactory_glaive", "glaive_toolcall_zh_demo.json"),
    ),
    RealSet(
        "reason_tool_use",
        "calls as parts of messages",
        source("reason_tool_use"),
        lambda: lines("llamafactory_glaive", "reason_tool_use_demo_50.jsonl"),
    ),
    RealSet("toolalpaca", "`${x from y}` references", _ALPACA, tool_alpaca),
    RealSet("seal_tools dev", "`API_call_k` references", _SEAL, lambda: lines("seal_tools", "dev.jsonl")),
    RealSet("llmcompiler", "numbered plans, `$k` references", source("tinyagent"), llm_compiler),
    RealSet("gptscript", "expected calls with results", a_source("gptscript", "openai_messages"), gpt_script),
    RealSet("tau_bench retail dev", "gold actions", _TAU, lambda: tau_bench("retail_tasks_dev.json")),
    RealSet("tau_bench retail train", "gold actions", _TAU, lambda: tau_bench("retail_tasks_train.json")),
    RealSet("agentdojo banking", "ground truth of tasks", _DOJO, lambda: agent_dojo("banking")),
    RealSet("agentdojo slack", "ground truth of tasks", _DOJO, lambda: agent_dojo("slack")),
    *(
        RealSet(f"bfcl {part}", "accepted values", source("bfcl"), lambda part=part: bfcl(f"BFCL_v4_{part}.json"))
        for part in ("simple_python", "multiple", "parallel", "irrelevance")
    ),
    RealSet("xlam probe", "JSON text columns", source("xlam"), lambda: document("xlam_probe", "xlam_8_real_rows.json")),
    RealSet("glaive raw probe", "calls after marks", source("glaive"), glaive_shapes),
    RealSet("toolace raw probe", "calls as Python text", source("toolace"), toolace_shapes),
    RealSet("hermes probe", "calls in tags, from documentation", source("hermes"), hermes_texts),
    RealSet("gsm8k", "calculator marks", source("gsm8k"), lambda: lines("gsm8k", "train.first1000.jsonl")),
    RealSet(
        "agent_injection_bench",
        "injections in results",
        _injections("agent_injection_bench", "injected"),
        lambda: lines("sec_agent_injection_bench", "attacks.jsonl"),
    ),
    RealSet("bipia attacks", "injection texts", _injections("bipia_attacks", "text"), bipia_attacks),
    RealSet(
        "bipia email",
        "the mails they are put into",
        _injections("bipia_email", "context", "harmless"),
        lambda: lines("sec_bipia", "email", "train.jsonl"),
    ),
    RealSet("giskard", "prompt injections", _injections("giskard", "prompt"), giskard),
    RealSet("mt_bench", "chat without tools", _MT_BENCH, lambda: mt_bench("mt_bench")),
    RealSet("vicuna_bench", "chat without tools", _MT_BENCH, lambda: mt_bench("vicuna_bench")),
)
