"""Quotas by stratum: exact, even, and within what scope may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.families.build import BOUNDARY_KINDS, STRATEGIES
from gatling_beam.quotas import LEVELS, largest_remainder, shares_of, stratum_of, tier2_quotas, tier3_quotas

SHARES = st.tuples(st.integers(0, 100), st.integers(0, 100)).filter(lambda two: sum(two) <= 100)


def test_the_usual_shares_of_ten_thousand() -> None:
    quotas = tier2_quotas(STRATEGIES, 10_000, (40, 35, 25))
    assert [quotas[f"exfiltration_pivot/{level}"] for level in LEVELS] == [4_000, 3_500, 2_500]
    assert [quotas[f"scope_blowup/size/{level}"] for level in LEVELS] == [2_000, 1_750, 1_250]
    assert [quotas[f"scope_blowup/set/{level}"] for level in LEVELS] == [2_000, 1_750, 1_250]
    assert sum(quotas.values()) == 40_000


@given(st.integers(1, 5_000), SHARES)
def test_every_term_gets_its_number_in_whole_crossings(crossings: int, two: tuple[int, int]) -> None:
    shares = (*two, 100 - sum(two))
    try:
        quotas = tier2_quotas(STRATEGIES, 2 * crossings, shares)
    except ValueError:
        assert shares[2] > 60 or crossings < 60  # little else than easy rows, or too few to divide
        return
    for strategy in STRATEGIES:
        own = [n for name, n in quotas.items() if name.startswith(f"{strategy}/")]
        assert sum(own) == 2 * crossings and min(own) >= 0 and not any(n % 2 for n in own)
    sizes = [quotas[f"scope_blowup/size/{level}"] for level in LEVELS]
    assert sum(sizes) == 2 * (crossings // 2)
    assert sizes[2] <= 2 * crossings / 5
    by_level = [quotas[f"scope_blowup/size/{level}"] + quotas[f"scope_blowup/set/{level}"] for level in LEVELS]
    assert by_level == [quotas[f"exfiltration_pivot/{level}"] for level in LEVELS]


@given(st.integers(0, 10_000), st.lists(st.integers(0, 50), min_size=1).filter(any))
def test_parts_add_up_and_are_near_their_shares(total: int, shares: list[int]) -> None:
    parts = largest_remainder(total, shares)
    assert sum(parts) == total
    assert all(abs(part - total * share / sum(shares)) < 1 for part, share in zip(parts, shares, strict=True))


def test_kinds_of_tier_three_are_equal_and_in_twos_where_they_must_be() -> None:
    assert set(tier3_quotas(BOUNDARY_KINDS, 600).values()) == {100}
    odd = tier3_quotas(BOUNDARY_KINDS, 303)
    assert sum(odd.values()) == 303 and odd["access_boundary"] % 2 == 0
    assert max(odd.values()) - min(odd.values()) <= 2
    with pytest.raises(ValueError, match="5 is less than one pair for each of the 6 kinds"):
        tier3_quotas(BOUNDARY_KINDS, 5)


@pytest.mark.parametrize("text", ["40,35", "40,35,26", "a,b,c", "", "40.5,35,24.5", "-10,60,50"])
def test_shares_that_are_none_say_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write 40,35,25"):
        shares_of(text)


def test_an_odd_number_of_negatives_is_refused() -> None:
    with pytest.raises(ValueError, match="61 is not an even number"):
        tier2_quotas(STRATEGIES, 61, (40, 35, 25))


def test_size_is_what_has_a_band_of_ratios() -> None:
    assert stratum_of("scope_blowup", "2-5", "hard") == "scope_blowup/size/hard"
    assert stratum_of("scope_blowup", "", "easy") == "scope_blowup/set/easy"
    assert stratum_of("exfiltration_pivot", "", "easy") == "exfiltration_pivot/easy"
