"""What is permitted costs exactly nothing, and what the families make costs exactly where they say."""

from collections import Counter

import pytest

from gatling_beam.domains.loader import domain_names
from gatling_beam.energy import criticise, energies, explain, original
from gatling_beam.families.build import Made, crossings
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.sample import ENERGY_TERMS

NOTHING = (0.0, 0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def gold():
    oracle = TemplateOracle(5, domain_names())
    return [trace_to_sample(oracle.trace(k)) for k in range(2_000)]


def test_gold_rows_of_all_domains_cost_exactly_nothing(gold):
    assert {row.category for row in gold} == set(domain_names())
    assert [(row.original_id, found.why) for row in gold if (found := criticise(row)).raw != NOTHING] == []


def test_gold_rows_have_no_energy_and_nothing_to_explain(gold):
    for row in gold[:50]:
        made = energies(criticise(row), (False,) * 4)
        assert (made.risk, made.composite) == (0.0, 0.0)
        assert explain(row) == []


def test_each_crossing_moves_the_declared_terms_and_no_other(gold):
    seen = Counter()
    for row in gold[:300]:
        for made in crossings(row, seed=3):
            if isinstance(made, Made):
                for crossed in made.rows:
                    declared = tuple(label.violated for label in crossed.violation_labels)
                    critique = criticise(crossed)
                    assert tuple(x > 0 for x in critique.raw) == declared, (crossed.original_id, critique)
                    seen[declared] += 1
                    lines = explain(crossed)
                    assert all(any(node.node_id in line for node in crossed.execution_plan.nodes) for line in lines)
                    told = {line.split(" ")[0] for line in lines}
                    assert told == {term for term, yes in zip(ENERGY_TERMS, declared, strict=True) if yes}
    assert len(seen) == 5 and min(seen.values()) > 10


def test_the_original_formulas_do_not_see_the_request(gold):
    row = next(row for row in gold if len(row.execution_plan.nodes) > 2)
    assert original(row) == original(row)
    assert original(row).e_scope >= 0
