import anthropic
import pytest

from gatling_beam.claude.batch_settings import BatchSettings
from gatling_beam.claude.batches import run_batches
from gatling_beam.claude.calls import Answer, Call
from gatling_beam.claude.estimate import PhasePlan, estimate, token_counter
from gatling_beam.claude.prices import price, upper_usd, usd
from gatling_beam.claude.priors import priors, priors_of
from gatling_beam.claude.store import AnswerStore, CorruptFile

HAIKU = price("claude-haiku-5-5")


def call(i, phase="requests", system="", max_tokens=8000):
    control = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    body = {
        "model": "claude-haiku-5-5",
        "max_tokens": max_tokens,
        "messages": [{"role": "user", "content": f"Q{i:04d}"}],
    }
    return Call(phase, body | ({"system": [{"type": "text", "text": system, **control}]} if system else {}))


def plan(calls=1000, **options):
    return [PhasePlan(phase, calls, [call(i, phase, **options) for i in range(3)]) for phase in ("requests", "graphs")]


def test_the_table_has_a_row_for_each_phase_and_their_sums():
    online, batch = estimate(plan(), HAIKU, batch=False), estimate(plan(), HAIKU, batch=True)
    assert [row.phase for row in online.rows] == ["requests", "graphs"]
    for found in (online, batch):
        for row in (*found.rows, found.total):
            assert 0 < row.usd < row.high_usd <= row.worst_usd
        assert found.total.calls == 2000
        assert found.total.usd == pytest.approx(sum(row.usd for row in found.rows))
    assert batch.total.usd == pytest.approx(online.total.usd / 2)
    assert (online.total.batches, batch.total.batches) == (0, 2)
    text = batch.render()
    assert "assumption until a pilot" in text and "2026-11-24" in text and "claude-haiku-5-5" in text
    assert len({len(line.split()) for line in text.splitlines()[1:4]}) == 1
    assert f"${batch.total.usd:,.2f}" in text


def test_at_most_is_the_bound_of_every_call():
    (row,) = estimate(plan()[:1], HAIKU, batch=True).rows
    assert row.worst_usd == pytest.approx(1000 * upper_usd(HAIKU, call(0), batch=True))


def test_answers_are_not_expected_beyond_their_limit():
    (row,) = estimate(plan(max_tokens=100)[:1], HAIKU, batch=False).rows
    assert row.high_usd == row.usd < 1000 * 200 * HAIKU.output / 1e6


def test_batches_are_counted_by_requests_and_by_bytes():
    assert estimate(plan(25_001), HAIKU, batch=True).rows[0].batches == 3
    assert estimate(plan(1000, system="x" * 1_000_000), HAIKU, batch=True).rows[0].batches == 5


def test_a_cache_needs_its_least_prompt():
    small, large = (estimate(plan(system="word " * n), HAIKU, batch=False).rows[0] for n in (200, 2000))
    assert small.cached_tokens == 0
    assert large.cached_tokens == pytest.approx(0.9 * large.input_tokens, rel=0.05)


def test_nothing_to_do_costs_nothing_and_calls_want_a_sample():
    assert estimate([PhasePlan("requests", 0, [])], HAIKU, batch=False).total.usd == 0
    with pytest.raises(ValueError, match="no sample"):
        estimate([PhasePlan("requests", 1, [])], HAIKU, batch=False)


def test_tokens_are_counted_by_the_api(claude_server):
    server = claude_server()
    count = token_counter(anthropic.Anthropic(api_key="test-key", base_url=server.url))
    found = estimate(plan(), HAIKU, batch=True, count=count)
    stats = server.stats()
    assert stats["requests"] == {"POST /v1/messages/count_tokens": 6}
    assert found.rows[0].input_tokens == 1000 * count(call(0))
    assert "counted by the API" in found.render()


def test_a_pilot_tells_what_the_rest_costs(claude_server, tmp_path):
    server = claude_server(answer=lambda body: "word " * (20 + len(str(body)) % 7), batch_seconds=0.05)
    client = anthropic.Anthropic(api_key="test-key", base_url=server.url)

    def group(start):
        def steps():
            answers = yield [call(i, system="context " * 800) for i in range(start, start + 20)]
            return len(answers)

        return steps

    def run(starts):
        seen = []
        groups = {f"s{start}": [group(start)] for start in starts}
        run_batches(groups, str(tmp_path), client, BatchSettings(HAIKU, poll_s=0.05), seen.append)
        return seen[-1].usage

    pilot = run([0, 20])
    known = priors_of(str(tmp_path))
    assert known.output_tokens["requests"].answers == 40
    assert known.output_tokens["graphs"] == priors().output_tokens["graphs"]
    sample = [call(i, system="context " * 800) for i in (300, 400, 500)]
    expected = estimate([PhasePlan("requests", 200, sample)], HAIKU, True, known, count=token_counter(client))
    assert "measured: requests on 40 answers" in expected.render()
    usage = run(range(1000, 1200, 20))
    assert usage.calls == 200
    assert expected.total.usd == pytest.approx(usage.usd, rel=0.15)
    assert usage.usd <= expected.total.worst_usd
    # What is booked, the pilot included, is what the server has sold.
    sold = server.stats()["tokens"]["claude-haiku-5-5"]["batch"]
    written = {f"ephemeral_{ttl}_input_tokens": sold[f"cache_write_{ttl}"] for ttl in ("5m", "1h")}
    sums = {"input_tokens": sold["input"], "output_tokens": sold["output"], "cache_creation": written}
    sums["cache_read_input_tokens"] = sold["cache_read"]
    short = HAIKU.model_copy(update={"long_prompt": None})
    assert pilot.usd + usage.usd == pytest.approx(usd(short, sums, batch=True), abs=1e-12)
    assert sold["cache_read"] > 0


def test_measured_lengths(tmp_path):
    store = AnswerStore(str(tmp_path), "s")
    usages = [
        {"output_tokens": n, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 10} for n in range(1, 101)
    ]
    calls = [call(i, "reword") for i in range(100)]
    store.add([(c, Answer(c.custom_id, {"usage": u}, batch=True)) for c, u in zip(calls, usages, strict=True)])
    known = priors_of(str(tmp_path))
    assert known.output_tokens["reword"].model_dump() == {"mean": 50.5, "p95": 95, "answers": 100}
    assert known.cache_hits == {"batch": 0.75, "online": 0.9}
    next(tmp_path.glob("responses/reword/s/*.jsonl")).write_bytes(b"{")
    with pytest.raises(CorruptFile):
        priors_of(str(tmp_path))
