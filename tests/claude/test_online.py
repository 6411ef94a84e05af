import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from gatling_beam.claude.calls import Call
from gatling_beam.claude.counts import Counts
from gatling_beam.claude.engine import EngineSettings, close_engines, engine_of
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.online import run_online
from gatling_beam.claude.store import AnswerStore

MODEL = "claude-haiku-5-5"
SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
FAULTS = {
    "latency": 0.03, "jitter": 0.3, "retry_after": 0.1, "hang_seconds": 3.0,
    "rate_limit": 0.05, "overloaded": 0.05, "server_error": 0.03, "hang": 0.01, "cut": 0.02,
    "bad_json": 0.05, "refusal": 0.01, "max_tokens": 0.03,
}  # fmt: skip


def question(text: str, phase="requests") -> Call:
    params = {
        "model": MODEL,
        "max_tokens": 400,
        "messages": [{"role": "user", "content": text}],
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    }
    return Call(phase, params)


def usable(answer):
    """The text of an answer, or None."""
    text = "".join(block["text"] for block in answer.message["content"] if block["type"] == "text")
    try:
        return json.loads(text)["text"] if answer.message["stop_reason"] == "end_turn" else None
    except ValueError:
        return None


def until_usable(name, samples=4):
    """A group that asks one question, in other words until the answer can be used; a refusal is final."""
    for n in range(samples):
        (answer,) = yield [question(f"{name}, asked {n} times before")]
        if answer.message["stop_reason"] == "refusal":
            return "refusal"
        if (text := usable(answer)) is not None:
            return text
    return "unusable"


def two_rounds(name):
    """A group of two rounds: three questions at once, then one that holds their answers."""
    first = yield [question(f"{name}, part {n}") for n in range(3)]
    (last,) = yield [question(f"{name}: {[usable(a) for a in first]}", "graphs")]
    return [usable(a) for a in first], usable(last)


