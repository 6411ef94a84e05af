"""The transforms that make families: the same rows everywhere, counts that add up, errors that say what to do."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_beam as beam
import msgspec
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from gatling_beam.domains.loader import domain_names
from gatling_beam.families.build import BOUNDARY_KINDS, STRATEGIES, Made, crossings
from gatling_beam.ledger import Ledger
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.shard import gold_traces
from gatling_beam.sample import Sample, Tally
from gatling_beam.transforms import (
    BuildContrastSets,
    BuildFamilies,
    JudgeRows,
    MutateFlow,
    MutateHierarchy,
    MutateProvenance,
    MutateScope,
)

content = msgspec.msgpack.Encoder(order="deterministic").encode
MUTATE = dict(zip(STRATEGIES, (MutateScope, MutateHierarchy, MutateProvenance, MutateFlow), strict=True))


@pytest.fixture(scope="module")
def anchors() -> list[Sample]:
    """Gold rows of many domains."""
    return [trace_to_sample(trace) for trace in gold_traces(4, domain_names(), 0, 150)]


_KEPT: dict[str, list[Any]] = {}


def outputs(rows: list[Sample], transform: Any) -> dict[str, list[Any]]:
    """The outputs of a transform by name. In process a step can keep them here."""
    _KEPT.clear()
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        made = pipeline | beam.Create(rows).with_output_types(Sample) | transform
        for name in made._fields:
            one = getattr(made, name) | f"Collect{name}" >> beam.combiners.ToList()
            one | f"Keep{name}" >> beam.Map(_keep, name)
    return dict(_KEPT)


def _keep(values: list[Any], name: str) -> None:
    _KEPT[name] = values


def counts(tallies: list[Tally]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for tally in tallies:
        found[tally.kind, tally.reason] += tally.n
    return found


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_mutator_makes_what_the_pure_function_makes(strategy: str, anchors: list[Sample]) -> None:
    made = outputs(anchors, MUTATE[strategy]("medium", seed=3, k=2))
    wanted = [
        row
        for anchor in anchors
        for one in crossings(anchor, seed=3, strategies=[strategy], k=2, difficulty="medium")
        if isinstance(one, Made)
        for row in one.rows
    ]
    assert len(wanted) > 20
    assert sorted(map(content, made["rows"])) == sorted(map(content, wanted))
    assert all(row.energies is None and row.mutation.difficulty == "medium" for row in made["rows"])


def test_counts_add_up_and_say_why_a_strategy_does_not_apply(anchors: list[Sample]) -> None:
    other = msgspec.structs.replace(anchors[0], label="adversarial")
    twin = msgspec.structs.replace(anchors[1], in_family=True)
    made = outputs([*anchors, other, twin], BuildFamilies(seed=3))
    assert Ledger.from_tallies(made["tallies"], ["families"]).check() == []
    found = counts(made["tallies"])
    assert found["in", ""] == len(anchors) + 2
    assert found["not_selected", "anchor"] == len(anchors)
    assert found["not_selected", "not_benign"] == found["not_selected", "in_family"] == 1
    assert found["expanded", ""] == len(made["rows"]) + len(made["dead"])
    assert found["out", ""] == len(made["rows"]) > 200
    applied = {(row.group_id, row.mutation.strategy) for row in made["rows"]}
    for strategy in STRATEGIES:
        notes = sum(n for (kind, why), n in found.items() if kind == "note" and why.startswith(f"{strategy}: "))
        assert notes + sum(name == strategy for _, name in applied) == len(anchors)


def test_judged_here_or_in_a_step_of_its_own(anchors: list[Sample]) -> None:
    together = outputs(anchors, BuildFamilies(seed=3, k=2))["rows"]
    unjudged = outputs(anchors, BuildFamilies(seed=3, k=2, judge=False))["rows"]
    apart = outputs(unjudged, JudgeRows())
    assert counts(apart["tallies"])["in", ""] == len(unjudged)
    assert {row.sample_id for row in together} <= {row.sample_id for row in apart["rows"]}
    row = max(apart["rows"], key=lambda row: row.energies.risk)
    assert row.label == "adversarial" and sum(label.violated for label in row.violation_labels) == 1
    assert row.energies.risk > 2


def test_a_row_with_a_false_label_becomes_a_dead_letter(anchors: list[Sample]) -> None:
    rows = outputs(anchors[:40], MutateScope(seed=3))["rows"]
    false = [
        msgspec.structs.replace(
            row,
            violation_labels=tuple(msgspec.structs.replace(v, violated=not v.violated) for v in row.violation_labels),
        )
        for row in rows
    ]
    made = outputs(false, JudgeRows())
    assert not made["rows"] and {letter.reason for letter in made["dead"]} == {"oracles_disagree"}
    assert counts(made["tallies"])["dead", "oracles_disagree"] == len(false)


def test_a_second_step_goes_on_where_the_first_ended(anchors: list[Sample]) -> None:
    few = outputs(anchors, BuildFamilies(["exfiltration_pivot"], seed=3, k=1))["rows"]
    more = outputs(anchors, BuildFamilies(["exfiltration_pivot"], seed=3, k=1, first=1))["rows"]
    both = outputs(anchors, BuildFamilies(["exfiltration_pivot"], seed=3, k=2))["rows"]
    ids = [{row.sample_id for row in rows} for rows in (few, more, both)]
    assert ids[0] < ids[2] <= ids[0] | ids[1]


def test_forms_and_kinds(anchors: list[Sample]) -> None:
    sizes = outputs(anchors, BuildFamilies(["scope_blowup"], form="size"))["rows"]
    assert sizes and all(row.mutation.ratio_band for row in sizes)
    sets = outputs(anchors, BuildFamilies(["scope_blowup"], form="set"))["rows"]
    assert sets and not any(row.mutation.ratio_band for row in sets)
    pairs = outputs(anchors, BuildFamilies(BOUNDARY_KINDS))["rows"]
    assert {row.mutation.strategy for row in pairs} == set(BOUNDARY_KINDS) and {row.tier for row in pairs} == {"III"}


def test_the_original_is_declared_and_stands_beside_its_anchor(anchors: list[Sample]) -> None:
    made = outputs(anchors, MutateFlow(catalogue="original"))
    negatives = [row for row in made["rows"] if row.label == "adversarial"]
    assert len(negatives) == len(anchors) and {row.label_basis for row in negatives} == {"declared"}
    assert Counter(row.mutation.parent for row in made["rows"]) == {anchor.sample_id: 2 for anchor in anchors}
    assert len({row.sample_id for row in made["rows"]}) == len(made["rows"])


def test_contrast_sets_are_families(anchors: list[Sample], tmp_path: Path) -> None:
    rows = outputs(anchors, BuildFamilies(seed=3, k=2))["rows"]
    made = outputs([*rows, anchors[0]], BuildContrastSets(str(tmp_path), shards=3))
    found = counts(made["tallies"])
    assert found["in", ""] == len(rows) + 1 and found["not_selected", "no_family"] == 1
    assert found["out", ""] == len({row.group_id for row in rows}) == sum(file.rows for file in made["files"])
    assert Ledger.from_tallies(made["tallies"], ["contrast"]).check() == []


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: MutateScope("harder"), "difficulty='harder' is not one of hard, medium, easy"),
        (lambda: MutateScope(k=0), r"k=0 is not a whole number in 1\.\.1000"),
        (lambda: MutateScope(seed=-1), "seed=-1"),
        (lambda: MutateScope(catalogue="theirs"), "catalogue='theirs' is not one of ours, original"),
        (lambda: BuildFamilies([]), "is not a list of names"),
        (lambda: BuildFamilies("scope_blowup"), "is not a list of names"),
        (lambda: BuildFamilies(["scope"]), "'scope' is not one of"),
        (lambda: BuildFamilies(["numeric_edge", "scope_blowup"]), "'numeric_edge' is not one of"),
        (lambda: BuildFamilies(["scope_blowup"] * 2), "name each once"),
        (lambda: BuildFamilies(form="size"), "form='size'"),
        (lambda: BuildFamilies(["numeric_edge"], difficulty="hard"), "neither difficulty nor catalogue"),
        (lambda: BuildFamilies(judge=1), "judge=1 is not True or False"),
    ],
)
def test_arguments_out_of_range_are_named(make: Callable[[], Any], says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        make()
