"""A group of traces, driven with canned answers: no network, no server."""

import importlib
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.claude.calls import Answer, Call
from gatling_beam.claude.cells import PER_CALL, draw_cell, numbers_said, said_forms
from gatling_beam.claude.graphs import with_graph
from gatling_beam.claude.group import GroupJob, GroupResult, Steps, groups_of, make_group, reword_group, text_fault
from gatling_beam.claude.schemas import Argument, PlannedCall
from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.errors import REASONS
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.validate import trace_problems

NAMES = domain_names()
Responder = Callable[[dict[str, Any]], str]


@pytest.fixture
def gold_answers(claude_server_module: ModuleType) -> Any:
    return importlib.import_module("tools.claude_server.gold_answers").GoldAnswers


def message(text: str, stop: str = "end_turn", **more: Any) -> dict[str, Any]:
    content = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": text}]
    return {"content": content, "stop_reason": stop, "usage": {"input_tokens": 1, "output_tokens": 1}, **more}


def drive(steps: Steps, respond: Callable[[Call], Answer]) -> tuple[GroupResult, list[Call]]:
    """The result of a group, and what it asked."""
    asked: list[Call] = []
    try:
        calls = next(steps)
        while True:
            asked += calls
            calls = steps.send([respond(call) for call in calls])
    except StopIteration as e:
        return e.value, asked


def by(respond: Responder) -> Callable[[Call], Answer]:
    return lambda call: Answer(call.custom_id, message(respond(call.params)))


def test_a_perfect_model_gives_every_trace_in_two_calls(gold_answers: Any) -> None:
    job = GroupJob(3, NAMES, judged=0.0)
    answers = gold_answers(3, 570)
    for numbers in groups_of(range(0, 570)):
        result, asked = drive(make_group(job, numbers), by(answers))
        assert [trace.trace_id.rpartition("_")[2] for trace in result.traces] == [f"{n:08d}" for n in numbers]
        assert (result.dead, result.missing, result.tried) == ((), 0, len(numbers))
        assert [call.phase for call in asked] == ["requests", "graphs"]
        assert all(trace.validated and trace_problems(trace) == [] for trace in result.traces)
        assert {trace.request.domain for trace in result.traces} == {NAMES[numbers[0] // PER_CALL % len(NAMES)]}


def test_the_plan_is_the_models_and_not_the_templates(gold_answers: Any) -> None:
    """Only what the request says reaches the call that asks for plans."""
    job = GroupJob(3, NAMES, judged=0.0)
    _, asked = drive(make_group(job, range(20, 30)), by(gold_answers(3, 30)))
    cases = json.loads(asked[1].params["messages"][0]["content"].split("\n")[1])
    assert [sorted(case) for case in cases] == [["n", "request", "role"]] * 10


def test_a_wrong_plan_or_text_is_refused_by_name_and_asked_for_anew(gold_answers: Any) -> None:
    job = GroupJob(5, NAMES, judged=1.0, tries=8)
    answers = gold_answers(5, 300, wrong=0.4, denied=0.2)
    results = [drive(make_group(job, numbers), by(answers))[0] for numbers in groups_of(range(0, 300))]
    assert sum(len(result.traces) + result.missing for result in results) == 300
    assert sum(result.missing for result in results) < 20
    assert all(trace_problems(trace) == [] for result in results for trace in result.traces)
    dead = [letter for result in results for letter in result.dead]
    assert sum(result.tried for result in results) == len(dead) + sum(len(result.traces) for result in results)
    assert {letter.reason for letter in dead} == {"invalid_trace", "model_answer", "model_verdict"}
    assert len({letter.dead_id for letter in dead}) == len(dead)
    details = " ".join(letter.detail for letter in dead)
    for found in (
        "9999",
        "not_asked",
        "extra_call",
        "missing_call",
        "unknown_tool",
        "unknown_argument",
        "one paragraph",
    ):
        assert found in details, found


def test_what_is_asked_anew_has_other_values_for_the_same_cell() -> None:
    for number in range(0, 600, 7):
        first, second = (draw_cell(1, NAMES, number, attempt) for attempt in (0, 1))
        assert first.style == second.style and first.meaning != second.meaning
        assert first.trace.metadata["task"] == second.trace.metadata["task"]
        assert first.trace.policy == second.trace.policy


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        (lambda c: Answer(c.custom_id, message("{", "end_turn")), "model_answer", "bad_json"),
        (lambda c: Answer(c.custom_id, message('{"requests": 3}')), "model_answer", "schema"),
        (lambda c: Answer(c.custom_id, message('{"requests": []}')), "model_answer", "no text for case"),
        (lambda c: Answer(c.custom_id, message("", "max_tokens")), "model_answer", "max_tokens"),
        (lambda c: Answer(c.custom_id, {**message(""), "content": []}), "model_answer", "no_text"),
        (lambda c: Answer(c.custom_id, error="invalid_request_error", detail="too long"), "model_answer", "too long"),
        (
            lambda c: Answer(c.custom_id, message("", "refusal", stop_details={"category": "frontier_llm"})),
            "model_refusal",
            "refusal:frontier_llm",
        ),
    ],
)
def test_an_answer_without_use_costs_its_cells_alone(answer: Any, reason: str, detail: str) -> None:
    result, asked = drive(make_group(GroupJob(1, NAMES, tries=3), range(0, 10)), answer)
    assert (len(result.traces), result.missing, result.tried) == (0, 10, 30)
    assert {letter.reason for letter in result.dead} == {reason} <= REASONS.keys()
    assert all(detail in letter.detail for letter in result.dead)
    # Nothing that was answered, and be it by a refusal, is asked a second time.
    assert len({call.custom_id for call in asked}) == len(asked) == 3


