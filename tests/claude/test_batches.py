import json
import signal
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import anthropic
import httpx2
import pytest

from gatling_beam.claude.batch_settings import BatchSettings
from gatling_beam.claude.batches import run_batches
from gatling_beam.claude.calls import Answer
from gatling_beam.claude.engine import Engine, EngineSettings
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.online import run_online
from gatling_beam.claude.prices import usd
from gatling_beam.claude.store import AnswerStore, CorruptFile

_SCRIPT = Path(__file__).with_name("batch_run.py")


@pytest.fixture(scope="session")
def runs():
    spec = spec_from_file_location("batch_run", _SCRIPT)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def killed_run():
    """`killed_run(url, directory, point)`: a run that kills itself; the signal that ended it."""
    with subprocess.Popen([sys.executable, _SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:

        def run(url, directory, point):
            child.stdin.write(f"{url} {directory} {point}\n")
            child.stdin.flush()
            return int(child.stdout.readline())

        yield run
        child.stdin.close()


@pytest.fixture
def serve(claude_server):
    """`serve(**options)`: a server that echoes the question, and whose batches end soon."""
    return lambda **options: claude_server(answer=echo, **{"batch_seconds": 0.05, **options})


def echo(body):
    return "to " + body["messages"][0]["content"][:40]


def expected(groups):
    """The results when every call is answered by `echo`."""
    results = {}
    for shard, makes in groups.items():
        results[shard] = []
        for make in makes:
            steps, answers = make(), None
            try:
                calls = next(steps)
                while True:
                    answers = [_answer(call) for call in calls]
                    calls = steps.send(answers)
            except StopIteration as e:
                results[shard].append(e.value)
    return results


def _answer(call):
    return Answer(call.custom_id, {"content": [{"type": "text", "text": echo(call.params)}]})


def paid_usd(server, price):
    """What the server has answered, at the price of batches."""
    tokens = server.stats()["tokens"].get(price.model, {}).get("batch", {})
    usage = {f"{name}_tokens": tokens.get(name, 0) for name in ("input", "output")}
    return usd(price, usage, batch=True)


def test_a_run_asks_each_call_once_and_a_second_run_none(serve, runs, tmp_path):
    server = serve()
    seen = []
    results = run_batches(runs.groups(), str(tmp_path), runs.client(server.url), runs.settings(), seen.append)
    assert results == expected(runs.groups())
    stats = server.stats()
    assert (stats["paid_answers"], stats["duplicates"]) == (120, 0)
    # 100 questions, 40 in a batch, then 20.
    assert [batch["requests"] for batch in stats["batches"]] == [40, 40, 20, 20]
    last = seen[-1]
    assert (last.groups_done, last.answered, last.batches, last.open_batches) == (20, 120, 4, 0)
    assert last.usage.usd == pytest.approx(paid_usd(server, runs.PRICE), abs=1e-12) and last.spent_usd > 0
    assert run_batches(runs.groups(), str(tmp_path), runs.client(server.url), runs.settings()) == results
    assert len(server.stats()["batches"]) == 4


def test_an_online_run_over_the_folder_of_batches_makes_no_call_and_back(serve, runs, tmp_path, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    server = serve()
    batched, online = tmp_path / "batched", tmp_path / "online"
    engine = Engine(EngineSettings(model=runs.MODEL, base_url=server.url))
    try:
        for shard, groups in runs.groups().items():
            first = run_batches({shard: groups}, str(batched), runs.client(server.url), runs.settings())[shard]
            assert run_online(groups, AnswerStore(str(batched), shard).load(), engine) == first
            assert "POST /v1/messages" not in server.stats()["requests"]
            assert run_online(groups, AnswerStore(str(online), shard).load(), engine) == first
            server.reset()
            assert run_batches({shard: groups}, str(online), runs.client(server.url), runs.settings())[shard] == first
            assert server.stats()["batches"] == []
    finally:
        engine.close()


def test_faults_of_a_thousand_requests(serve, runs, tmp_path):
    server = serve(batch_errored=0.05, batch_expired=0.05)
    groups = runs.groups(shards=4, each=50, calls=5)

    # Twelve calls that the API refuses.
    def refused():
        answers = yield [runs.call("compliance", f"refuse {i}", max_tokens=10_000_000) for i in range(12)]
        return [answer.error for answer in answers]

    groups["s9"] = [refused]
    seen = []
    of = runs.settings(batch_requests=300, attempts=8)
    results = run_batches(groups, str(tmp_path), runs.client(server.url), of, seen.append)
    assert results.pop("s9") == [["invalid_request_error"] * 12]
    del groups["s9"]
    assert results == expected(groups)
    stats = server.stats()
    assert (stats["paid_answers"], stats["duplicates"]) == (1200, 0)
    # Every request of a batch was answered, or refused, or sent again.
    assert sum(batch["requests"] for batch in stats["batches"]) == 1200 + 12 + seen[-1].resent
    assert (seen[-1].answered, seen[-1].refused) == (1200, 12)
    assert 80 < seen[-1].resent < 200
    batches = len(stats["batches"])
    groups["s9"] = [refused]
    run_batches(groups, str(tmp_path), runs.client(server.url), of)
    assert len(server.stats()["batches"]) == batches


def test_what_fails_every_time_stops_the_run(serve, runs, tmp_path):
    server = serve(batch_expired=1.0)
    with pytest.raises(Stopped, match="3 times") as stopped:
        run_batches(runs.groups(1, 2), str(tmp_path), runs.client(server.url), runs.settings(attempts=3))
    assert stopped.value.reason == "exhausted"
    assert [batch["requests"] for batch in server.stats()["batches"]] == [10, 10, 10]
    server.configure(batch_expired=0.0)
    done = run_batches(runs.groups(1, 2), str(tmp_path), runs.client(server.url), runs.settings())
    assert done == expected(runs.groups(1, 2))


def test_a_slow_creation_makes_one_batch(serve, runs, tmp_path):
    server = serve(batch_slow_create=1.0, slow_create_seconds=2)
    of = runs.settings(create_timeout_s=0.3, batch_requests=1000)
    assert run_batches(runs.groups(1, 4), str(tmp_path), runs.client(server.url), of) == expected(runs.groups(1, 4))
    assert [batch["requests"] for batch in server.stats()["batches"]] == [20, 4]
    assert server.stats()["duplicates"] == 0
    found = [json.loads(path.read_bytes())["found"] for path in tmp_path.glob("batches/*.submitted.json")]
    assert found == [True, True]


def test_unanswered_creations_of_equal_size_are_told_apart(serve, runs, tmp_path):
    server = serve(batch_slow_create=1.0, slow_create_seconds=2)
    of = runs.settings(create_timeout_s=0.3, batch_requests=10)
    assert run_batches(runs.groups(1, 6), str(tmp_path), runs.client(server.url), of) == expected(runs.groups(1, 6))
    assert [batch["requests"] for batch in server.stats()["batches"]] == [10, 10, 10, 6]
    assert server.stats()["duplicates"] == 0


def test_an_overloaded_creation_is_made_again_when_no_batch_shows_up(serve, runs, tmp_path):
    server = serve(batch_overloaded=1.0)
    seen = []

    def recover(progress):
        seen.append(progress)
        server.configure(batch_overloaded=0.0)

    results = run_batches(runs.groups(1, 2), str(tmp_path), runs.client(server.url), runs.settings(), recover)
    assert results == expected(runs.groups(1, 2))
    assert server.stats()["duplicates"] == 0
    ends = [json.loads(path.read_bytes())["end"] for path in sorted(tmp_path.glob("batches/*.fetched.json"))]
    assert ends == ["not_created", "fetched", "fetched"]


@pytest.mark.parametrize("point", ["intent", "created", "polling", "fetching", "written", "second_round"])
def test_a_killed_run_is_gone_on_with(serve, runs, killed_run, tmp_path, point):
    server = serve()
    assert killed_run(server.url, tmp_path, point) == signal.SIGKILL
    results = run_batches(runs.groups(), str(tmp_path), runs.client(server.url), runs.settings())
    assert results == expected(runs.groups())
    stats = server.stats()
    assert (stats["paid_answers"], stats["duplicates"]) == (120, 0)
    # Between intent and creation nothing was created; elsewhere no batch is made again.
    assert sum(batch["requests"] for batch in stats["batches"]) == 120


def test_a_cap_is_kept_and_the_next_run_pays_for_the_rest_only(serve, runs, tmp_path):
    server = serve()
    groups, directory, client = runs.groups(2, 50), str(tmp_path), runs.client(server.url)
    cap = 0.02
    seen = []
    of = runs.settings(cap_usd=cap, batch_requests=300)
    with pytest.raises(Stopped, match="are spent") as stopped:
        run_batches(groups, directory, client, of, seen.append)
    assert stopped.value.reason == "budget"
    first = paid_usd(server, runs.PRICE)
    assert 0.5 * cap < first <= cap
    assert seen[-1].spent_usd == pytest.approx(first, abs=1e-12)
    answered = server.stats()["paid_answers"]
    assert 0 < answered < 600
    assert run_batches(groups, directory, client, runs.settings(), seen.append) == expected(groups)
    assert (server.stats()["paid_answers"], server.stats()["duplicates"]) == (600, 0)
    assert seen[-1].answered == 600 - answered


def test_a_cap_without_room_for_a_call(serve, runs, tmp_path):
    server = serve()
    with pytest.raises(Stopped, match="budget") as stopped:
        run_batches(runs.groups(1, 1), str(tmp_path), runs.client(server.url), runs.settings(cap_usd=1e-6))
    assert stopped.value.reason == "budget"
    assert server.stats()["batches"] == []


def test_a_canceled_batch_stops_the_run(serve, runs, tmp_path):
    server = serve(batch_seconds=1.0)
    client = runs.client(server.url)
    canceled = []

    def cancel(progress):
        if not canceled:
            canceled.append(client.messages.batches.cancel(server.stats()["batches"][0]["id"]))

    with pytest.raises(Stopped) as stopped:
        run_batches(runs.groups(1, 4), str(tmp_path), client, runs.settings(), cancel)
    assert stopped.value.reason == "canceled"
    server.configure(batch_seconds=0.1)
    assert run_batches(runs.groups(1, 4), str(tmp_path), client, runs.settings()) == expected(runs.groups(1, 4))
    assert server.stats()["duplicates"] == 0


def test_results_that_were_not_kept_are_asked_for_again_and_count_as_spent(serve, runs, tmp_path):
    server = serve()
    lost = []

    def archive(response):
        """The first batch that has ended loses its results."""
        path = response.request.url.path
        if response.request.method == "GET" and "/batches/msgbatch_" in path and not path.endswith("results"):
            response.read()
            body = response.json()
            if body["results_url"] and (not lost or lost == [body["id"]]):
                lost[:] = [body["id"]]
                response._content = json.dumps({**body, "results_url": None}).encode()

    http = anthropic.DefaultHttpxClient(event_hooks={"response": [archive]})
    seen = []
    client = runs.client(server.url, http_client=http)
    assert run_batches(runs.groups(), str(tmp_path), client, runs.settings(), seen.append) == expected(runs.groups())
    assert seen[-1].lost in (20, 40)
    assert server.stats()["duplicates"] == seen[-1].lost
    assert seen[-1].spent_usd > seen[-1].usage.usd


def test_a_batch_that_is_not_found_is_not_paid_for_again(serve, runs, killed_run, tmp_path):
    first, other = serve(), serve()
    assert killed_run(first.url, tmp_path, "polling") == signal.SIGKILL
    with pytest.raises(Stopped, match="workspace") as stopped:
        run_batches(runs.groups(), str(tmp_path), runs.client(other.url), runs.settings())
    assert stopped.value.reason == "authentication"
    assert other.stats()["batches"] == []


def test_downloads_that_break_off_are_made_again(serve, runs, tmp_path):
    server = serve(batch_cut_results=0.6, seed=3)
    assert run_batches(runs.groups(), str(tmp_path), runs.client(server.url), runs.settings()) == expected(
        runs.groups()
    )
    stats = server.stats()
    assert stats["duplicates"] == 0
    assert stats["requests"]["GET /v1/messages/batches/{id}/results"] > len(stats["batches"])


def test_a_wrong_key_stops_and_is_not_told(serve, runs, tmp_path):
    server = serve()
    client = anthropic.Anthropic(api_key="sk-secret", base_url=server.url)
    with pytest.raises(Stopped) as stopped:
        run_batches(runs.groups(1, 1), str(tmp_path), client, runs.settings())
    assert stopped.value.reason == "authentication"
    assert "sk-secret" not in str(stopped.value)


class Transport(httpx2.BaseTransport):
    """Sends requests on, but for those to which `reply(request)` has a response of its own."""

    def __init__(self, reply):
        self._reply, self._real = reply, httpx2.HTTPTransport()

    def handle_request(self, request):
        return self._reply(request) or self._real.handle_request(request)


def _error(status, kind, headers=None, **details):
    error = {"type": kind, "message": f"says {kind}", "details": details}
    return httpx2.Response(status, json={"type": "error", "error": error}, headers=headers)


def test_a_creation_that_is_put_off_is_made_later(serve, runs, tmp_path):
    server = serve()
    put_off = []

    def reply(request):
        if request.method == "POST" and len(put_off) < 2:
            put_off.append(request)
            return _error(429, "rate_limit_error", {"retry-after": "0.2"})
        return None

    client = runs.client(server.url, http_client=anthropic.DefaultHttpxClient(transport=Transport(reply)))
    assert run_batches(runs.groups(1, 2), str(tmp_path), client, runs.settings()) == expected(runs.groups(1, 2))
    assert len(put_off) == 2
    assert server.stats()["duplicates"] == 0


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (lambda: _error(429, "rate_limit_error", error_code="enforced_spend_limit_reached"), "spend_limit"),
        (lambda: _error(402, "billing_error"), "spend_limit"),
        (lambda: _error(401, "authentication_error"), "authentication"),
        (lambda: _error(413, "request_too_large"), "bad_request"),
        (lambda: _error(400, "invalid_request_error"), "bad_request"),
    ],
)
def test_a_creation_that_is_refused_stops_when_what_is_open_has_ended(serve, runs, tmp_path, response, reason):
    server = serve()
    created = []

    def reply(request):
        if request.method == "POST":
            created.append(request)
            return response() if len(created) > 1 else None
        return None

    client = runs.client(server.url, http_client=anthropic.DefaultHttpxClient(transport=Transport(reply)))
    with pytest.raises(Stopped) as stopped:
        run_batches(runs.groups(), str(tmp_path), client, runs.settings())
    assert stopped.value.reason == reason
    assert sum(len(AnswerStore(str(tmp_path), shard).load()) for shard in runs.groups()) == 40
    client = runs.client(server.url)
    assert run_batches(runs.groups(), str(tmp_path), client, runs.settings()) == expected(runs.groups())
    assert server.stats()["duplicates"] == 0


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("billing_error", "spend_limit"),
        ("authentication_error", "authentication"),
        ("permission_error", "authentication"),
        ("not_found_error", "model"),
    ],
)
def test_results_that_concern_all_calls_stop_the_run(serve, runs, tmp_path, kind, reason):
    server = serve()

    def failing(response):
        if response.request.url.path.endswith("results"):
            lines = [json.loads(line) for line in response.read().splitlines()]
            error = {"type": "error", "error": {"type": kind, "message": "why"}}
            lines[0]["result"] = {"type": "errored", "error": error}
            response._content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    http = anthropic.DefaultHttpxClient(event_hooks={"response": [failing]})
    with pytest.raises(Stopped, match="why") as stopped:
        run_batches(runs.groups(1, 2), str(tmp_path), runs.client(server.url, http_client=http), runs.settings())
    assert stopped.value.reason == reason
    assert len(AnswerStore(str(tmp_path), "s0").load()) == 9


