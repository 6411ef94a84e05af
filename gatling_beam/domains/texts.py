"""Texts of a domain with their places filled."""

import re

from gatling_beam.domains.dice import Dice
from gatling_beam.domains.registry import Domain

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def fill_text(which: Domain, dice: Dice, words: str, about: str) -> str:
    """A text of a record with `{about}`, its lists and `{code}` filled; the lists and the code are drawn."""
    lists = {name: dice.pick(which.spoken[name]) for name in _PLACEHOLDER.findall(words) if name in which.spec.lists}
    return words.format(about=about, code=f"{dice.below(100):02d}-{dice.below(10_000):04d}", **lists)
