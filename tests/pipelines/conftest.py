"""A mirror of three sources with duplicates and broken rows, and the command line as a function."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gatling_beam.pipelines.cli import main

XLAM_FILE = "Salesforce/xlam-function-calling-60k/xlam_function_calling_60k.json"
TURKISH_FILE = "atasoglu/turkish-function-calling-20k/train.jsonl"
HERMES = "NousResearch/hermes-function-calling-v1"
HERMES_FILE = f"{HERMES}/func_calling_singleturn/train-00000-of-00001.parquet"
#: The other configs of the data set: there, and without rows.
HERMES_EMPTY = ("func-calling", "glaive-function-calling-5k", "json-mode-agentic", "json-mode-singleturn")

SOURCES = "xlam,turkish,hermes"

#: source -> (rows, no call, dead, duplicates, plans)
EXPECTED = {"xlam": (63, 0, 2, 1, 60), "turkish": (27, 1, 1, 20, 5), "hermes": (12, 1, 1, 0, 10)}
TOTAL = sum(plans for *_, plans in EXPECTED.values())


class Result(NamedTuple):
    """What a command gave: exit code, standard output and standard error."""

    code: int
    out: str
    err: str


def _call(city: str, days: int) -> dict[str, object]:
    return {"name": "forecast", "arguments": {"city": city, "days": days}}


def _tool(wrapped: bool) -> dict[str, object]:
    properties = {"city": {"type": "string", "description": "a city"}, "days": {"type": "integer"}}
    if not wrapped:
        return {"name": "forecast", "description": "The weather to come.", "parameters": properties}
    return {
        "type": "function",
        "function": {"name": "forecast", "parameters": {"type": "object", "properties": properties}},
    }


def _xlam(path: Path) -> None:
    tools = json.dumps([_tool(wrapped=False)])
    rows = [
        {
            "id": i,
            "query": f"Weather in town {i} for {i} days?",
            "answers": json.dumps([_call(f"town {i}", i)]),
            "tools": tools,
        }
        for i in range(60)
    ]
    rows.append({"id": 60, "query": "Say that again.", "answers": json.dumps([_call("town 7", 7)]), "tools": tools})
    rows.append({"id": 61, "query": "Broken.", "answers": '[{"name": "forecast"', "tools": tools})
    rows.append(
        {
            "id": 62,
            "query": "Another tool.",
            "answers": json.dumps([{"name": "other", "arguments": {}}]),
            "tools": tools,
        }
    )
    path.write_text(json.dumps(rows), "utf-8")


def _turkish(path: Path) -> None:
    tools = json.dumps([_tool(wrapped=True)])

    def row(city: str, i: int) -> str:
        answers = json.dumps([{"function": _call(city, i)}])
        return json.dumps(
            {"query": f"{city} için {i} günlük hava?", "tools": tools, "answers": answers}, ensure_ascii=False
        )

    lines = [row(f"town {i}", i) for i in range(20)] + [row(f"köy {i}", i) for i in range(5)]
    lines.append(json.dumps({"query": "Merhaba", "tools": tools, "answers": None}))
    lines.append('{"query": "kırık')
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _hermes(path: Path) -> None:
    system = f"You may call functions.\n<tools>\n{json.dumps([_tool(wrapped=True)])}\n</tools>"

    def row(i: int, answer: str) -> dict[str, object]:
        turns = [("system", system), ("human", f"How is harbour {i}?"), ("gpt", answer)]
        return {"id": f"h-{i}", "conversations": [{"from": who, "value": text} for who, text in turns]}

    rows = [row(i, f"<tool_call>\n{json.dumps(_call(f'harbour {i}', i))}\n</tool_call>") for i in range(10)]
    rows.append(row(10, "I cannot know that."))
    rows.append(row(11, '<tool_call>\n{"name": "forecast", "arguments": \n</tool_call>'))
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=5)


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the mirror."""
    root = tmp_path_factory.mktemp("mirror")
    for name, write in {XLAM_FILE: _xlam, TURKISH_FILE: _turkish, HERMES_FILE: _hermes}.items():
        (root / name).parent.mkdir(parents=True)
        write(root / name)
    for name in HERMES_EMPTY:
        (root / HERMES / f"{name}.json").write_text("[]")
    return root


@pytest.fixture
def gatling(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs `gatling-beam <arguments>` in this process."""

    def run(*arguments: object) -> Result:
        code = main([str(argument) for argument in arguments])
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture
def tier1(gatling: Callable[..., Result], mirror: Path) -> Callable[..., Result]:
    """Runs `gatling-beam tier1` on the mirror, in process, into `output`."""

    def run(output: object, *arguments: object, sources: str = SOURCES) -> Result:
        fixed = ("--root", mirror, "--workers=1", "--sources", sources, "--output", output)
        return gatling("tier1", *fixed, *arguments)

    return run


@pytest.fixture(scope="session")
def expected() -> dict[str, tuple[int, ...]]:
    """What becomes of the mirror's rows: source -> (rows, no call, dead, duplicates, plans)."""
    return EXPECTED


@pytest.fixture(scope="session")
def finished(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a run over the whole mirror, two shards; tests must not change it."""
    output = tmp_path_factory.mktemp("finished") / "out"
    arguments = ["--root", str(mirror), "--workers=1", "--sources", SOURCES, "--output", str(output), "--shards=2"]
    assert main(["tier1", "--quiet", *arguments]) == 0
    return output
