"""Where argument values come from: references to earlier calls, values of earlier results, the words of the request."""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any

from gatling_beam.errors import BadRow
from gatling_beam.json_value import json_value
from gatling_beam.sources.base import Call
from gatling_beam.sources.parsing import decoded

#: Syntaxes of a reference to an earlier call's result; group 1 is the label. A match that is no label is plain text:
#: "$100" is money.
REFERENCES = {
    "dollar_var": re.compile(r"\$([A-Za-z_]\w*)(?:[.\[][^$]*)?\$"),
    # "$1.50" and "$1k" are money
    "dollar_step": re.compile(r"\$(?:\{(?=[0-9]+\}))?([0-9]{1,9})(?![0-9A-Za-z]|[.,][0-9])\}?"),
    "api_call": re.compile(r"(?<!\w)(API_call_[0-9]+)(?!\w)"),
    "node": re.compile(r"<node-([0-9]+)>"),
    "from_call": re.compile(r"\$\{[^{}]*?\bfrom\s+([^{}\s]+)\s*\}"),
}

# Shorter values of a result are found in an argument by chance too often to prove anything.
_MIN_DISTINCT_TEXT = 4
_MIN_NAMED_DIGITS = 2
_MIN_DISTINCT_NUMBER = 10_000
_MIN_WORD = 9
_MIN_IDENTIFIER = 5
_IDENTIFIER = re.compile(r"\w+(?:-\w+)*")
_MAX_RESULT = 200_000
_BLANK = re.compile(r"\s")

_TOKEN = re.compile(r"\w+(?:[-.:/,@+]\w+)*")
_COUNTED = re.compile(r"([0-9]+)-[^\W\d_]+\Z")  # "a 30-day trial" says 30
_DIGIT = re.compile(r"\d")
_THOUSANDS = re.compile(r"\d,\d")
_NO_WORD_BREAKS = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """The scalars of a JSON value with their JSON Pointers (RFC 6901); an empty list or object is a leaf."""
    if type(value) is dict and value:
        for key, member in value.items():
            if "~" in key or "/" in key:
                key = key.replace("~", "~0").replace("/", "~1")
            if type(member) is dict or type(member) is list:
                yield from leaves(member, f"{pointer}/{key}")
            else:
                yield f"{pointer}/{key}", member
    elif type(value) is list and value:
        for k, item in enumerate(value):
            yield from leaves(item, f"{pointer}/{k}")
    else:
        yield pointer, value


def literal_text(value: Any) -> str:
    """A scalar as a request would write it; "" for what no request writes (null, true, an empty text, a container)."""
    if type(value) is str:
        return value.strip()
    if type(value) is int:
        return str(value)
    if type(value) is float:
        return str(int(value)) if value.is_integer() else repr(value)
    return ""


class Wording:
    """A text in which literals are looked up as whole tokens: "20" does not stand in "2026-05-18"."""

    def __init__(self, text: str) -> None:
        self._text = text.casefold()
        self._has_thousands = _THOUSANDS.search(text) is not None

    @cached_property
    def _tokens(self) -> frozenset[str]:
        tokens = set(_TOKEN.findall(self._text))
        tokens |= {token.replace(",", "") for token in tokens if "," in token}
        counted = map(_COUNTED.match, [token for token in tokens if "-" in token])
        return frozenset(tokens | {match.group(1) for match in counted if match})

    def holds(self, value: Any) -> bool:
        """Whether the literal stands in the text, without regard to case."""
        literal = value.strip().casefold() if type(value) is str else literal_text(value)
        if not literal or (literal not in self._text and not self._has_thousands):
            return False
        if not _DIGIT.search(literal):
            return self._holds_phrase(literal)
        return literal in self._tokens or (not literal.isalnum() and self._holds_phrase(literal))

    def _holds_phrase(self, literal: str) -> bool:
        start = self._text.find(literal)
        while start >= 0:
            end = start + len(literal)
            before, after = self._text[start - 1 : start], self._text[end : end + 1]
            if not _joins(before, literal[0]) and not _joins(literal[-1], after):
                return True
            start = self._text.find(literal, start + 1)
        return False


