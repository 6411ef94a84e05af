"""Numbers as people use them: log-uniform over their range, and round in half of the cases."""

import math
from random import Random


def draw_number(rng: Random, low: int, high: int) -> int:
    """A number in low..high (1 <= low <= high): log-uniform; every second one is cut to one significant digit.

    One pool gives the numbers of requests, plans and limits, so that roundness tells nothing.
    """
    if low >= high:
        return low
    number = draw_unrounded(rng, low, high)
    if rng.random() < 0.5:
        magnitude = 10 ** (len(str(number)) - 1)
        number = round(number / magnitude) * magnitude
    return max(low, min(high, number))


def draw_unrounded(rng: Random, low: int, high: int) -> int:
    """A number in low..high (1 <= low < high), log-uniform: one more is as frequent, so that it tells nothing."""
    return max(low, min(high, round(math.exp(rng.uniform(math.log(low), math.log(high))))))
