"""How many negatives each stratum of Tier II and Tier III gets, exactly."""

from collections.abc import Sequence
from fractions import Fraction

#: The levels, in the order in which shares are given.
LEVELS = ("hard", "medium", "easy")
_SCOPE = "scope_blowup"
#: The most that easy rows of size type may be of scope: they have the highest floor.
_MAX_EASY_SIZE = Fraction(1, 5)
#: The kinds of Tier III whose crossings all have two pairs.
_IN_TWOS = ("access_boundary",)


def stratum_of(strategy: str, ratio_band: str, difficulty: str) -> str:
    """The stratum of a row of Tier II: `<strategy>/<difficulty>`, of scope `scope_blowup/<size|set>/<difficulty>`."""
    if strategy != _SCOPE:
        return f"{strategy}/{difficulty}"
    return f"{strategy}/{'size' if ratio_band else 'set'}/{difficulty}"


def kind_of(strategy: str, ratio_band: str, difficulty: str) -> str:
    """The stratum of a row where strategies, or kinds of Tier III, are not divided."""
    return strategy


def shares_of(text: str) -> tuple[int, int, int]:
    """The shares of hard, medium and easy that `40,35,25` says, in per cent.

    Raises:
      ValueError: if they are not three whole numbers that add up to 100.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3 or not all(part.isdecimal() for part in parts) or sum(map(int, parts)) != 100:
        raise ValueError(
            f"{text!r} is not three whole per cents of hard, medium and easy that add up to 100; write 40,35,25"
        )
    hard, medium, easy = map(int, parts)
    return hard, medium, easy


def tier2_quotas(strategies: Sequence[str], per_term: int, shares: tuple[int, int, int]) -> dict[str, int]:
    """The number of negatives of each stratum: `per_term` for each strategy, in the given shares of difficulty.

    A crossing has two negatives, so all numbers are even. Half of scope is of size type and half of set type; easy
    rows of size type are at most a fifth of scope, and set-type ones take the place of others.

    Raises:
      ValueError: for an odd `per_term`, or shares that scope cannot keep.
    """
    if per_term < 2 or per_term % 2:
        raise ValueError(f"{per_term} is not an even number >= 2: a crossing has two negatives")
    crossings = per_term // 2
    totals = largest_remainder(crossings, shares)
    quotas: dict[str, int] = {}
    for strategy in strategies:
        if strategy != _SCOPE:
            quotas |= {stratum_of(strategy, "", level): 2 * n for level, n in zip(LEVELS, totals, strict=True)}
            continue
        sizes = _sizes(crossings, shares)
        sets = [total - size for total, size in zip(totals, sizes, strict=True)]
        if min(sets) < 0:
            raise ValueError(
                f"{','.join(map(str, shares))} cannot be kept for scope, of which half is of size type with at most "
                "20 % easy rows; ask for at most 70 % easy rows"
            )
        for k, level in enumerate(LEVELS):
            quotas[stratum_of(strategy, "size", level)] = 2 * sizes[k]
            quotas[stratum_of(strategy, "", level)] = 2 * sets[k]
    return quotas


def tier3_quotas(kinds: Sequence[str], pairs: int) -> dict[str, int]:
    """The number of pairs of each kind, as equal as they can be; that of `access_boundary` is even.

    Raises:
      ValueError: for fewer pairs than kinds.
    """
    if pairs < len(kinds):
        raise ValueError(f"{pairs} is less than one pair for each of the {len(kinds)} kinds: {', '.join(kinds)}")
    quotas = dict(zip(kinds, largest_remainder(pairs, [1] * len(kinds)), strict=True))
    other = next((kind for kind in kinds if kind not in _IN_TWOS), None)
    for kind in _IN_TWOS:
        if other and quotas.get(kind, 0) % 2:
            quotas[kind] += 1
            quotas[other] -= 1
    return quotas


def largest_remainder(total: int, shares: Sequence[int]) -> list[int]:
    """`total` split in proportion to `shares`, none of them negative; of equal remainders the first ones get more."""
    if not any(shares):
        return [0] * len(shares)
    exact = [Fraction(total * share, sum(shares)) for share in shares]
    parts = [int(value) for value in exact]
    order = sorted(range(len(shares)), key=lambda k: parts[k] - exact[k])
    for k in order[: total - sum(parts)]:
        parts[k] += 1
    return parts


def _sizes(crossings: int, shares: tuple[int, int, int]) -> list[int]:
    """The crossings of size type by level."""
    sizes = largest_remainder(crossings // 2, shares)
    most = int(crossings * _MAX_EASY_SIZE)
    if sizes[2] > most:
        others = list(shares[:2]) if any(shares[:2]) else [1, 1]
        sizes = [*largest_remainder(crossings // 2 - most, others), most]
    return sizes