def test_a_service_that_is_away_stops_the_run_and_nothing_is_lost(serve, runs, tmp_path, monkeypatch):
    monkeypatch.setattr("gatling_beam.claude.batch_read._RETRIES", 1)
    server = serve()

    def away(request):
        return _error(503, "api_error") if request.url.path.endswith("results") else None

    client = runs.client(server.url, http_client=anthropic.DefaultHttpxClient(transport=Transport(away)))
    with pytest.raises(Stopped, match="503") as stopped:
        run_batches(runs.groups(1, 2), str(tmp_path), client, runs.settings())
    assert stopped.value.reason == "exhausted"
    client = runs.client(server.url)
    assert run_batches(runs.groups(1, 2), str(tmp_path), client, runs.settings()) == expected(runs.groups(1, 2))
    assert server.stats()["duplicates"] == 0


def test_a_batch_of_another_run_of_the_same_size_is_not_taken(serve, runs, killed_run, tmp_path):
    server = serve()
    assert killed_run(server.url, tmp_path / "a", "intent") == signal.SIGKILL
    # Newer than the intent, and as large.
    mine = [runs.call("graphs", f"foreign {i}") for i in range(40)]
    requests = [{"custom_id": call.custom_id, "params": call.params} for call in mine]
    runs.client(server.url).messages.batches.create(requests=requests)
    client = runs.client(server.url)
    assert run_batches(runs.groups(), str(tmp_path / "a"), client, runs.settings()) == expected(runs.groups())
    assert (server.stats()["paid_answers"], server.stats()["duplicates"]) == (160, 0)


