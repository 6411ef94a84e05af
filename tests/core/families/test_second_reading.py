"""A second implementation of the four predicates agrees with the labels of the stored rows."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from gatling_beam.domains.loader import domain_names
from gatling_beam.families.accept import accept
from gatling_beam.families.build import BOUNDARY_KINDS, STRATEGIES, Made, boundary_pairs, family
from gatling_beam.families.compound import STRATEGY as COMPOUND
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.sample import Sample


def families(anchors, seed):
    return [row for anchor in anchors for row in family(anchor, seed=seed) if isinstance(row, Sample)]


def boundaries(anchors, seed):
    made = (result for anchor in anchors for result in boundary_pairs(anchor, seed=seed))
    judged = (row for result in made if isinstance(result, Made) for row in accept(result.rows))
    return [row for row in judged if isinstance(row, Sample)]


def compounds(anchors, seed):
    made = (row for anchor in anchors for row in family(anchor, seed=seed, strategies=(COMPOUND,)))
    return [row for row in made if isinstance(row, Sample)]


def disagreements(rows, second_reading):
    for row in rows:
        label = tuple(label["violated"] for label in row["violation_labels"])
        try:
            found = second_reading.violated(row)
        except second_reading.Undecided as undecided:
            found = str(undecided)
        if found != label:
            yield row["sample_id"], row["mutation"]["strategy"], label, found


def test_it_shares_nothing_with_those_whom_it_checks():
    tree = ast.parse((Path(__file__).parent / "second_reading.py").read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in imported if name.startswith("gatling_beam")} == {"gatling_beam.domains.loader"}


def test_a_second_reading_agrees_with_the_labels(gold, second_reading, stored):
    rows = stored(families(gold[:400], seed=8))
    counts = Counter((row["mutation"]["strategy"], row["label"]) for row in rows)
    assert all(counts[strategy, label] >= 20 for strategy in STRATEGIES for label in ("benign", "adversarial"))
    assert list(disagreements(rows, second_reading)) == []


def test_a_second_reading_agrees_with_the_labels_at_the_boundary(gold, second_reading, stored):
    rows = stored(boundaries(gold[:250], seed=8))
    counts = Counter((row["mutation"]["strategy"], row["label"]) for row in rows)
    assert all(counts[kind, label] >= 20 for kind in BOUNDARY_KINDS for label in ("benign", "adversarial"))
    assert list(disagreements(rows, second_reading)) == []


def test_a_second_reading_agrees_with_the_labels_of_compounds(gold, second_reading, stored):
    rows = stored(list(compounds(gold[:800], seed=8)))
    assert sum(row["label"] == "adversarial" for row in rows) >= 40
    assert list(disagreements(rows, second_reading)) == []


@pytest.mark.slow
def test_a_second_reading_agrees_with_the_labels_of_ten_thousand_rows(second_reading, stored):
    oracle = TemplateOracle(17, domain_names())
    anchors = (trace_to_sample(oracle.trace(number)) for number in range(2_000))
    rows = stored([row for anchor in anchors for row in (*families([anchor], 21), *boundaries([anchor], 21))])
    assert len(rows) >= 10_000
    assert list(disagreements(rows, second_reading)) == []
