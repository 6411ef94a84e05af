"""The random numbers of traces: the Mersenne Twister of the standard library, with cheap draws."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice(Random):
    """Draws that cost one number each; `Random.choice` and `randint` cost several."""

    def below(self, n: int) -> int:
        """A whole number in 0..n-1."""
        return int(self.random() * n)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, of which there is at least one."""
        return options[int(self.random() * len(options))]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """`count` different options, or all if there are fewer, in no order."""
        places: dict[int, None] = {}
        while len(places) < min(count, len(options)):
            places[int(self.random() * len(options))] = None
        return [options[place] for place in places]
