import pickle
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.claude.calls import Answer, Call
from gatling_beam.claude.prices import PRICES_FILE, cache_ttl, price, prices, upper_usd, usd
from gatling_beam.claude.usage import Usage, total, usage_of

MILLION = 1_000_000
HAIKU, SONNET = price("claude-haiku-5-5"), price("claude-sonnet-5-5")


def test_the_table():
    table = prices()
    assert table.as_of == date(2026, 11, 24)
    assert {"claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-sonnet-4-6"} == set(table.models)
    for name, of in table.models.items():
        assert of.cache_read < of.input < of.cache_write_5m < of.cache_write_1h < of.output, name


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        ({"input_tokens": MILLION}, 2),
        ({"output_tokens": MILLION}, 10),
        ({"cache_read_input_tokens": MILLION}, 0.10),
        ({"cache_creation_input_tokens": MILLION, "cache_creation": {"ephemeral_5m_input_tokens": MILLION}}, 2.5),
        ({"cache_creation_input_tokens": MILLION, "cache_creation": {"ephemeral_1h_input_tokens": MILLION}}, 4),
        # Written for a time that is not told: the dearer one.
        ({"cache_creation_input_tokens": MILLION, "cache_creation": None}, 4),
        ({"cache_creation_input_tokens": MILLION, "cache_creation": {"ephemeral_5m_input_tokens": MILLION // 2}}, 3.25),
        ({"input_tokens": 1000, "output_tokens": None, "cache_read_input_tokens": None}, 0.002),
        ({}, 0),
    ],
)
def test_dollars_of_usage(usage, dollars):
    assert usd(SONNET, usage, batch=False) == pytest.approx(dollars, rel=1e-12)
    assert usd(SONNET, usage, batch=True) == pytest.approx(dollars / 2, rel=1e-12)


def test_a_long_prompt_makes_the_whole_call_dearer():
    # The cache counts to the prompt.
    usage = {"input_tokens": 1, "cache_read_input_tokens": 99_999, "output_tokens": 1000}
    short = usd(HAIKU, usage, batch=False)
    assert short == pytest.approx((0.1 + 99_999 * 0.01 + 1000 * 0.5) / MILLION)
    long = usd(HAIKU, usage | {"input_tokens": 2}, batch=False)
    assert long == pytest.approx(5 * (0.2 + 99_999 * 0.01 + 1000 * 0.5) / MILLION)
    assert usd(SONNET, usage | {"input_tokens": 2}, batch=False) < 1.001 * usd(SONNET, usage, batch=False)


def test_a_model_without_a_price_is_refused():
    with pytest.raises(ValueError, match=r"claude-new.*claude-haiku-5-5.*copy that file"):
        price("claude-new")
    assert price("claude-sonnet-5-5-20261001").input == SONNET.input


def test_a_file_of_the_user(tmp_path):
    table = yaml.safe_load(Path(PRICES_FILE).read_text())
    table["models"]["claude-new"] = {**table["models"]["claude-opus-5-5"], "output": 30}
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(table))
    assert price("claude-new", str(file)).output == 30
    assert price("claude-new", f"file://{file}").output == 30
    table["models"]["claude-new"]["output"] = -1
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(table))
    with pytest.raises(ValueError, match=r"wrong\.yaml.*models\.claude-new\.output"):
        prices(str(tmp_path / "wrong.yaml"))
    (tmp_path / "text.yaml").write_text("models: [")
    with pytest.raises(ValueError, match="is not YAML"):
        prices(str(tmp_path / "text.yaml"))
    with pytest.raises(FileNotFoundError):
        prices(str(tmp_path / "none.yaml"))


def test_a_price_travels():
    assert pickle.loads(pickle.dumps(SONNET)) == SONNET


_texts = st.text(max_size=400)


@given(_texts, _texts, st.integers(1, 10_000), st.sampled_from(["", "5m", "1h"]), st.booleans(), st.data())
def test_the_upper_bound_holds(system, text, limit, ttl, batch, data):
    control = {"cache_control": {"type": "ephemeral", "ttl": ttl}} if ttl else {}
    params = {
        "model": "claude-haiku-5-5",
        "max_tokens": limit,
        "system": [{"type": "text", "text": system, **control}],
        "messages": [{"role": "user", "content": text}],
    }
    # At most a token for two bytes, wherever they are booked.
    tokens = len((system + text).encode("utf-8", "replace")) // 2
    cached = data.draw(st.integers(0, tokens)) if ttl else 0
    usage = {
        "input_tokens": tokens - cached,
        "cache_creation_input_tokens": cached,
        "cache_creation": {f"ephemeral_{ttl}_input_tokens": cached},
        "output_tokens": data.draw(st.integers(0, limit)),
    }
    assert cache_ttl(params) == ttl
    assert usd(HAIKU, usage, batch) <= upper_usd(HAIKU, Call("requests", params), batch)


def test_a_call_without_a_limit_has_no_bound():
    with pytest.raises(ValueError, match="max_tokens"):
        upper_usd(HAIKU, Call("requests", {"messages": []}), batch=False)


def test_the_bound_of_a_long_prompt_is_at_the_price_of_long_prompts():
    call = Call("requests", {"max_tokens": 10, "messages": [{"role": "user", "content": "x" * 250_000}]})
    assert upper_usd(HAIKU, call, batch=False) > 5 * 125_000 * 0.1 / MILLION


def _answer(i, batch=False):
    usage = {"input_tokens": 10 * i, "output_tokens": i, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2}
    return Answer(str(i), {"usage": {**usage, "output_tokens_details": {"thinking_tokens": 1}}}, batch=batch)


@given(st.lists(st.tuples(st.sampled_from(["requests", "graphs"]), st.integers(0, 99), st.booleans())), st.randoms())
def test_sums_do_not_depend_on_the_order(answers, random):
    usages = [usage_of(phase, _answer(i, batch), HAIKU) for phase, i, batch in answers]
    expected = total(usages)
    random.shuffle(usages)
    cut = len(usages) // 2
    assert total(usages[:cut]) + total(usages[cut:]) == expected
    assert expected.calls == len(answers)
    assert sum(row.output_tokens for row in expected.rows) == sum(i for _, i, _ in answers)
    dollars = sum(usd(HAIKU, _answer(i).message["usage"], batch) for _, i, batch in answers)
    assert expected.usd == pytest.approx(dollars, abs=1e-12)


def test_a_refused_call_costs_nothing():
    assert usage_of("requests", Answer("a", error="invalid_request_error"), HAIKU) == Usage()
