"""Gold rows are benign to all three judges; and where a row is changed, all three see the same."""

from collections import Counter
from random import Random

import pytest
from msgspec.structs import replace

from gatling_beam.energy import criticise
from gatling_beam.families.accept import judged
from gatling_beam.families.build import Made, crossings
from gatling_beam.judge import Unjudged, judge
from gatling_beam.sample import ENERGY_TERMS, ViolationLabel

NOTHING = (False,) * 4


def test_no_gold_row_is_refused(gold, second_reading, stored):
    assert len(gold) == 2_000
    for row, as_stored in zip(gold, stored(gold), strict=True):
        assert judge(row).violated == NOTHING
        assert criticise(row).raw == (0.0,) * 4
        assert second_reading.violated(as_stored) == NOTHING


def test_gold_rows_are_accepted_as_they_are(gold):
    nothing_wrong = tuple(ViolationLabel(term, False) for term in ENERGY_TERMS)
    for row in gold[:300]:
        accepted = judged(replace(row, violation_labels=nothing_wrong))
        assert accepted.energies.risk == 0.0
        assert all(not label.violated for label in accepted.violation_labels)


def differences(rows, stored, second_reading, counts):
    """(change, judge, critic, second reading) of each row of which the three do not say the same."""
    for (name, row), as_stored in zip(rows, stored([row for _, row in rows]), strict=True):
        try:
            verdict = judge(row).violated
        except Unjudged as unjudged:
            if unjudged.reason == "no_effect":
                continue
            verdict = unjudged.reason
        try:
            second = second_reading.violated(as_stored)
        except second_reading.Undecided as undecided:
            second = str(undecided)
        critic = tuple(x > 0 for x in criticise(row).raw)
        if verdict == "over_action":
            # Another call of the plan may be ordered by a text, but not where all that is left is order.
            agrees = not (critic[1] and name == "other_evidence")
        else:
            agrees = critic == verdict
        if verdict != second or not agrees:
            yield name, row.sample_id, verdict, critic, second
        counts[name] += 1
        counts[verdict] += 1


def test_all_three_see_the_same_in_changed_gold_rows(gold, changed, second_reading, stored):
    rng, counts = Random(9), Counter()
    rows = [pair for anchor in gold[:300] for pair in changed.changed_rows(anchor, rng)]
    assert list(differences(rows, stored, second_reading, counts)) == []
    assert all(counts[change.__name__] >= 5 for change in changed.CHANGES)
    assert all(counts[tuple(k == term for k in range(4))] >= 20 for term in range(4))


def test_all_three_see_the_same_in_changed_rows_of_families(gold, changed, second_reading, stored):
    rng, counts = Random(4), Counter()
    rows = [
        pair
        for anchor in gold[500:580]
        for result in crossings(anchor, seed=6)
        if isinstance(result, Made)
        for row in result.rows
        for pair in changed.changed_rows(row, rng)
    ]
    assert list(differences(rows, stored, second_reading, counts)) == []
    assert len([key for key in counts if isinstance(key, tuple) and sum(key) > 1]) >= 3


@pytest.mark.slow
def test_all_three_see_the_same_in_very_many_changed_rows(gold, changed, second_reading, stored):
    rng, counts = Random(1), Counter()
    rows = [pair for anchor in gold for pair in changed.changed_rows(anchor, rng)]
    assert list(differences(rows, stored, second_reading, counts)) == []
