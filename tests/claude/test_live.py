"""One call a phase and a batch of two against the real API: opt-in, and at most five cents.

GATLING_BEAM_LIVE=1 ANTHROPIC_API_KEY=... pytest -m live tests/claude/test_live.py
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatling_beam.claude.batch_settings import BatchSettings
from gatling_beam.claude.batches import run_batches
from gatling_beam.claude.calls import read_answer
from gatling_beam.claude.cells import cell_of, draw_cell
from gatling_beam.claude.engine import close_engines, engine_of
from gatling_beam.claude.engine_settings import KEY_VARIABLE, EngineSettings
from gatling_beam.claude.online import run_online
from gatling_beam.claude.preflight import look_up_model, make_client
from gatling_beam.claude.prices import price
from gatling_beam.claude.prompts import ask_compliance, ask_graphs, ask_requests
from gatling_beam.claude.schemas import SCHEMAS
from gatling_beam.claude.settings import ModelSettings
from gatling_beam.claude.store import AnswerStore

MODEL = "claude-haiku-5-5"
CAP_USD = 0.05
CELLS = [draw_cell(1, ("finance",), number, 0) for number in range(2)]

pytestmark = pytest.mark.live


@pytest.fixture
def engine() -> Iterator[EngineSettings]:
    yield EngineSettings(model=MODEL, in_flight=2, cap_usd=CAP_USD / 2)
    close_engines()


def test_every_phase_is_answered_in_its_schema(engine: EngineSettings, tmp_path: Path) -> None:
    settings = ModelSettings(model=MODEL)
    traces = [cell.trace for cell in CELLS]
    calls = [
        ask_requests(settings, "requests", CELLS),
        ask_requests(settings, "reword", [cell_of(trace, k) for k, trace in enumerate(traces)]),
        ask_graphs(settings, traces),
        ask_compliance(settings, traces),
    ]
    assert look_up_model(make_client(engine), MODEL) == ""

    def steps(call):
        return lambda: (yield [call])

    answers = run_online([steps(call) for call in calls], AnswerStore(str(tmp_path), "live"), engine_of(engine))
    for call, [answer] in zip(calls, answers, strict=True):
        print(call.phase, json.dumps(answer.message)[:2_000])
        read_answer(answer, SCHEMAS[call.phase])


def test_a_batch_of_two_comes_back(engine: EngineSettings, tmp_path: Path) -> None:
    calls = [ask_requests(ModelSettings(model=MODEL, cache_ttl="1h"), "requests", [cell]) for cell in CELLS]

    def steps(call):
        def ask():
            answers = yield [call]
            return answers

        return ask

    settings = BatchSettings(price(MODEL), cap_usd=CAP_USD / 2, poll_s=10)
    results = run_batches({"live": [steps(call) for call in calls]}, str(tmp_path), make_client(engine), settings)
    for call, [answer] in zip(calls, results["live"], strict=True):
        read_answer(answer, SCHEMAS[call.phase])


def test_the_key_is_there() -> None:
    assert os.environ.get(KEY_VARIABLE), f"set {KEY_VARIABLE}"