def test_no_batch_is_larger_than_its_bytes(serve, runs, tmp_path):
    sizes = []

    def measure(request):
        if request.method == "POST":
            sizes.append(len(request.read()))

    server = serve()
    http = anthropic.DefaultHttpxClient(event_hooks={"request": [measure]})

    def big():
        answers = yield [runs.call("requests", f"{i} " + "é€" * 5_000) for i in range(40)]
        return len(answers)

    of = runs.settings(batch_mb=0.2)
    assert run_batches({"s": [big]}, str(tmp_path), runs.client(server.url, http_client=http), of) == {"s": [40]}
    most = 0.2 * (1 << 20)
    assert max(sizes) <= most
    assert min(sizes[:-1]) > most - 30_000


def test_two_shards_that_ask_the_same_share_one_answer(serve, runs, tmp_path):
    server = serve()
    groups = {"a": [runs.group("same")], "b": [runs.group("same")]}
    results = run_batches(groups, str(tmp_path), runs.client(server.url), runs.settings())
    assert results["a"] == results["b"]
    assert server.stats()["paid_answers"] == 6
    assert len(AnswerStore(str(tmp_path), "a").load()) == len(AnswerStore(str(tmp_path), "b").load()) == 6


def test_a_corrupt_file_is_named(serve, runs, tmp_path):
    server = serve()
    run_batches(runs.groups(1, 1), str(tmp_path), runs.client(server.url), runs.settings())
    file = next(tmp_path.glob("batches/*.submitted.json"))
    file.write_bytes(file.read_bytes()[:10])
    with pytest.raises(CorruptFile, match=file.name):
        run_batches(runs.groups(1, 1), str(tmp_path), runs.client(server.url), runs.settings())


@pytest.mark.parametrize(
    "option",
    [
        {"batch_requests": 0},
        {"batch_requests": 100_001},
        {"batch_mb": 256},
        {"batch_mb": 0},
        {"poll_s": 0},
        {"attempts": 0},
        {"cap_usd": 0},
    ],
)
def test_settings_out_of_range(runs, option):
    (name,) = option
    with pytest.raises(ValueError, match=name):
        BatchSettings(runs.PRICE, **option)