def test_a_refusal_is_counted_by_its_category() -> None:
    def refuse(call: Call) -> Answer:
        return Answer(call.custom_id, message("", "refusal", stop_details={"category": "cyber"}))

    result, _ = drive(make_group(GroupJob(1, NAMES, tries=2), range(0, 10)), refuse)
    assert result.notes == {"requests refusal:cyber": 2}


def test_a_group_that_runs_again_asks_the_same(gold_answers: Any) -> None:
    job = GroupJob(2, NAMES, judged=1.0)
    runs = [drive(make_group(job, range(40, 50)), by(gold_answers(2, 60, wrong=0.3))) for _ in range(2)]
    assert [call.custom_id for call in runs[0][1]] == [call.custom_id for call in runs[1][1]]
    assert runs[0][0] == runs[1][0]
    assert list(runs[0][0].asked) == [(call.phase, call.custom_id) for call in runs[0][1]]


def test_the_share_of_second_readings_is_kept() -> None:
    job = GroupJob(9, NAMES, judged=0.25)
    from gatling_beam.claude.group import _is_judged

    judged = sum(_is_judged(job, numbers) for numbers in groups_of(range(0, 40_000)))
    assert 900 < judged < 1_100


def test_rewording_keeps_the_plan_and_refuses_what_says_another(gold_answers: Any) -> None:
    traces = [TemplateOracle(4, ["finance"]).trace(n) for n in range(10)]

    def respond(call: Call) -> Answer:
        cases = json.loads(call.params["messages"][0]["content"].split("\n")[1])
        texts = [{"n": case["n"], "text": f"Today: {case['meaning']}"} for case in cases]
        texts[3]["text"] += " Within 14 days."
        texts[4]["text"] = "Do it."
        return Answer(call.custom_id, message(json.dumps({"requests": texts})))

    result, [call] = drive(reword_group(GroupJob(0, ("finance",)).settings, traces), respond)
    assert call.phase == "reword"
    kept = [trace for k, trace in enumerate(traces) if k not in (3, 4)]
    assert [trace.graph for trace in result.traces] == [trace.graph for trace in kept]
    assert [trace.policy for trace in result.traces] == [trace.policy for trace in kept]
    assert all(trace.request.text.startswith("Today: ") for trace in result.traces)
    assert {trace.metadata["oracle"] for trace in result.traces} == {"reword"}
    assert [letter.reason for letter in result.dead] == ["model_answer", "invalid_trace"]


