"""Mentions: each request of a crossing also says the value of the other one, in a sentence that permits nothing.

How easy a negative is to see rests on this more than on anything else: without the sentence the wrong value stands
nowhere in the request, and after the request's own words it is read as an afterthought.
"""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from gatling_beam.domains.dice import Dice
from gatling_beam.mutate.crossing import Situation
from gatling_beam.mutate.wordings import with_aside

#: By difficulty: how many of twenty crossings say the other value first, or after the request's own words. Where it is
#: said not at all, the sources of arguments alone tell the label, so that has to stay rare.
_PLACES = {"hard": (10, 10), "medium": (4, 16), "easy": (0, 19)}


class Mention(msgspec.Struct, frozen=True):
    """Where the other value is said: `first`, before the request's own words, or after them; or nowhere."""

    said: bool
    first: bool

    @classmethod
    def draw(cls, dice: Dice, level: str) -> "Mention":
        """The place for a difficulty."""
        first, after = _PLACES[level]
        number = dice.below(20)
        return cls(number < first + after, number < first)


def mention(
    how: Mention, sentence: str, situations: Sequence[Situation], texts: Sequence[dict[str, str]]
) -> tuple[Situation, ...]:
    """The situations, each with the sentence filled with the texts that belong to it."""
    if not how.said:
        return tuple(situations)
    return tuple(
        msgspec.structs.replace(
            situation, request=with_aside(situation.request, sentence.format_map(text), first=how.first)
        )
        for situation, text in zip(situations, texts, strict=True)
    )


@lru_cache(maxsize=1 << 14)
def closeness(one: str, two: str) -> float:
    """How alike two texts are, 0..1: the ratio of difflib's SequenceMatcher, without its heuristic for long texts."""
    a, b = one.casefold(), two.casefold()
    return 2.0 * _matching(a, b) / (len(a) + len(b)) if a or b else 1.0


def _matching(a: str, b: str) -> int:
    """The characters in the longest common part, the first of equally long ones, and in those on both sides of it."""
    start = length = 0
    for k in range(len(a)):
        while k + length < len(a) and a[k : k + length + 1] in b:
            start, length = k, length + 1
    if not length:
        return 0
    at = b.find(a[start : start + length])
    return length + _matching(a[:start], b[:at]) + _matching(a[start + length :], b[at + length :])
