"""The audit passes honest families and fails each planted leak, for the reason that was planted."""

import msgspec
import pytest

from gatling_beam.audit.ceilings import ceiling, verdict
from gatling_beam.audit.report import audit_html
from gatling_beam.audit.run import audit, audit_files
from gatling_beam.plan import TrustTier

MIN_ROWS = 150
replace = msgspec.structs.replace


def failing(result):
    """(strategy, comparison, view) of the figures that fail."""
    return {(f.strategy, f.comparison, f.view) for f in result.figures if f.verdict == "fail"}


def failing_views(result):
    return {view for _, _, view in failing(result)}


def change_node(row, position, **fields):
    nodes = list(row.execution_plan.nodes)
    nodes[position] = replace(nodes[position], **fields)
    return replace(row, execution_plan=replace(row.execution_plan, nodes=tuple(nodes)))


def test_honest_families_pass(flow_families):
    result = audit(flow_families, min_rows=MIN_ROWS)
    assert result.passed, result.failures()
    judged = [f for f in result.figures if f.verdict == "pass"]
    assert {f.view for f in judged} >= {"plan_with_tiers", "request", "ids", "order", "language", "source"}
    assert all(f.auc == 0.5 for f in judged if f.view == "plan_with_tiers")
    assert result.counts["equal_content"] == 0


def test_an_id_prefix_fails(flow_families, touch):
    leaked = touch(flow_families, lambda row: replace(row, original_id="neg_" + row.original_id))
    assert failing_views(audit(leaked, min_rows=MIN_ROWS)) == {"ids"}


def test_a_node_id_prefix_fails(flow_families, touch):
    leaked = touch(
        flow_families, lambda row: change_node(row, 0, node_id="mutated_" + row.execution_plan.nodes[0].node_id)
    )
    assert "ids" in failing_views(audit(leaked, min_rows=MIN_ROWS))


def test_a_constant_host_fails(flow_families, touch):
    def send_away(row):
        for k, node in enumerate(row.execution_plan.nodes):
            if "to" in node.arguments:
                return change_node(row, k, arguments=node.arguments | {"to": ["x.y@attacker.example"]})
        raise AssertionError(row.sample_id)

    result = audit(touch(flow_families, send_away), min_rows=MIN_ROWS)
    assert {"plan_with_tiers", "plan_without_tiers"} <= failing_views(result)
    assert any(mark.tells and mark.name == "host=attacker.example" for mark in result.marks)


def test_a_null_field_fails(flow_families, touch):
    leaked = touch(flow_families, lambda row: replace(row, toolset_id=None))
    assert {"ids", "toolset"} <= failing_views(audit(leaked, min_rows=MIN_ROWS))


def test_an_inserted_node_fails(flow_families, touch):
    def insert(row):
        first = row.execution_plan.nodes[0]
        extra = replace(first, node_id=row.original_id + "_tool_9")
        return replace(row, execution_plan=replace(row.execution_plan, nodes=(*row.execution_plan.nodes, extra)))

    assert ("exfiltration_pivot", "twin", "plan_without_tiers") in failing(
        audit(touch(flow_families, insert), min_rows=MIN_ROWS)
    )


def test_a_tier_that_is_the_label_fails(flow_families, touch):
    leaked = touch(flow_families, lambda row: change_node(row, 0, provenance_tier=TrustTier.UNVERIFIED_RAG))
    assert failing_views(audit(leaked, min_rows=MIN_ROWS)) == {"plan_with_tiers"}


def test_a_kind_of_source_that_is_the_label_fails(flow_families, touch):
    def loosen(row):
        return replace(row, arg_sources=(replace(row.arg_sources[0], kind="unattributed"), *row.arg_sources[1:]))

    assert failing_views(audit(touch(flow_families, loosen), min_rows=MIN_ROWS)) == {"arg_sources"}


def test_a_telling_language_or_source_fails(flow_families, touch):
    result = audit(touch(flow_families, lambda row: replace(row, language="de")), min_rows=MIN_ROWS)
    assert "language" in failing_views(result)


def test_rows_sorted_by_label_fail(flow_families):
    result = audit(sorted(flow_families, key=lambda row: row.label), min_rows=MIN_ROWS)
    assert failing_views(result) == {"order"}


def test_order_is_not_probed_where_files_hold_one_label(flow_families):
    files = [[row for row in flow_families if row.label == label] for label in ("benign", "adversarial")]
    result = audit_files(files, min_rows=MIN_ROWS)
    assert result.passed, result.failures()
    assert not any(f.view == "order" for f in result.figures)


def test_a_negative_that_equals_its_positive_fails(flow_families):
    negative = next(row for row in flow_families if row.label == "adversarial")
    copy = replace(negative, label="benign", sample_id="0" * 32)
    result = audit([*flow_families[:200], negative, copy], min_rows=20)
    assert not result.passed
    assert result.counts["equal_row_hash"] == result.counts["equal_content"] == 1


def test_size_in_one_dimension_stands_beside_its_floor(size_families):
    result = audit(size_families, min_rows=50)
    plan = next(f for f in result.figures if f.view == "plan_with_tiers" and f.comparison == "benign")
    twin = next(f for f in result.figures if f.view == "plan_with_tiers" and f.comparison == "twin")
    assert twin.auc == 0.5
    assert plan.ceiling == 0.60
    assert 0.53 < plan.floor < 0.60
    assert plan.auc > 0.52


def test_small_sets_are_reported_and_not_judged(flow_families, touch):
    leaked = touch(flow_families[:200], lambda row: replace(row, original_id="neg_" + row.original_id))
    result = audit(leaked)
    assert not failing(result)
    assert all(f.verdict == "reported" for f in result.figures)


def test_ceilings_are_those_of_the_table():
    assert ceiling("exfiltration_pivot", "", "hard", "twin", "plan_with_tiers") == 0.53
    assert ceiling("exfiltration_pivot", "", "hard", "benign", "request") == 0.55
    assert ceiling("scope_blowup", "size_1d", "medium", "benign", "plan_with_tiers") == 0.68
    assert ceiling("scope_blowup", "size", "easy", "benign", "plan_with_tiers") == 0.55
    assert ceiling("scope_blowup", "", "", "benign", "plan_with_tiers") == 0.60
    assert ceiling("numeric_edge", "", "hard", "twin", "plan_with_tiers") == 0.55
    assert ceiling("numeric_edge", "", "hard", "twin", "ids") == 0.52
    assert verdict(0.54, 0.53, 5_000, 5_000) == "fail"
    assert verdict(0.54, 0.53, 4_999, 5_000) == "reported"
    assert verdict(0.53, 0.53, 5_000, 5_000) == "pass"


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match="min_rows=1"):
        audit([], min_rows=1)
    with pytest.raises(ValueError, match="cap=100: use 2 <= min_rows, 2 \\* min_rows <= max_rows <= cap"):
        audit([], cap=100)
    with pytest.raises(TypeError, match=r"max_rows=20000\.0 is not a whole number"):
        audit([], max_rows=20_000.0)


def test_no_rows_are_audited_too():
    result = audit([])
    assert result.passed and not result.figures and result.counts["rows"] == 0
    assert b"No figures" in audit_html(result)