def test_every_form_that_a_prompt_offers_satisfies_the_validators() -> None:
    """Each value said in each of its forms: whatever form Claude chooses, `not_asked` is not found."""
    for number in range(0, 570, 5):
        trace = draw_cell(6, NAMES, number, 0).trace
        which = domain(trace.request.domain)
        offered = [
            forms for call in trace.graph.calls for forms in said_forms(which, call, trace.metadata["task"]).values()
        ]
        for k in range(max((len(forms) for forms in offered), default=0)):
            said = [forms[min(k, len(forms) - 1)] for forms in offered]
            if any("[until]" in form for form in said):
                continue
            request = msgspec.structs.replace(trace.request, text="Do this: " + "; ".join(said) + ".")
            rules = {problem.rule for problem in trace_problems(msgspec.structs.replace(trace, request=request))}
            assert "not_asked" not in rules, (said, trace.graph.calls)


def test_a_text_may_say_the_numbers_of_its_case_and_no_other() -> None:
    cell = draw_cell(1, NAMES, 0, 0)
    assert text_fault(cell, cell.meaning) is None
    assert "31" not in numbers_said(cell)
    assert "31" in str(text_fault(cell, cell.meaning + " It is 31 degrees."))
    for text in ("", "  ", "two\nlines", "x" * 2_001, "nul \x00", "\ud800"):
        assert text_fault(cell, text) is not None
    tool = cell.trace.graph.calls[0].tool_id.rpartition(".")[2]
    assert "tool" in str(text_fault(cell, f"{cell.meaning} ({tool})"))


_words = st.text(max_size=12) | st.sampled_from(
    [
        "call_1",
        "call_2",
        "$call_1.rows$",
        "$call_9.x$",
        "limit",
        "to",
        "since",
        "until",
        "2026-01-01",
        "7",
        "search_invoices",
    ]
)
_calls = st.builds(
    PlannedCall,
    id=_words,
    tool=_words | st.sampled_from(list(domain("finance").tools)),
    arguments=st.lists(st.builds(Argument, name=_words, values=st.lists(_words, max_size=3)), max_size=4),
    after=st.lists(_words, max_size=2),
    only_if=st.lists(_words, max_size=2),
)


@given(st.lists(_calls, max_size=5), st.integers(0, 50))
@settings(max_examples=150, deadline=None)
def test_no_plan_is_so_odd_that_it_breaks_the_reader(planned: list[PlannedCall], number: int) -> None:
    trace = TemplateOracle(1, ["finance"]).trace(number)
    made = with_graph(trace, planned)
    assert isinstance(made, GoldTrace)
    assert isinstance(trace_problems(made), list)


def test_groups_are_of_one_domain_and_cover_all_numbers() -> None:
    for span in (range(0, 1), range(0, 100), range(5, 37), range(990, 1_010)):
        parts = groups_of(span)
        assert [n for part in parts for n in part] == list(span)
        assert all(len({n // PER_CALL for n in part}) == 1 for part in parts)


def test_an_argument_that_is_given_twice_makes_a_plan_invalid() -> None:
    for number in range(0, 200, 10):
        trace = draw_cell(3, NAMES, number, 0).trace
        calls = [
            PlannedCall(
                id=call.call_id,
                tool=call.tool_id.rpartition(".")[2],
                arguments=[
                    Argument(name=name, values=[str(v) for v in (value if isinstance(value, list) else [value])])
                    for name, value in call.arguments.items()
                ],
                after=[s for s, target, kind in trace.metadata["edges"] if target == call.call_id and kind == "turn"],
                only_if=[
                    s for s, target, kind in trace.metadata["edges"] if target == call.call_id and kind == "control"
                ],
            )
            for call in trace.graph.calls
        ]
        assert trace_problems(with_graph(trace, calls)) == []
        first = calls[0].arguments[0]
        twice = [first.model_copy(update={"values": ["other"]}), *calls[0].arguments]
        assert trace_problems(with_graph(trace, [calls[0].model_copy(update={"arguments": twice}), *calls[1:]]))
