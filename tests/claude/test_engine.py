import asyncio
import gc
import json
import logging
import pickle
import socket
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import anthropic
import httpx2
import msgspec
import pytest

from gatling_beam.claude.calls import Call
from gatling_beam.claude.counts import Counts
from gatling_beam.claude.engine import (
    Engine,
    EngineSettings,
    close_engines,
    engine_of,
    leave_engines,
    use_engines,
)
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.faults import meaning
from gatling_beam.claude.limit import Limit, NothingAdmitted
from gatling_beam.claude.prices import upper_usd

MODEL = "claude-haiku-5-5"
KEY = "sk-ant-a-key-that-must-not-be-seen"


def call(n: int, **params) -> Call:
    message = {"role": "user", "content": f"question {n}"}
    return Call("requests", {"model": MODEL, "max_tokens": 400, "messages": [message], **params})


@pytest.fixture(autouse=True)
def fresh_engines(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    yield
    close_engines()


def engine_for(server, **settings) -> Engine:
    return engine_of(EngineSettings(model=MODEL, base_url=server.url, **{"backoff_s": 0.02, **settings}))


def ask_all(engine, calls, counts=None):
    counts = counts if counts is not None else Counts()

    async def ask():
        return await asyncio.gather(*(engine.ask(c, counts) for c in calls), return_exceptions=True)

    return engine.run(ask())


@contextmanager
def raw_server(*replies: bytes):
    """A server that sends `replies`, the last one again and again, and closes the connection after each."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                data = b""
                while b"\r\n\r\n" not in data:
                    data += connection.recv(65536)
                head, _, body = data.partition(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                while len(body) < length:
                    body += connection.recv(65536)
                seen.append(head)
                connection.sendall(replies[min(len(seen), len(replies)) - 1])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def http(status: int, body: object, headers: str = "", cut: int = 0) -> bytes:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{headers}"
    return head.encode() + b"Connection: close\r\n\r\n" + data[: len(data) - cut]


def api_error(status: int, kind: str, message: str, headers: str = "", **details) -> bytes:
    error = {"type": kind, "message": message} | ({"details": details} if details else {})
    return http(status, {"type": "error", "error": error}, headers)


MESSAGE = {
    "type": "message",
    "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "yes"}],
    "usage": {"input_tokens": 10, "output_tokens": 2},
}


# --- answers and faults


def test_every_call_is_answered_through_all_faults_that_pass(claude_server):
    server = claude_server(
        latency=0.02, rate_limit=0.05, overloaded=0.05, server_error=0.05, cut=0.05, hang=0.02, hang_seconds=3.0,
        retry_after=0.1,
    )  # fmt: skip
    engine, counts = engine_for(server, timeout_s=2, in_flight=32), Counts()
    calls = [call(n) for n in range(300)]
    answers = ask_all(engine, calls, counts)
    assert [a.custom_id for a in answers] == [c.custom_id for c in calls]
    assert all(a.message["stop_reason"] == "end_turn" for a in answers)
    while server.stats()["in_flight"]:
        time.sleep(0.05)
    seen = server.stats()
    assert seen["paid_again"] == 0
    lost = seen["outcomes"].get("cut", 0) + seen["outcomes"].get("gone", 0)
    assert lost > 3
    assert counts.total("maybe_billed") == lost == seen["paid_answers"] - 300
    assert counts.total("attempts") == seen["requests"]["POST /v1/messages"] == 300 + counts.total("retries")
    assert counts.total("throttled") == seen["statuses"]["429"] + seen["statuses"]["529"]
    assert seen["retries"] == {"0": counts.total("attempts")}


def test_usage_and_dollars_are_the_servers(claude_server):
    server = claude_server(refusal=0.1, max_tokens=0.1, bad_json=0.1)
    engine, counts = engine_for(server), Counts()
    answers = ask_all(engine, [call(n) for n in range(60)], counts)
    assert {a.message["stop_reason"] for a in answers} == {"end_turn", "refusal", "max_tokens"}
    tokens = server.stats()["tokens"][MODEL]["standard"]
    found = counts.by_phase()["requests"]
    assert (found["calls"], found["input_tokens"], found["output_tokens"], found["thinking_tokens"]) == (
        tokens["answers"], tokens["input"], tokens["output"], tokens["thinking"],
    )  # fmt: skip
    cost = (tokens["input"] * 0.10 + tokens["output"] * 0.50) / 1e6
    assert engine.meter.spent_usd == pytest.approx(cost)
    assert found["cost_micro_usd"] == round(cost * 1e6)


def test_429_with_retry_after_pauses_all_calls(claude_server):
    # The first is refused; those behind it wait too.
    server = claude_server(script=("rate_limit",), retry_after=1)
    engine, counts = engine_for(server, in_flight=1), Counts()
    start = time.monotonic()
    answers = ask_all(engine, [call(n) for n in range(5)], counts)
    assert time.monotonic() - start >= 1
    assert all(a.message for a in answers)
    assert counts.total("attempts") == 6
    assert counts.total("throttled") == 1


def test_the_limit_doubles_then_goes_down_at_529_and_up_again(claude_server):
    server = claude_server(latency=0.1)
    engine = engine_for(server, in_flight=64)
    assert engine.limit.value == 16
    ask_all(engine, [call(n) for n in range(64)])
    assert engine.limit.value == 64
    server.configure(capacity=20)
    counts = Counts()
    answers = ask_all(engine, [call(n) for n in range(100, 300)], counts)
    assert all(a.message for a in answers)
    low = engine.limit.value
    assert engine.limit.cuts >= 2
    assert low <= 30
    server.configure(capacity=0)
    ask_all(engine, [call(n) for n in range(300, 900)])
    assert engine.limit.value > low + 10
    assert server.stats()["paid_again"] == 0


@pytest.mark.parametrize(("status", "kind"), [(400, "invalid_request_error"), (413, "request_too_large")])
def test_a_call_that_the_api_refuses_is_an_answer_and_is_not_asked_again(status, kind):
    with raw_server(api_error(status, kind, "messages.0: too odd")) as (url, seen):
        engine, counts = engine_of(EngineSettings(model=MODEL, base_url=url)), Counts()
        (answer,) = ask_all(engine, [call(0)], counts)
    assert (answer.error, answer.detail, answer.message) == (kind, "messages.0: too odd", None)
    assert len(seen) == 1
    assert (counts.total("refused"), counts.total("calls"), engine.meter.spent_usd) == (1, 0, 0)


def test_a_parameter_that_the_client_does_not_know_reaches_the_api(claude_server):
    server = claude_server()
    (answer,) = ask_all(engine_for(server), [call(0, temperature=0.3)])
    assert answer.error == "invalid_request_error"
    assert "temperature" in answer.detail


def test_api_version_is_sent(claude_server):
    server = claude_server()
    ask_all(engine_for(server, api_version="2023-06-01"), [call(0)])
    assert server.stats()["versions"] == {"2023-06-01": 1}


@pytest.mark.parametrize(
    ("reply", "reason", "cure"),
    [
        (api_error(401, "authentication_error", f"invalid key {KEY}"), "authentication", "Set ANTHROPIC_API_KEY"),
        (api_error(403, "permission_error", f"{KEY} may not"), "authentication", "Set ANTHROPIC_API_KEY"),
        (api_error(404, "not_found_error", f"model: {MODEL}"), "model", "Choose another model"),
        (api_error(402, "billing_error", "no credit"), "spend_limit", "Add credit"),
        (
            api_error(400, "invalid_request_error", "Your credit balance is too low to access the API"),
            "spend_limit",
            "Add credit",
        ),
        (
            api_error(429, "rate_limit_error", "limit", error_code="enforced_spend_limit_reached"),
            "spend_limit",
            "Raise it in the Anthropic Console",
        ),
        (http(405, {"detail": "no"}), "bad_request", "base URL"),
    ],
)
def test_what_stops_a_run_says_what_to_do_and_is_not_asked_again(monkeypatch, caplog, reply, reason, cure):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    with raw_server(reply) as (url, seen):
        engine = engine_of(EngineSettings(model=MODEL, base_url=url))
        (stopped,) = ask_all(engine, [call(0)])
    assert isinstance(stopped, Stopped)
    assert stopped.reason == reason
    assert cure in str(stopped)
    assert len(seen) == 1
    assert KEY.encode() in seen[0]  # the key was used, and yet:
    shown = [str(stopped), repr(stopped), repr(stopped.__cause__), caplog.text, repr(engine), repr(engine.settings)]
    assert not any(KEY in text for text in shown)
    for value in (engine.settings, stopped):
        assert KEY.encode() not in pickle.dumps(value)
    assert KEY.encode() not in msgspec.json.encode(engine.settings)


def test_spend_limit_of_the_server_stops_at_once(claude_server):
    server = claude_server(spend_limit=1.0)
    (stopped,) = ask_all(engine_for(server), [call(0)])
    assert stopped.reason == "spend_limit"
    assert server.stats()["requests"]["POST /v1/messages"] == 1


@pytest.mark.parametrize("fault", ["server_error", "overloaded", "rate_limit"])
def test_what_does_not_pass_stops_after_all_attempts(claude_server, fault):
    server = claude_server(**{fault: 1.0}, retry_after=0.01)
    (stopped,) = ask_all(engine_for(server, attempts=3, backoff_s=0.01), [call(0)])
    assert stopped.reason == "exhausted"
    assert "3 times" in str(stopped)
    assert server.stats()["requests"]["POST /v1/messages"] == 3


def test_a_connection_that_is_refused_is_not_billed_and_one_that_breaks_may_be():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    engine = engine_of(EngineSettings(model=MODEL, base_url=f"http://127.0.0.1:{port}", attempts=2, backoff_s=0.01))
    counts = Counts()
    (stopped,) = ask_all(engine, [call(0)], counts)
    assert (stopped.reason, counts.total("attempts"), counts.total("maybe_billed")) == ("exhausted", 2, 0)
    assert engine.meter.spent_usd == 0

    with raw_server(http(200, MESSAGE, cut=9), b"", http(200, {"no": "message"}), http(200, MESSAGE)) as (url, _):
        engine, counts = engine_of(EngineSettings(model=MODEL, base_url=url, backoff_s=0.01)), Counts()
        (answer,) = ask_all(engine, [call(0)], counts)
    assert answer.message == MESSAGE
    assert (counts.total("attempts"), counts.total("maybe_billed")) == (4, 3)
    assert engine.meter.maybe_billed_usd == pytest.approx(3 * upper_usd(engine.meter.price, call(0), False))


def test_a_runtime_error_under_a_connection_error_is_raised_as_the_bug_it_is():
    error = anthropic.APIConnectionError(request=httpx2.Request("POST", "http://127.0.0.1/"))
    error.__cause__ = RuntimeError("bound to a different event loop")
    assert meaning(error, MODEL, "") is error.__cause__
    bug = KeyError("of ours")
    assert meaning(bug, MODEL, "") is bug


# --- budget


def test_the_budget_is_never_exceeded_and_used_up_to_one_call(claude_server):
    server = claude_server(latency=0.02, hang=0.02, hang_seconds=2, cut=0.02)
    probe = engine_for(server)
    most = upper_usd(probe.meter.price, call(100), False)
    cap = most * 12
    engine, counts = engine_for(server, cap_usd=cap, timeout_s=1, in_flight=64), Counts()
    answers = ask_all(engine, [call(n) for n in range(100, 500)], counts)
    paid = [a for a in answers if not isinstance(a, Exception)]
    stopped = [a for a in answers if isinstance(a, Exception)]
    assert {a.reason for a in stopped} == {"budget"}
    assert "run again with a higher cap" in str(stopped[0])
    assert len(paid) == counts.total("calls") > 12
    assert cap - most < engine.meter.spent_usd <= cap
    tokens = server.stats()["tokens"][MODEL]["standard"]
    assert (tokens["input"] * 0.10 + tokens["output"] * 0.50) / 1e6 <= engine.meter.spent_usd


# --- settings, threads, life


def test_settings_travel_without_a_key(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    settings = EngineSettings(model=MODEL, in_flight=7, cap_usd=1.5)
    assert pickle.loads(pickle.dumps(settings)) == settings
    assert msgspec.json.decode(msgspec.json.encode(settings), type=EngineSettings) == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [("in_flight", 0), ("in_flight", 5000), ("timeout_s", 0), ("attempts", 0), ("backoff_s", -1), ("cap_usd", 0)],
)
def test_settings_out_of_their_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}"):
        EngineSettings(model=MODEL, **{name: value})


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_nothing_starts(monkeypatch, key):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    if key is not None:
        monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    threads = threading.active_count()
    with pytest.raises(Stopped, match="ANTHROPIC_API_KEY is not set") as raised:
        engine_of(EngineSettings(model=MODEL))
    assert raised.value.reason == "authentication"
    assert threading.active_count() == threads


def test_a_model_without_a_price_or_another_model_is_refused(claude_server):
    threads = threading.active_count()
    with pytest.raises(ValueError, match="has no price"):
        engine_of(EngineSettings(model="claude-unheard-of"))
    assert threading.active_count() == threads
    server = claude_server()
    (error,) = ask_all(engine_for(server), [call(0, model="claude-opus-5-5")])
    assert isinstance(error, ValueError)
    assert server.stats()["requests"] == {}


def test_threads_share_one_engine_and_one_loop(claude_server):
    server = claude_server(latency=0.02)

    def work(n):
        engine = engine_for(server)
        (answer,) = ask_all(engine, [call(n)])
        return engine, engine.loop, answer.custom_id

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(work, range(64)))
    assert len({id(engine) for engine, _, _ in found}) == len({id(loop) for _, loop, _ in found}) == 1
    assert [c for _, _, c in found] == [call(n).custom_id for n in range(64)]
    assert [thread.name for thread in threading.enumerate()].count("claude") == 1
    assert server.stats()["duplicates"] == 0


def test_another_key_is_another_engine(claude_server, monkeypatch):
    server = claude_server()
    monkeypatch.setenv("ANTHROPIC_API_KEY", "wrong")
    (stopped,) = ask_all(engine_for(server), [call(0)])
    assert stopped.reason == "authentication"
    monkeypatch.setenv("ANTHROPIC_API_KEY", server.api_key)
    (answer,) = ask_all(engine_for(server), [call(0)])
    assert answer.message


def test_closing_leaves_no_thread_and_no_open_connection(claude_server):
    server = claude_server(latency=0.01)
    before = threading.active_count()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        engine = engine_for(server)
        ask_all(engine, [call(n) for n in range(20)])
        close_engines()
        engine.close()  # a second time does nothing
        del engine
        gc.collect()
    assert threading.active_count() == before
    assert not [w for w in caught if issubclass(w.category, ResourceWarning)]


def test_a_process_that_ends_without_closing_says_nothing(claude_server):
    server = claude_server()
    script = (
        "import asyncio\n"
        "from gatling_beam.claude.calls import Call\n"
        "from gatling_beam.claude.counts import Counts\n"
        "from gatling_beam.claude.engine import EngineSettings, engine_of\n"
        f"engine = engine_of(EngineSettings(model={MODEL!r}, base_url={server.url!r}))\n"
        f"params = {call(0).params!r}\n"
        "print(engine.run(engine.ask(Call('requests', params), Counts())).message['stop_reason'])\n"
    )
    command = [sys.executable, "-W", "always::ResourceWarning", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("end_turn\n", "")


# --- the limit by itself


def test_one_cut_for_all_calls_of_a_round_trip():
    async def run():
        limit = Limit(64, 0.01)
        tickets = [await limit.acquire(lambda: True, lambda: None) for _ in range(16)]
        assert limit.in_flight == 16
        for ticket in tickets[:5]:
            limit.refused(ticket, None)
        assert (limit.value, limit.cuts) == (11, 1)
        for _ in tickets[5:]:
            limit.succeeded()
        assert limit.in_flight == 0
        return limit.value

    # In all, 11 answers to a limit of 11: one round trip, 2 more.
    assert asyncio.run(run()) == 13


def test_pauses_double_while_nothing_succeeds():
    async def run():
        limit, waits = Limit(8, 0.02), []
        for _ in range(4):
            start = time.monotonic()
            ticket = await limit.acquire(lambda: True, lambda: None)
            waits.append(time.monotonic() - start)
            limit.refused(ticket, None)
        return waits

    waits = asyncio.run(run())
    assert [wait >= least for wait, least in zip(waits, (0, 0.02, 0.04, 0.08), strict=True)] == [True] * 4


def test_a_call_waits_for_room_in_the_budget_and_fails_where_none_can_come():
    async def run():
        limit, room = Limit(8, 0.01), [1]

        def admit():
            room[0] -= 1
            if room[0] < 0:
                room[0] += 1
                return False
            return True

        await limit.acquire(admit, lambda: None)
        second = asyncio.ensure_future(limit.acquire(admit, lambda: None))
        await asyncio.sleep(0.01)
        assert not second.done()
        room[0] += 1
        limit.succeeded()
        await second
        third = asyncio.ensure_future(limit.acquire(admit, lambda: None))
        await asyncio.sleep(0.01)
        limit.succeeded()
        with pytest.raises(NothingAdmitted):
            await third

    asyncio.run(run())


def test_a_caller_that_is_cancelled_gives_back_what_it_took():
    async def run():
        limit, taken = Limit(1, 0.01), []
        await limit.acquire(lambda: True, lambda: None)
        asking = asyncio.ensure_future(limit.acquire(lambda: taken.append(1) is None, lambda: taken.remove(1)))
        await asyncio.sleep(0)
        limit.succeeded()  # it is admitted, and does not know it yet
        assert (limit.in_flight, taken) == (1, [1])
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return limit.in_flight, taken

    assert asyncio.run(run()) == (0, [])


def test_engines_are_closed_with_their_last_user(claude_server, monkeypatch):
    server = claude_server()
    monkeypatch.setenv("ANTHROPIC_API_KEY", server.api_key)
    settings = EngineSettings(model=MODEL, base_url=server.url)
    use_engines()
    use_engines()
    engine = engine_of(settings)
    leave_engines()
    assert engine_of(settings) is engine and not engine.loop.is_closed()
    leave_engines()
    assert engine.loop.is_closed()
