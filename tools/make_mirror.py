#!/usr/bin/env python3
"""Writes the embedded sample: `python tools/make_mirror.py [DIRECTORY]`, by default gatling_beam/mirror.

Every run writes the same rows. `EXPECTED.json` holds, by file, what each row is to become, and how many of all plans
are distinct.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from mirror import chats, faults, own, tables, toolbench
from mirror.pool import Scenario, hold_out, load, pick
from mirror.rows import Row

Files = dict[str, list[Row]]
#: Files of possible answers, merged into the rows of the file of the same name: no rows of their own.
ANSWERS = "possible_answer/"
#: Categories of the benchmark with answers and one turn.
CATEGORIES = [
    *("simple", "multiple", "parallel", "parallel_multiple", "java", "javascript"),
    *("live_simple", "live_multiple", "live_parallel", "live_parallel_multiple"),
]


class Pool:
    """The scenarios by what a format can hold."""

    def __init__(self) -> None:
        everything = load()
        self.silent = [s for s in everything if not s.calls]
        self.acting = [s for s in everything if s.calls]
        self.flat = [s for s in self.acting if len(s.steps) == 1]
        self.translated = [s for s in self.flat if len(s.translations) == 2]
        self.single_user = [s for s in self.acting if len(s.turns) == 1]
        self.several_users = [s for s in self.acting if len(s.turns) > 1]
        self.flows = [s for s in self.single_user if len(s.steps) > 1]
        self.with_references = [s for s in self.flows if any(call.origins for call in s.calls)]

    def sessions(self, seed: str, n: int) -> list[Scenario]:
        """A mixture: half of them flows, the rest flat and with several users' turns."""
        flows = pick(seed, self.flows, n // 2)
        several = pick(seed, self.several_users, 1)
        return [*flows, *several, *pick(seed, self.flat, n - len(flows) - len(several))]


def numbered(write: Any, scenarios: list[Scenario], start: int = 0) -> list[Row]:
    return [write(scenario, start + k) for k, scenario in enumerate(scenarios)]


def queries(pool: Pool) -> Files:
    """xLAM, its two translations and its neighbours."""
    xlam = numbered(tables.xlam, pool.flat)
    broken = [
        faults.in_calls(xlam[0], "answers", faults.renamed("delete_everything"), "undeclared_tool"),
        faults.in_calls(xlam[1], "answers", faults.argument(float("nan")), "non_finite"),
        faults.in_calls(xlam[2], "answers", faults.argument(faults.nested(70)), "too_deep"),
        Row({**xlam[3].value, "answers": xlam[3].value["answers"][:-9]}, "dead:not_json"),
    ]
    for k, row in enumerate(broken):
        row.value["id"] = 900 + k
    turkish = numbered(tables.turkish, pool.translated)
    phone = numbered(chats.without_reasoning, own.phone())
    # One row of each benchmark is a row of xLAM, too: the benchmark wins.
    mmau = numbered(chats.target, [*hold_out("mmau", pool.flat, 8), pool.flat[0]])
    plan_choice = {
        "id": 0,
        "messages": [{"role": "user", "content": "Plans: 1. search then book 2. book. Answer with 'Chosen Plan: N'."}],
        "target_plan_number": 1,
    }
    return {
        "Salesforce/xlam-function-calling-60k/xlam_function_calling_60k.json": [
            *xlam,
            *broken,
            tables.xlam(pool.silent[0], 990),
        ],
        "Voxel51/fiftyone-function-calling-14k/data/train-00000-of-00001.parquet": numbered(tables.xlam, own.images()),
        "twinkle-ai/tw-function-call-reasoning-10k/data/train-00000-of-00001.parquet": numbered(
            tables.twinkle, pool.translated, 40000
        ),
        "atasoglu/turkish-function-calling-20k/train.jsonl": [
            *turkish,
            tables.turkish(pool.silent[0], 0),
            faults.without(turkish[4], "answers"),
            faults.cut(turkish[5]),
        ],
        "google/mobile-actions/dataset.jsonl": [
            *phone,
            faults.in_text(phone[2], r"555-0142\"", r"555\\u00000142\"", "nul_character"),
        ],
        "apple/mmau/tool_use_execution_all_20240712.jsonl": [
            *mmau,
            Row(plan_choice, "filtered:not_a_plan"),
            faults.in_text(mmau[1], '"target_message":', '"wanted_message":', "missing_column"),
        ],
        "nvidia/ToolScale/data/train-00000-of-00001.parquet": numbered(
            tables.toolscale, [*pool.sessions("toolscale", 12), pool.silent[1]], 100
        ),
    }


def tagged(pool: Pool) -> Files:
    single = numbered(chats.tagged, pick("hermes-single", pool.flat, 8))
    several = numbered(chats.tagged, pool.sessions("hermes", 10), 100)
    hermes = "NousResearch/hermes-function-calling-v1"
    thoughtful = [
        chats.tagged(scenario, k, thoughts=True)
        for k, scenario in enumerate([*pool.sessions("reasoning", 12), pool.silent[0]])
    ]
    return {
        f"{hermes}/func-calling-singleturn.json": [
            *single,
            faults.in_message(single[0], "conversations", "value", '"name": ', '"called": ', "bad_call"),
        ],
        f"{hermes}/func-calling.json": [
            *several,
            faults.in_message(several[0], "conversations", "value", '"}}', '"}', "bad_call"),
        ],
        f"{hermes}/glaive-function-calling-5k.json": numbered(chats.tagged, pick("hermes-glaive", pool.flows, 4), 200),
        f"{hermes}/json-mode-agentic.json": numbered(chats.structured, pool.silent[:1]),
        f"{hermes}/json-mode-singleturn.json": numbered(chats.structured, pool.silent[1:], 1),
        "interstellarninja/hermes_reasoning_tool_use/data/train-00000-of-00001.parquet": thoughtful,
        "RioLee/ToolPref-Pairwise-30K/data/train-00000-of-00001.parquet": numbered(
            chats.preferred, [*pick("toolpref", pool.flat, 10), pool.silent[1]]
        ),
    }


def messages(pool: Pool) -> Files:
    conversations = [chats.prefixes(scenario) for scenario in pool.sessions("toolmind", 7)]
    graph = [row for rows in conversations[:4] for row in rows]
    opened = [row for rows in conversations[4:] for row in rows]
    alone = chats.prefixes(pool.flat[0])[0]
    astra = numbered(chats.trajectory, pool.sessions("astra", 10))
    parts = numbered(chats.parts, [*pool.sessions("parts", 10), *pool.silent])
    typed = numbered(chats.typed, pool.sessions("apigen", 12))
    return {
        "Nanbeige/ToolMind/graph_syn_datasets/graphsyn.jsonl": [
            *graph,
            faults.in_text(alone, '"celsius"', '"cels\\ud83dius"', "lone_surrogate"),
        ],
        "Nanbeige/ToolMind/open_datasets/When2Call-query.jsonl": [*opened, faults.cut(alone)],
        "Emperorizzis/ASTRA-SFT-1k/data/train-00000-of-00001.parquet": [
            *astra,
            faults.in_column(astra[0], "trajectory", '"role": "user"', '"role": "visitor"', "wrong_type"),
        ],
        "llamafactory/reason-tool-use-demo-1500/train.jsonl": [
            *parts,
            faults.in_text(parts[0], '\\"arguments\\": {', '\\"arguments\\": [{', "not_json"),
        ],
        "Salesforce/APIGen-MT-5k/apigen-mt_5k.json": [
            *typed,
            faults.in_message(typed[1], "conversations", "value", '{"name": "', '{"name": "un', "undeclared_tool"),
        ],
    }


def python(pool: Pool) -> Files:
    ace = numbered(chats.bracketed, [*pool.sessions("toolace", 12), pool.silent[1]])
    dolci = numbered(chats.fields, pool.sessions("dolci", 12))
    answered = by_category([*hold_out("bfcl", pool.flat, 7), pool.flat[1]])
    sessions = numbered(tables.multi_turn, hold_out("bfcl", pool.several_users, 3))
    bfcl = "gorilla-llm/Berkeley-Function-Calling-Leaderboard"
    return {
        "Team-ACE/ToolACE/data.json": [
            *ace,
            faults.in_message(ace[0], "conversations", "value", ")]", "]", "bad_call"),
        ],
        "allenai/Dolci-Instruct-SFT-Tool-Use/data/train-00000-of-00001.parquet": [
            *dolci,
            faults.in_message(
                dolci[1], "messages", "function_calls", ")", ", size=99999999999999999999999)", "int_out_of_range"
            ),
        ],
        **{f"{bfcl}/BFCL_v3_{name}.json": [row for row, _ in rows] for name, rows in answered.items()},
        **{
            f"{bfcl}/{ANSWERS}BFCL_v3_{name}.json": [Row(answer) for _, answer in rows]
            for name, rows in answered.items()
        },
        f"{bfcl}/BFCL_v3_multi_turn_base.json": [row for row, _ in sessions],
        f"{bfcl}/{ANSWERS}BFCL_v3_multi_turn_base.json": [Row(answer) for _, answer in sessions],
        f"{bfcl}/BFCL_v3_irrelevance.json": numbered(tables.irrelevant, pool.silent),
        **{
            f"gorilla-llm/APIBench/{config}_{split}.json": own.library_rows(config)[part]
            for config in ("huggingface", "tensorflow", "torchhub")
            for split, part in (("train", slice(1, None)), ("eval", slice(1)))
        },
    }


def by_category(scenarios: list[Scenario]) -> dict[str, list[Any]]:
    """Benchmark rows with their answers by category; the categories of other programming languages have none."""
    found: dict[str, list[Any]] = {name: [] for name in CATEGORIES}
    for k, scenario in enumerate(scenarios):
        tools = "multiple" if len(scenario.tools) > 1 else "simple"
        name = tools if len(scenario.calls) == 1 else "parallel_multiple" if tools == "multiple" else "parallel"
        if k % 4 == 3 and not found[f"live_{name}"]:
            name = f"live_{name}"
        found[name].append(tables.accepted(scenario, name, len(found[name])))
    return found


def marked(pool: Pool) -> Files:
    glaive = numbered(chats.marked, [*pool.sessions("glaive", 14), pool.silent[0]])
    dta = numbered(toolbench.list_after_mark, [*pick("dta", pool.single_user, 10), pool.silent[0]])
    paths = [row for scenario in pick("react", pool.flows, 6) for row in toolbench.step_rows(scenario)]
    asked = numbered(toolbench.query, pick("queries", pool.single_user, 10), 1)
    trees = pick("tree", pool.single_user, 9)
    fates = ["answer", "retry", "answer", "give_up", "answer", "invalid", "answer", "answer", "answer"]
    return {
        "glaiveai/glaive-function-calling-v2/glaive-function-calling-v2.json": [
            *glaive,
            faults.in_column(glaive[0], "chat", "'{\"", "'{", "bad_arguments"),
        ],
        "dongsheng/DTA-Tool/DTA_tool.json": [*dta, toolbench.list_after_mark(pool.flows[0], 0, gives_up=True)],
        "Yhyu13/ToolBench_toolllama_G123_dfs/toolllama_G123_dfs_train.json": paths,
        "Yhyu13/ToolBench_toolllama_G123_dfs/toolllama_G123_dfs_eval.json": toolbench.step_rows(
            pool.flows[1], gives_up=True
        ),
        **{
            f"Adorg/ToolBench/answer/G{1 + number // 6 + number // 8}_answer/{number}_ChatGPT_DFS_woFilter_w2.json": [
                toolbench.answer_tree(scenario, fate)
            ]
            for number, (scenario, fate) in enumerate(zip(trees, fates, strict=True), 1)
        },
        "Adorg/ToolBench/instruction/G1_query.json": asked[:5],
        "Adorg/ToolBench/instruction/G2_query.json": asked[5:7],
        "Adorg/ToolBench/instruction/G3_query.json": asked[7:9],
        "Adorg/ToolBench/test_instruction/G1_instruction.json": asked[9:],
    }


def names_and_graphs(pool: Pool) -> Files:
    nest = numbered(tables.nestful, pick("nestful", pool.with_references, 12))
    banks = {bank: own.bank_rows(bank) for bank in ("NumpyBank", "PandasBank", "AWSBank")}
    banks["AWSBank"].append(
        Row(
            {"instruction": "Stop it.", "refined_instruction": None, "functions": [""], "explanation": ""},
            "dead:bad_call",
        )
    )
    graphs = {config: own.graph_rows(config) for config in ("huggingface", "multimedia", "dailylifeapis")}
    aiq = "nvidia/Nemotron-AIQ-Agentic-Safety-Dataset-1.0/data"
    return {
        "ibm-research/nestful/data/nestful_data.json": [
            *nest,
            faults.in_calls(nest[0], "output", faults.renamed("bad\ttool"), "bad_tool_name"),
        ],
        **{f"squeeze-ai-lab/ToolBank/data/{bank}-00000-of-00001.parquet": rows for bank, rows in banks.items()},
        f"{KEYED}training_data.json": own.plan_text_rows()[:-1],
        f"{KEYED}testing_data.json": own.plan_text_rows()[-1:],
        "microsoft/Taskbench/data_huggingface/data.json": graphs["huggingface"],
        "microsoft/Taskbench/data_multimedia/data.json": graphs["multimedia"],
        "microsoft/Taskbench/data_dailylifeapis/data.json": graphs["dailylifeapis"],
        "ai-safety-institute/AgentHarm/benchmark/benign_behaviors_test_public.json": own.harmless_rows(0, 6),
        "ai-safety-institute/AgentHarm/benchmark/benign_behaviors_validation.json": own.harmless_rows(6, 8),
        **{
            f"{aiq}/{kind}_data/{defence}/attack_manifest.jsonl": own.trace_rows(kind, defence)
            for kind in ("safety", "security")
            for defence in ("with_defense", "without_defense")
        },
    }


#: How a file holds its rows, where its name does not tell.
KEYED = "squeeze-ai-lab/TinyAgent-dataset/"
BEHAVIOURS = "ai-safety-institute/AgentHarm/"
LINES = ("gorilla-llm/", "microsoft/Taskbench/")
ONE_ROW = "Adorg/ToolBench/answer/"


def write(path: Path, name: str, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist([row.value for row in rows]), path, compression="zstd", store_schema=False)
        return
    texts = [
        row.value if isinstance(row.value, bytes) else json.dumps(row.value, ensure_ascii=False).encode()
        for row in rows
    ]
    if name.endswith(".jsonl") or name.startswith(LINES):
        content = b"".join(text + b"\n" for text in texts)
    elif name.startswith(ONE_ROW):
        content = texts[0] + b"\n"
    elif name.startswith(KEYED):
        members = [
            json.dumps(f"00000000-0000-4000-8000-{k:012d}").encode() + b": " + text for k, text in enumerate(texts)
        ]
        content = b"{\n" + b",\n".join(members) + b"\n}\n"
    else:
        content = b"[\n" + b",\n".join(texts) + b"\n]\n"
        if name.startswith(BEHAVIOURS):
            content = b'{"behaviors": ' + content + b"}\n"
    path.write_bytes(content)


def main(directory: Path) -> None:
    pool = Pool()
    files: Files = {}
    for part in (queries, tagged, messages, python, marked, names_and_graphs):
        files |= part(pool)
    for name, rows in files.items():
        write(directory / name, name, rows)
    outcomes = {
        name: [row.outcome for row in rows] for name, rows in sorted(files.items()) if rows and ANSWERS not in name
    }
    plans = [row.plan for name in outcomes for row in files[name] if row.outcome == "plan"]
    shared = {plan for plan in plans if plan}
    expected = {
        "rows": sum(map(len, outcomes.values())),
        "plans": len(plans),
        "distinct_plans": len(shared) + plans.count(""),
        "outcomes": outcomes,
    }
    (directory / "EXPECTED.json").write_text(json.dumps(expected, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1] / "gatling_beam" / "mirror"))
