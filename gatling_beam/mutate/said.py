"""How a request says a value, and the same request saying another one in its place."""

import re
from datetime import date
from functools import lru_cache

from gatling_beam.domains.registry import domain
from gatling_beam.domains.speech import PERIODS, Style, day_forms, sentence_case
from gatling_beam.domains.tools import Parameter
from gatling_beam.mutate.crossing import NotApplicable

_JOINS = "-.:/,@+_"


def spans(text: str, form: str) -> list[tuple[int, int]]:
    """Where `form` stands in `text` as whole tokens, without regard to case."""
    lowered, wanted = text.casefold(), form.casefold()
    found, start = [], lowered.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        if _is_apart(lowered, start, end):
            found.append((start, end))
        start = lowered.find(wanted, end)
    return found


def _is_apart(text: str, start: int, end: int) -> bool:
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    if before.isalnum() or after.isalnum() or (before and before in _JOINS):
        return False
    return not (after and after in _JOINS and text[end + 1 : end + 2].isalnum())


def once(text: str, form: str) -> tuple[int, int]:
    """The one place where `form` stands.

    Raises:
      NotApplicable: not_said_once.
    """
    found = spans(text, form)
    if len(found) != 1:
        raise NotApplicable("not_said_once")
    return found[0]


def put(text: str, place: tuple[int, int], form: str) -> str:
    """The text with another form in that place, with a capital where a sentence begins with it."""
    start, end = place
    begins = start == 0 or re.search(r"[.!?][\"')]?\s+\Z", text[:start]) is not None
    return text[:start] + (sentence_case(form) if begins and text[start].isupper() else form) + text[end:]


def say_number(text: str, old: int, new: int) -> str:
    """The text with the number `new` in the place of `old`, written in the same way."""
    forms = [str(old)] if old < 1_000 else [str(old), f"{old:,}"]
    found = [(place, form) for form in forms for place in spans(text, form)]
    if len(found) != 1:
        raise NotApplicable("not_said_once")
    place, form = found[0]
    thousands = "," in form or (old < 1_000 and _has_thousands(text))
    return put(text, place, f"{new:,}" if thousands else str(new))


def _has_thousands(text: str) -> bool:
    return re.search(r"\d,\d{3}", text) is not None


def say_words(text: str, domain_name: str, parameter: Parameter, old: str, new: str) -> str:
    """The text with another value of a list in the place of `old`."""
    words = domain(domain_name).spec.lists[parameter.of]
    return put(text, once(text, words[old]), words[new])


def say_day(text: str, old: date, new: date) -> str:
    """The text with another day in the place of `old`, in the same form."""
    for k, form in enumerate(day_forms(old)):
        if spans(text, form):
            return put(text, once(text, form), day_forms(new)[k])
    raise NotApplicable("not_said_once")


def say_period(text: str, old: tuple[date, date], new: tuple[date, date]) -> str:
    """The text with another date range in the place of `old`, in the same form."""
    place, style = _period(text, old)
    return put(text, place, style.period(*new))


def period_again(text: str, old: tuple[date, date], new: tuple[date, date]) -> str:
    """Another date range as this request would say it."""
    return _period(text, old)[1].period(*new)


def _period(text: str, old: tuple[date, date]) -> tuple[tuple[int, int], Style]:
    for style, said in _periods(old):
        if (start := text.find(said)) >= 0 and _is_apart(text, start, start + len(said)):
            if text.find(said, start + 1) >= 0:
                raise NotApplicable("not_said_once")
            return (start, start + len(said)), style
    raise NotApplicable("not_said_once")


@lru_cache(maxsize=1 << 12)
def _periods(period: tuple[date, date]) -> tuple[tuple[Style, str], ...]:
    return tuple((style, style.period(*period)) for style in PERIODS)
