"""How drawn values are said in a request: one style a request, every value as a reader would write it."""

from datetime import date
from typing import Any

import msgspec

from gatling_beam.domains.dice import Dice

_MONTHS = tuple("January February March April May June July August September October November December".split())
_DATES = ("{d.day} {month} {d.year}", "{d}", "{month} {d.day}, {d.year}", "{d.day:02d}.{d.month:02d}.{d.year}")
_WHEN = ("from {a} to {b}", "between {a} and {b}", "in the {days} up to and including {b}")
_ONE_DAY = "on {b}"
_APPROVAL = (" Approval {x} covers it.", " The approval is {x}.", " It was approved as {x}.")
_REFERENCE = (
    " Our reference is {x}.", " The request number is {x}.", " Put {x} down as the reference.", " Reference: {x}.",
    " Our own number for it is {x}.", " Please quote {x}.",
)  # fmt: skip
OPENERS = (
    "Hi there.", "Good morning.", "Hello.", "Something new.", "A small request.", "A quick one.",
    "Good afternoon.", "Something for the list.", "Morning!", "Before I forget.", "Next item.", "A favour, if I may.",
    "Back from the meeting.", "This came up just now.", "Here is the next task.",
)  # fmt: skip
CLOSERS = (
    "Thank you.", "Thanks a lot.", "No rush.", "By the end of the day is fine.", "Many thanks.", "That is all.",
    "Tell me when it is done.", "Much appreciated.", "I will be at my desk.", "Tomorrow morning is soon enough.",
    "Cheers.", "Ring me if anything is unclear.", "I owe you one.", "Let me know how it went.", "Best wishes.",
    "Nothing else for now.",
)  # fmt: skip


def _say_day(form: str, value: date) -> str:
    return form.format(d=value, month=_MONTHS[value.month - 1])


def day_forms(value: date) -> tuple[str, ...]:
    """All forms in which a request may say a date."""
    return tuple(_say_day(form, value) for form in _DATES)


class Style(msgspec.Struct, frozen=True):
    """The choices that all values of a request share."""

    day_form: str
    when: str
    thousands: bool

    @classmethod
    def draw(cls, rng: Dice) -> "Style":
        """A style at random."""
        return cls(rng.pick(_DATES), rng.pick(_WHEN), rng.random() < 0.5)

    def number(self, value: int) -> str:
        """A number, with or without a comma after the thousands."""
        return f"{value:,}" if self.thousands else str(value)

    def day(self, value: date) -> str:
        """A date."""
        return _say_day(self.day_form, value)

    def period(self, since: date, until: date) -> str:
        """A date range, both ends counted."""
        days = (until - since).days + 1
        if days == 1:
            return _ONE_DAY.format(b=self.day(until))
        return self.when.format(a=self.day(since), b=self.day(until), days=f"{self.number(days)} days")


#: Every style in which a date range can be said.
PERIODS = tuple(Style(day, when, thousands) for when in _WHEN for day in _DATES for thousands in (False, True))


def say_list(items: list[str]) -> str:
    """Items as a reader would list them: a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def say_approval(rng: Dice, approval_id: str | None) -> str:
    """The sentence that names an approval, with a blank before it; "" where there is none."""
    return rng.pick(_APPROVAL).format(x=approval_id) if approval_id else ""


def say_reference(rng: Dice, reference: str) -> str:
    """The sentence that names the requester's own number, with a blank before it."""
    return rng.pick(_REFERENCE).format(x=reference)


def embed(rng: Dice, sentence: str, because: tuple[str, ...], register: str) -> str:
    """The sentence among others that ask for nothing: an opener, a reason, a closer, each in about half the cases.

    A sentence of the register "long" has its reason in it already.
    """
    parts: list[str] = [sentence]
    if register != "long" and rng.random() < 0.7:
        parts.insert(rng.below(2), rng.pick(because))
    if rng.random() < 0.5:
        parts.insert(0, rng.pick(OPENERS))
    if rng.random() < 0.5:
        parts.append(rng.pick(CLOSERS))
    return " ".join(parts)


def sentence_case(text: str) -> str:
    """The text with a capital at its beginning, unless an address stands there."""
    return text if "@" in text.split(" ", 1)[0] else text[:1].upper() + text[1:]


def fill(sentence: str, said: dict[str, Any]) -> str:
    """The sentence with its slots said, beginning with a capital."""
    return sentence_case(sentence.format_map(said))