@lru_cache(maxsize=1 << 9)
def wording_of(text: str) -> Wording:
    """The `Wording` of a text that is looked into again and again."""
    return Wording(text)


def _joins(left: str, right: str) -> bool:
    """Whether no word boundary lies between two neighbouring characters; scripts without blanks have one anywhere."""
    if not left.isalnum() or not right.isalnum():
        return False
    return not (_NO_WORD_BREAKS.match(left) or _NO_WORD_BREAKS.match(right))


def referenced_calls(calls: list[Call], syntax: str) -> Iterator[tuple[int, int, str]]:
    """`(from, to, pointer)` for every reference in the arguments of `to` to the result of an earlier call `from`.

    A label that several earlier calls carry means the latest of them. In the syntax "from_call" a call's label is its
    tool's name.
    """
    pattern = REFERENCES[syntax]
    latest: dict[str, int] = {}
    for position, call in enumerate(calls):
        for pointer, value in leaves(call.arguments):
            if type(value) is str:
                for label in dict.fromkeys(pattern.findall(value)):
                    if label in latest:
                        yield latest[label], position, pointer
        for label in (call.label or call.name if syntax == "from_call" else call.label).split():
            latest[label] = position


class Results:
    """The values that earlier calls returned; a later argument that repeats a telling one comes from there.

    A value tells if it is an identifier (a text with a digit or a sign in it, a number of five or more digits) or a
    phrase; a single word or a smaller number tells only if it stands under the same name in the result and in the
    argument: "success" is returned by many calls and passed to many.
    """

    def __init__(self) -> None:
        self._producer: dict[str, int] = {}
        self._named: dict[tuple[str, str], int] = {}
        self._texts: list[tuple[int, Wording]] = []

    def add(self, position: int, result: Any) -> None:
        """Takes the result of the call at `position`; JSON in a text is read, any other text is kept whole."""
        if type(result) is str:
            if len(result) > _MAX_RESULT:
                return
            with suppress(BadRow):  # prose stays text and is searched below
                result = decoded(result, "a result")
        try:
            result = json_value(result)
        except BadRow:
            return  # nothing can be passed on that is no JSON value
        for pointer, value in leaves(result):
            if type(value) is str and _BLANK.search(value):
                self._texts.append((position, Wording(value)))
            if text := _text_of(value):
                self._named.setdefault((_name_of(pointer), text), position)
                if _tells(value, text):
                    self._producer.setdefault(text, position)

    def sources_of(self, pointer: str, value: Any) -> list[int]:
        """The positions of the calls that the argument at `pointer` comes from, each the first that returned a value.

        A text may carry an identifier among other words ("Report ID-5555 attached").
        """
        text = _text_of(value)
        if not text:
            return []
        if (source := self._named.get((_name_of(pointer), text))) is not None:
            return [source]
        if _tells(value, text):
            if text in self._producer:
                return [self._producer[text]]
            if (source := next((at for at, prose in self._texts if prose.holds(text)), None)) is not None:
                return [source]
        if type(value) is not str or len(value) > _MAX_RESULT:
            return []
        parts = (part for part in _IDENTIFIER.findall(text) if _DIGIT.search(part) and len(part) >= _MIN_IDENTIFIER)
        return list(dict.fromkeys(self._producer[part] for part in parts if part in self._producer))


def _text_of(value: Any) -> str:
    """A value as it is compared; "" for what is too short to tell anything."""
    text = literal_text(value).casefold()
    short = len(text) < _MIN_DISTINCT_TEXT if type(value) is str else len(text) < _MIN_NAMED_DIGITS
    return "" if short else text


def _tells(value: Any, text: str) -> bool:
    """Whether a value proves by itself where it comes from."""
    if type(value) is str:
        return not text.isalpha() or len(text) >= _MIN_WORD
    return bool(abs(value) >= _MIN_DISTINCT_NUMBER)


def _name_of(pointer: str) -> str:
    """The last name in a JSON Pointer, without the numbers of lists."""
    return next((step.casefold() for step in reversed(pointer.split("/")) if step and not step.isdigit()), "")
