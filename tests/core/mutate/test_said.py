"""Values in requests: found as whole tokens, replaced in one place, said again in the same form."""

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gatling_beam.domains.speech import PERIODS, day_forms
from gatling_beam.mutate.crossing import NotApplicable
from gatling_beam.mutate.said import once, period_again, put, say_day, say_number, say_period, spans

DAYS = st.dates(date(2015, 1, 1), date(2027, 12, 31))


@pytest.mark.parametrize(
    ("text", "form", "found"),
    [
        ("20 of them", "20", 1),
        ("up to 2026-05-20", "20", 0),
        ("INV-20 and 20", "20", 1),
        ("1,020 rows", "20", 0),
        ("to ana@bank.example.", "ana@bank.example", 1),
        ("to joana@bank.example", "ana@bank.example", 0),
        ("Old Mill, old mill", "Old Mill", 2),
        ("20, then.", "20", 1),
        ("200", "20", 0),
    ],
)
def test_whole_tokens(text, form, found):
    assert len(spans(text, form)) == found


@given(old=st.integers(1, 200_000), new=st.integers(1, 200_000), thousands=st.booleans())
def test_a_number_is_said_in_the_same_form_and_back(old, new, thousands):
    assume(old >= 1_000 or not thousands)
    said = f"{old:,}" if thousands else str(old)
    text = f"List at most {said} invoices of INV-00007."
    changed = say_number(text, old, new)
    assert changed == text.replace(said, f"{new:,}" if thousands else str(new))
    assert len(spans(changed, f"{new:,}")) + len(spans(changed, str(new))) >= 1


@given(first=DAYS, length=st.integers(1, 900), later=DAYS, other=st.integers(1, 900), style=st.sampled_from(PERIODS))
def test_a_period_is_said_in_the_same_style(first, length, later, other, style):
    old = (first, first + timedelta(length - 1))
    new = (later, later + timedelta(other - 1))
    assume(length > 1)
    text = f"Show what was booked {style.period(*old)}, please."
    changed = say_period(text, old, new)
    assert changed == text.replace(style.period(*old), period_again(text, old, new))
    assert any(own.period(*new) in changed for own in PERIODS)
    assert {own.day_form for own in PERIODS if own.period(*old) in text} & {
        own.day_form for own in PERIODS if own.period(*new) in changed
    }


@given(old=DAYS, new=DAYS, form=st.integers(0, 3))
def test_a_day_keeps_its_form(old, new, form):
    text = f"Pay it on {day_forms(old)[form]}."
    assert say_day(text, old, new) in {f"Pay it on {said}." for said in day_forms(new)}


@pytest.mark.parametrize(
    "change",
    [
        lambda: once("20 and 20", "20"),
        lambda: once("none", "20"),
        lambda: say_number("20 or 20", 20, 30),
        lambda: say_number("a few", 20, 30),
        lambda: say_day("today", date(2026, 5, 18), date(2026, 5, 19)),
        lambda: say_period("today", (date(2026, 5, 1), date(2026, 5, 18)), (date(2026, 5, 2), date(2026, 5, 18))),
    ],
)
def test_what_is_not_said_once_cannot_be_changed(change):
    with pytest.raises(NotApplicable) as raised:
        change()
    assert raised.value.reason == "not_said_once"


def test_a_sentence_begins_with_a_capital():
    text = "Old Mill is closed. Savings too."
    assert put(text, once(text, "Old Mill"), "the shop") == "The shop is closed. Savings too."
    assert put(text, once(text, "Savings"), "current accounts") == "Old Mill is closed. Current accounts too."
    assert put("see Old Mill", (4, 12), "the shop") == "see the shop"
