"""What a request permits by its words alone: sentences that only mention a value are set apart by how they speak."""

import re
from datetime import date

from gatling_beam.grounding import Grounding

_SENTENCE = re.compile(r"(?<=[.!?])[\"')]?\s+")
#: How people mention something that they do not ask for: what is past, what others see to, what they say no to. The
#: words are those of English in general and of the project's own sentences; another source needs them looked at again.
_CUES = re.compile(
    r"\bno longer\b|^it used to be|\bused to (?:go|be mine)|\bnot (?:be )?part of this|^nothing\b|needs nothing"
    r"|so nothing\b|\bdo(?:es)? not (?:need|have to be)\b|is not (?:needed|about|this request|what counts|the one to)\b"
    r"|was not what\b|out of it\b|^leave\b|leave that out|leave out the rest|somebody else\b|somebody asked\b"
    r"|already (?:here|finished)\b|finished before|before[,;] that is finished|\bcan wait\b|^the (?:last|old) \w+[ ,]"
    r"|^(?:an earlier|a colleague has)\b|^(?:please )?do not (?:touch|send|start|go to|take)\b|\blast time\b"
    r"|only (?:for information|there to be read)|decides nothing|has changed teams|not this time|was told before",
    re.IGNORECASE,
)
_MONTHS = {name: k + 1 for k, name in enumerate(
    "january february march april may june july august september october november december".split()
)}  # fmt: skip
_MONTH = "|".join(_MONTHS)
#: A day in any of the forms in which a request says it.
DAY = re.compile(
    rf"(?P<iso>\d{{4}}-\d\d-\d\d)|(?P<dots>\d\d\.\d\d\.\d{{4}})|(?P<long>\d{{1,2}} (?:{_MONTH}) \d{{4}})"
    rf"|(?P<us>(?:{_MONTH}) \d{{1,2}}, \d{{4}})",
    re.IGNORECASE,
)
_BACK = re.compile(r"in the ([\d,]+) days? up to and including \x01(\d+)\x01", re.IGNORECASE)
_RANGE = re.compile(r"(?:from|between) \x01(\d+)\x01 (?:to|and) \x01(\d+)\x01", re.IGNORECASE)
_ON = re.compile(r"\bon \x01(\d+)\x01", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w@.,:/+-])(\d{1,3}(?:,\d{3})+|\d+)(?![\w@:/+-]|[.,]\d)")


class Said:
    """The permitting part of a request: `text`, with its `numbers` and `windows` (first, last), and `grounding`."""

    def __init__(self, domain_name: str, request: str, facts: list[str]) -> None:
        sentences = [part for part in _SENTENCE.split(request) if part]
        asked = [part for part in sentences if not _CUES.search(part)]
        # A request that speaks in this way throughout asks for something all the same.
        self.text = " ".join(asked or sentences)
        self.grounding = Grounding(domain_name, self.text, facts)
        self.windows, rest = _windows(self.text)
        self.numbers = [int(number.replace(",", "")) for number in _NUMBER.findall(rest)]

    def names_source(self, context_id: str) -> bool:
        """Whether the request says that something is to be taken from this text."""
        own = re.escape(context_id)
        return (
            re.search(rf"(?:named|given|stated|found) in {own}\b|that {own} (?:names|gives)|\bfrom {own}\b", self.text)
            is not None
        )

    def leaves_open(self, context_ids: list[str]) -> bool:
        """Whether it takes something from any of these texts."""
        return any(self.names_source(context_id) for context_id in context_ids)


def _windows(text: str) -> tuple[list[tuple[date, date]], str]:
    """The date ranges that a text says, and the text without dates."""
    days: list[date] = []

    def keep(match: re.Match[str]) -> str:
        day = _day(match)
        if day is None:
            return match.group()
        days.append(day)
        return f"\x01{len(days) - 1}\x01"

    marked = DAY.sub(keep, text)
    found = [(days[int(a)], days[int(b)]) for a, b in _RANGE.findall(marked)]
    for count, last in _BACK.findall(marked):
        end = days[int(last)]
        first = end.toordinal() - int(count.replace(",", "")) + 1
        if first > 0:
            found.append((date.fromordinal(first), end))
    if not found:
        found = [(days[int(day)], days[int(day)]) for day in _ON.findall(marked)]
    rest = re.sub(r"[\d,]+ days? up to and including", "", marked)
    return found, re.sub(r"\x01\d+\x01", "", rest)


def _day(match: re.Match[str]) -> date | None:
    text = match.group()
    try:
        if match["iso"]:
            return date.fromisoformat(text)
        if match["dots"]:
            day, month, year = map(int, text.split("."))
            return date(year, month, day)
        words = text.replace(",", "").split()
        if match["us"]:
            words = [words[1], words[0], words[2]]
        return date(int(words[2]), _MONTHS[words[1].casefold()], int(words[0]))
    except ValueError:
        return None
