from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.claude.calls import Call
from gatling_beam.claude.meter import Meter
from gatling_beam.claude.prices import price, upper_usd, usd

HAIKU = price("claude-haiku-5-5")
USAGE = {"input_tokens": 900, "output_tokens": 80}


def call(n: int = 0, max_tokens: int = 1_000) -> Call:
    message = {"role": "user", "content": f"question {n}"}
    return Call("requests", {"model": HAIKU.model, "max_tokens": max_tokens, "messages": [message]})


def test_room_is_taken_before_a_call_and_given_back_after_it():
    most = upper_usd(HAIKU, call(), False)
    meter = Meter(most * 1.5, HAIKU)
    assert meter.admit(call(), False)
    assert not meter.admit(call(), False)
    assert meter.spent_usd == 0
    meter.book(call(), USAGE, False)
    assert meter.spent_usd == pytest.approx(usd(HAIKU, USAGE, False))
    assert meter.admit(call(), False)


def test_a_call_that_was_not_answered_costs_nothing_unless_it_may_have_been_billed():
    most = upper_usd(HAIKU, call(), False)
    meter = Meter(most * 1.5, HAIKU)
    assert meter.admit(call(), False)
    meter.release(call(), False, maybe_billed=False)
    assert meter.spent_usd == 0
    assert meter.admit(call(), False)
    meter.release(call(), False, maybe_billed=True)
    assert meter.spent_usd == meter.maybe_billed_usd == pytest.approx(most)
    assert not meter.admit(call(), False)


def test_a_batch_takes_half_the_room():
    meter = Meter(upper_usd(HAIKU, call(), True) * 1.01, HAIKU)
    assert not meter.admit(call(), False)
    assert meter.admit(call(), True)


def test_without_a_cap_everything_is_admitted_and_summed():
    meter = Meter(None, HAIKU)
    for n in range(100):
        assert meter.admit(call(n), False)
        meter.book(call(n), USAGE, False)
    assert meter.spent_usd == pytest.approx(100 * usd(HAIKU, USAGE, False))


@pytest.mark.parametrize("cap", [0, -1.0, float("nan")])
def test_a_cap_is_above_zero(cap):
    with pytest.raises(ValueError, match=r"cap_usd=.* None stands for no cap"):
        Meter(cap, HAIKU)


@given(st.lists(st.tuples(st.sampled_from(["book", "lose", "fail"]), st.integers(1, 4_000)), max_size=60))
def test_spent_and_in_flight_never_exceed_the_cap(events):
    cap = 5 * upper_usd(HAIKU, call(0, 1_000), False)
    meter, waiting, reserved = Meter(cap, HAIKU), [], 0.0
    for kind, max_tokens in events:
        asked = call(0, max_tokens)
        if meter.admit(asked, False):
            waiting.append((kind, asked))
            reserved += upper_usd(HAIKU, asked, False)
        assert meter.spent_usd + reserved <= cap * (1 + 1e-9)
        if len(waiting) == 3:
            kind, done = waiting.pop(0)
            reserved -= upper_usd(HAIKU, done, False)
            if kind == "book":
                meter.book(done, {"input_tokens": 20, "output_tokens": done.params["max_tokens"]}, False)
            else:
                meter.release(done, False, maybe_billed=kind == "lose")
            assert meter.spent_usd + reserved <= cap * (1 + 1e-9)


def test_threads_share_one_cap():
    cap = 50.5 * upper_usd(HAIKU, call(1_000), False)
    meter = Meter(cap, HAIKU)
    with ThreadPoolExecutor(8) as pool:
        admitted = list(pool.map(lambda n: meter.admit(call(n), False), range(1_000, 1_400)))
    assert sum(admitted) == 50
