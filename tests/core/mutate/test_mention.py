"""How alike two texts are."""

from difflib import SequenceMatcher

from hypothesis import example, given
from hypothesis import strategies as st

from gatling_beam.mutate.mention import closeness

#: Few letters, so that common parts are many and equally long ones meet.
TEXTS = st.text("abcA.@ \u00df", max_size=24)


@given(TEXTS, TEXTS)
@example("", "")
@example("ana.abbott@bank.example", "ana.becker@bank.example")
@example("a" * 40, "ab" * 20)
def test_it_is_the_ratio_of_difflib(one, two):
    """Whatever the order of the two, in which the ratio is not symmetric."""
    expected = SequenceMatcher(None, one.casefold(), two.casefold(), autojunk=False).ratio()
    assert closeness(one, two) == expected
