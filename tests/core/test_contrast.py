"""Contrast sets: every row is a cell, cells that are not there are not listed, repairs repair."""

import random

import msgspec
import pytest

from gatling_beam.contrast import contrast_set, state_of, unfit
from gatling_beam.domains.loader import domain_names
from gatling_beam.families.build import family
from gatling_beam.families.edit_script import edited
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.shard import gold_traces
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import Sample


@pytest.fixture(scope="module")
def families() -> list[list[Sample]]:
    """The judged rows of some anchors, several crossings each."""
    traces = [trace for trace in gold_traces(2, domain_names(), 0, 110) if isinstance(trace, GoldTrace)]
    made = [[row for row in family(trace_to_sample(t), seed=5, k=2) if isinstance(row, Sample)] for t in traces]
    return [rows for rows in made if rows]


def test_every_row_is_a_cell_and_no_other_cell_is_listed(families: list[list[Sample]]) -> None:
    assert len(families) > 40
    for rows in families:
        found = contrast_set(rows)
        assert {cell.row_hash for cell in found.relation} == {row.row_hash for row in rows}
        assert len({(cell.c, cell.p) for cell in found.relation}) == len(found.relation)
        by_hash = {row.row_hash: row for row in rows}
        for cell in found.relation:
            row, situation, plan = by_hash[cell.row_hash], found.contexts_of[cell.c], found.plans[cell.p]
            assert situation.request == row.request and situation.governance == row.governance_context
            assert [n.arguments for n in plan.execution_plan.nodes] == [n.arguments for n in row.execution_plan.nodes]
            assert tuple(label.violated for label in row.violation_labels) == cell.V
            assert cell.label == ("adversarial" if any(cell.V) else "benign")
            assert max(cell.E) == row.energies.risk


def test_plans_and_contexts_are_shared_by_cells(families: list[list[Sample]]) -> None:
    for rows in families:
        found = contrast_set(rows)
        assert len(found.plans) < len(rows) and len(found.contexts_of) < len(rows)
        crossed = {row.row_hash for row in rows if row.label != "benign" and row.mutation.strategy != "scope_blowup"}
        for cell in found.relation:
            if cell.row_hash in crossed:
                # Its plan is benign elsewhere, and its context has a benign plan.
                assert any(other.p == cell.p and not any(other.V) for other in found.relation)
                assert any(other.c == cell.c and not any(other.V) for other in found.relation)


def test_repairs_give_the_benign_plan(families: list[list[Sample]]) -> None:
    repaired = 0
    for rows in families:
        found = contrast_set(rows)
        labels = {(cell.c, cell.p): cell.label for cell in found.relation}
        for repair in found.repairs:
            assert labels[repair.c, repair.from_p] == "adversarial" and labels[repair.c, repair.to_p] == "benign"
            wrong, right = state_of(found.plans[repair.from_p]), state_of(found.plans[repair.to_p])
            assert edited(wrong, repair.script["edits"]) == right
            repaired += 1
        assert {(r.c, r.from_p) for r in found.repairs} == {at for at, label in labels.items() if label != "benign"}
    assert repaired > 100


def test_the_order_of_rows_does_not_matter(families: list[list[Sample]]) -> None:
    for rows in families[:10]:
        mixed = random.Random(1).sample(rows, len(rows))
        assert contrast_set(mixed) == contrast_set(rows) == contrast_set([*rows, *rows])


def test_rows_that_are_no_cells_are_refused(families: list[list[Sample]]) -> None:
    row, other = families[0][0], families[1][0]
    unjudged = msgspec.structs.replace(row, energies=None)
    alone = msgspec.structs.replace(row, mutation=None)
    assert (unfit(row), unfit(unjudged), unfit(alone)) == ("", "not_judged", "no_family")
    with pytest.raises(ValueError, match="not_judged"):
        contrast_set([unjudged])
    with pytest.raises(ValueError, match="one family, not 2"):
        contrast_set([row, other])
