"""Crossings of gold rows of all domains: nothing but the relation of plan and request tells the label."""

import random
from collections import Counter

import msgspec
import pytest

from gatling_beam.domains.loader import domain_names
from gatling_beam.families.accept import accept
from gatling_beam.families.build import MUTATORS, STRATEGIES, Inapplicable, Made, crossings, dice_of, family
from gatling_beam.families.rows import rows_of
from gatling_beam.json_value import json_text
from gatling_beam.mutate.anchor import Anchor
from gatling_beam.mutate.crossing import REASONS
from gatling_beam.sample import DeadLetter, Sample

replace = msgspec.structs.replace


@pytest.fixture(scope="module", params=STRATEGIES)
def of_strategy(request, made):
    """The crossings of one strategy: (anchor, strategy, rows)."""
    found = [one for one in made if one[1] == request.param]
    assert len(found) >= 25
    return found


def test_all_domains_take_part(made):
    assert {anchor.category for anchor, _, _ in made} == set(domain_names())


def test_neither_plan_nor_request_nor_keys_tell_the_label(of_strategy, checks):
    assert [problem for one in of_strategy for problem in checks.crossing_problems(*one)] == []


def test_all_but_the_plan_tie_and_all_but_the_request(of_strategy, checks):
    for _, _, rows in of_strategy:
        pairs = [(one, other) for one in rows for other in rows if one.label == "benign" != other.label]
        same_request = [(a, b) for a, b in pairs if a.request == b.request]
        same_plan = [(a, b) for a, b in pairs if checks.plan_of(a) == checks.plan_of(b)]
        assert same_request
        assert same_plan
        assert all(a.warrant == b.warrant and a.minimal_scope == b.minimal_scope for a, b in same_request)
        assert all(a.intent_hash == b.intent_hash for a, b in same_plan)


def test_tiers_of_calls_do_not_tell_the_label(of_strategy):
    """Only an easy request that does not say the other job leaves it to a text, and that seldom."""
    found = Counter(
        (row.label, tuple(int(node.provenance_tier) for node in row.execution_plan.nodes), anchor.sample_id)
        for anchor, _, rows in of_strategy
        for row in rows
        if row.mutation.edit_script["kind"] != "size_1d"
    )
    turned = {"benign": "adversarial", "adversarial": "benign"}
    unequal = sum(n for (label, tiers, name), n in found.items() if found[turned[label], tiers, name] != n)
    assert unequal <= 0.02 * sum(found.values())


def test_labels_are_graded(of_strategy, checks):
    judged = [row for _, _, rows in of_strategy for row in accept(rows)]
    refused = Counter(letter.reason for letter in judged if isinstance(letter, DeadLetter))
    assert not refused["oracles_disagree"]
    assert sum(refused.values()) <= 0.02 * len(judged)
    assert list(checks.label_problems(row for row in judged if isinstance(row, Sample))) == []


def test_what_a_row_is_called_does_not_depend_on_its_label(of_strategy):
    def names(rows):
        return [(row.sample_id, row.row_hash, row.intent_hash, row.batch_key) for row in rows]

    for sample, strategy, _ in of_strategy[:25]:
        crossing = MUTATORS[strategy](Anchor(sample), dice_of(3, sample.sample_id, strategy, 0))
        turned = [replace(cell, violated=tuple(not violated for violated in cell.violated)) for cell in crossing.cells]
        assert names(rows_of(replace(crossing, cells=tuple(turned)), sample)) == names(rows_of(crossing, sample))


def test_the_same_seed_gives_the_same_rows_in_any_order(gold):
    def rows(anchors, seed):
        random.seed(len(anchors))
        return {anchor.sample_id: list(family(anchor, seed=seed)) for anchor in anchors}

    some = gold[:60]
    first = rows(some, 7)
    assert rows(some[::-1], 7) == first
    assert rows(some[30:40], 7).items() <= first.items()
    other = rows(some, 8)
    changed = [name for name in first if any(isinstance(row, Sample) for row in first[name] + other[name])]
    assert sum(first[name] != other[name] for name in changed) >= 0.9 * len(changed)


def test_an_anchor_is_left_as_it_was(gold):
    for anchor in gold[:100]:
        before = json_text(msgspec.to_builtins(anchor))
        list(family(anchor, seed=1, k=3))
        assert json_text(msgspec.to_builtins(anchor)) == before


@pytest.mark.parametrize("difficulty", ["hard", "medium", "easy"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_difficulty_that_is_asked_for(gold, checks, strategy, difficulty):
    found = [
        (anchor, strategy, result.rows)
        for anchor in gold[600:900]
        for result in crossings(anchor, seed=2, strategies=[strategy], difficulty=difficulty)
        if isinstance(result, Made)
    ]
    assert len(found) >= 10
    for _, _, rows in found:
        assert {row.mutation.difficulty for row in rows} == {difficulty}
        assert all(0 <= row.mutation.difficulty_score <= 1 for row in rows)
    assert [problem for one in found for problem in checks.crossing_problems(*one)] == []


def test_size_and_set_can_be_asked_for(gold, checks):
    for form in ("size", "set"):
        found = [
            (anchor, "scope_blowup", result.rows)
            for anchor in gold[:150]
            for result in crossings(anchor, seed=4, strategies=["scope_blowup"], form=form)
            if isinstance(result, Made)
        ]
        kinds = Counter(rows[0].mutation.edit_script["kind"].partition(":")[0] for _, _, rows in found)
        assert kinds.keys() == ({"size", "size_1d"} if form == "size" else {"set"})
        assert [problem for one in found for problem in checks.crossing_problems(*one)] == []


def test_many_crossings_of_an_anchor_are_different(gold):
    more = 0
    for anchor in gold[:100]:
        made = [result for result in crossings(anchor, seed=5, k=4) if isinstance(result, Made)]
        hashes = [row.row_hash for strategy in STRATEGIES for r in made if r.strategy == strategy for row in r.rows]
        for strategy in STRATEGIES:
            own = [row.row_hash for result in made if result.strategy == strategy for row in result.rows]
            assert len(set(own)) == len(own)
        more += len(hashes) > 8
    assert more >= 20


def test_where_nothing_applies_it_says_why(gold):
    for anchor in gold[:200]:
        results = list(crossings(anchor, seed=6))
        assert {result.strategy for result in results} == set(STRATEGIES)
        assert all(result.reason in REASONS for result in results if isinstance(result, Inapplicable))


def test_an_anchor_without_warrant_or_policy_is_named(gold):
    blank = replace(gold[0], warrant=None)
    no_policy = replace(gold[0], governance_context=replace(gold[0].governance_context, policy_id=None))
    for row in (blank, no_policy):
        assert list(crossings(row, seed=1)) == [Inapplicable(strategy, "no_warrant") for strategy in STRATEGIES]