@pytest.fixture(autouse=True)
def fresh_engines(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    yield
    close_engines()


def engine_for(server, **settings):
    return engine_of(EngineSettings(model=MODEL, base_url=server.url, **{"backoff_s": 0.02, **settings}))


def store(path, shard="0") -> AnswerStore:
    return AnswerStore(str(path), shard).load()


def settled(server):
    while server.stats()["in_flight"]:
        time.sleep(0.05)
    return server.stats()


def test_results_come_in_the_order_of_the_groups_and_are_those_of_a_replay(claude_server, tmp_path):
    server = claude_server(latency=0.05, jitter=0.9)
    groups = [partial(two_rounds, f"group {n}") for n in range(30)]
    counts = Counts()
    results = run_online(groups, store(tmp_path), engine_for(server), counts)
    assert [len(first) for first, _ in results] == [3] * 30
    assert all(None not in first and last for first, last in results)
    by_phase = counts.by_phase()
    assert (by_phase["requests"]["calls"], by_phase["graphs"]["calls"]) == (90, 30)
    again = Counts()
    assert run_online(groups, store(tmp_path), engine_for(server), again) == results
    assert (again.total("replayed"), again.total("calls"), again.usage.calls) == (120, 0, 0)
    seen = server.stats()
    assert (seen["requests"], seen["duplicates"]) == ({"POST /v1/messages": 120}, 0)


def test_no_usable_answer_is_lost_and_none_is_paid_twice_under_all_faults(claude_server, tmp_path):
    server = claude_server(**FAULTS)
    engine, counts = engine_for(server, timeout_s=2, in_flight=32), Counts()
    groups = [partial(until_usable, f"group {n}") for n in range(300)]
    results = run_online(groups, store(tmp_path), engine, counts)
    assert "unusable" not in results
    assert 0 < results.count("refusal") < 15
    seen = settled(server)
    assert seen["paid_again"] == 0
    lost = seen["outcomes"].get("cut", 0) + seen["outcomes"].get("gone", 0)
    assert counts.total("maybe_billed") == lost > 0
    # Every paid answer that arrived is stored, the unusable ones too, and was asked for once.
    stored = store(tmp_path)
    assert len(stored) == counts.total("calls") == seen["paid_answers"] - lost > 300
    assert seen["duplicates"] <= lost
    server.reset()
    assert run_online(groups, store(tmp_path), engine) == results
    assert server.stats()["requests"] == {}


def test_one_call_is_made_once_however_many_groups_ask_for_it(claude_server, tmp_path):
    server = claude_server(latency=0.05)

    def group():
        answers = yield [question("the same"), question("the same")]
        return [usable(a) for a in answers]

    results = run_online([group] * 20, store(tmp_path), engine_for(server))
    assert len({text for texts in results for text in texts}) == 1
    assert server.stats()["paid_answers"] == 1


def test_a_group_without_calls_and_no_groups(claude_server, tmp_path):
    server = claude_server()

    def empty():
        answers = yield []
        return answers

    def nothing():
        return "at once"
        yield

    assert run_online([empty, nothing], store(tmp_path), engine_for(server)) == [[], "at once"]
    assert run_online([], store(tmp_path), engine_for(server)) == []
    assert server.stats()["requests"] == {}


def test_a_refused_call_goes_to_its_group_and_is_not_stored(claude_server, tmp_path):
    server = claude_server()
    wrong = Call("requests", {**question("x").params, "temperature": 0.3})

    def group():
        answers = yield [wrong, question("right")]
        return answers[0].error, usable(answers[1])

    ((error, text),) = run_online([group], store(tmp_path), engine_for(server))
    assert error == "invalid_request_error"
    assert text
    assert len(store(tmp_path)) == 1
    run_online([group], store(tmp_path), engine_for(server))
    assert server.stats()["paid_answers"] == 1


def test_an_answer_is_on_disk_before_its_group_sees_it(claude_server, tmp_path):
    server = claude_server()

    def group():
        (answer,) = yield [question("first")]
        assert store(tmp_path).get(answer.custom_id) == answer
        return True

    assert run_online([group] * 5, store(tmp_path), engine_for(server)) == [True] * 5


@pytest.mark.parametrize("fault", ["stopped", "bug", "disk"])
def test_where_a_run_stops_what_is_in_flight_is_awaited_and_stored(claude_server, tmp_path, monkeypatch, fault):
    server = claude_server(latency=0.5)
    engine, answers = engine_for(server, in_flight=16), store(tmp_path)

    def bad(n):
        yield [question(f"bad {n}")]
        if fault == "stopped":
            raise Stopped("exhausted", "for a test")
        if fault == "bug":
            raise KeyError("of a group")
        yield [question(f"after bad {n}")]

    if fault == "disk":
        add, calls = answers.add, []

        def full(part):
            calls.append(part)
            if len(calls) == 1:
                raise OSError(28, "No space left on device")
            add(part)

        monkeypatch.setattr(answers, "add", full)
    groups = [partial(bad, 0), *(partial(two_rounds, f"group {n}") for n in range(40))]
    with pytest.raises({"stopped": Stopped, "bug": KeyError, "disk": OSError}[fault]):
        run_online(groups, answers, engine)
    seen = server.stats()
    assert seen["in_flight"] == 0
    assert seen["paid_answers"] < 80
    lost = 0 if fault != "disk" else len(calls[0])
    assert len(store(tmp_path)) == seen["paid_answers"] - lost
    # The same run goes on from there.
    server.configure(latency=0)
    again = Counts()
    run_online(groups[1:], store(tmp_path), engine, again)
    assert again.total("replayed") > 0
    assert server.stats()["duplicates"] <= lost


def test_the_budget_stops_the_run_and_a_higher_one_goes_on(claude_server, tmp_path):
    server = claude_server(latency=0.02)
    groups = [partial(two_rounds, f"group {n}") for n in range(60)]
    first = Counts()
    poor = engine_for(server, cap_usd=0.004, in_flight=32)
    with pytest.raises(Stopped, match="run again with a higher cap") as stopped:
        run_online(groups, store(tmp_path), poor, first)
    assert stopped.value.reason == "budget"
    tokens = server.stats()["tokens"][MODEL]["standard"]
    paid = (tokens["input"] * 0.10 + tokens["output"] * 0.50) / 1e6
    assert 0.003 < paid <= 0.004
    assert first.usage.usd == poor.meter.spent_usd
    assert first.usage.usd == pytest.approx(paid)
    second = Counts()
    results = run_online(groups, store(tmp_path), engine_for(server, cap_usd=0.1), second)
    assert len(results) == 60
    assert first.total("calls") + second.total("calls") == server.stats()["paid_answers"] == 240
    assert server.stats()["duplicates"] == 0


def test_every_fatal_fault_reaches_the_caller_and_leaves_what_was_paid(claude_server, tmp_path):
    server = claude_server(latency=0.05)
    groups = [partial(two_rounds, f"group {n}") for n in range(20)]
    server.configure(script=[""] * 30 + ["spend_limit"] * 200)
    with pytest.raises(Stopped) as stopped:
        run_online(groups, store(tmp_path), engine_for(server))
    assert stopped.value.reason == "spend_limit"
    assert len(store(tmp_path)) == server.stats()["paid_answers"] == 30
    server.configure(script=[])
    assert len(run_online(groups, store(tmp_path), engine_for(server))) == 20
    assert server.stats()["duplicates"] == 0


def test_two_threads_with_two_shards_share_the_limit(claude_server, tmp_path):
    server = claude_server(latency=0.1)
    settings = EngineSettings(model=MODEL, base_url=server.url, in_flight=8)

    def shard(name):
        groups = [partial(two_rounds, f"{name}, group {n}") for n in range(10)]
        return run_online(groups, store(tmp_path, name), engine_of(settings))

    with ThreadPoolExecutor(4) as pool:
        assert [len(results) for results in pool.map(shard, "abcd")] == [10] * 4
    seen = server.stats()
    assert (seen["paid_answers"], seen["duplicates"]) == (160, 0)
    assert seen["max_in_flight"] == 8
    assert [thread.name for thread in threading.enumerate()].count("claude") == 1


def test_the_key_is_in_no_file_and_no_log(claude_server, tmp_path, monkeypatch, caplog):
    key = "sk-ant-a-key-that-must-not-be-seen"
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    caplog.set_level(logging.DEBUG)
    server = claude_server(api_key=key, cut=0.1, server_error=0.1)
    run_online([partial(two_rounds, f"group {n}") for n in range(5)], store(tmp_path), engine_for(server))
    server.configure(api_key="another")
    with pytest.raises(Stopped) as stopped:
        run_online([partial(two_rounds, "one more")], store(tmp_path), engine_for(server))
    assert stopped.value.reason == "authentication"
    assert key not in caplog.text + repr(stopped.value) + str(stopped.value)
    files = [path for path in Path(tmp_path).rglob("*") if path.is_file()]
    assert files
    assert not any(key in path.read_text() for path in files)


RUN = """
import sys
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location

spec = spec_from_file_location("groups", {tests!r})
groups = module_from_spec(spec)
spec.loader.exec_module(groups)
settings = groups.EngineSettings(model=groups.MODEL, base_url={url!r}, in_flight=16)
work = [partial(groups.two_rounds, "group %d" % n) for n in range(40)]
print(len(groups.run_online(work, groups.store({answers!r}), groups.engine_of(settings))))
"""


def heed_interrupts() -> None:
    """A process that is started in the background of a script ignores Ctrl-C, and its children do."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start_run(server, answers) -> subprocess.Popen:
    script = RUN.format(tests=__file__, url=server.url, answers=str(answers))
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )


def wait_for_answers(server, number):
    while server.stats(hashes=False)["paid_answers"] < number:
        time.sleep(0.01)


def test_after_kill_9_only_what_was_in_flight_is_asked_again(claude_server, tmp_path):
    server = claude_server(latency=0.25, jitter=0.5)
    first = start_run(server, tmp_path)
    wait_for_answers(server, 50)
    in_flight = server.stats(hashes=False)["in_flight"]
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    paid = settled(server)["paid_answers"]
    stored = len(store(tmp_path))
    assert 0 < in_flight <= 16
    # Asked and not on disk: on the wire, or arrived within the last part's time.
    assert stored < paid < 160
    second = start_run(server, tmp_path)
    assert second.communicate() == ("40\n", "")
    seen = server.stats()
    assert seen["paid_answers"] == 160 + paid - stored
    assert seen["duplicates"] == paid - stored <= 16


def test_after_ctrl_c_nothing_is_asked_again(claude_server, tmp_path):
    server = claude_server(latency=0.25, jitter=0.5)
    first = start_run(server, tmp_path)
    wait_for_answers(server, 50)
    os.kill(first.pid, signal.SIGINT)
    _, errors = first.communicate(timeout=30)
    assert "KeyboardInterrupt" in errors
    assert len(store(tmp_path)) == settled(server)["paid_answers"] < 160
    second = start_run(server, tmp_path)
    assert second.communicate() == ("40\n", "")
    assert server.stats()["duplicates"] == 0
    assert server.stats()["paid_answers"] == 160
