"""What is permitted violates nothing; rows that cannot be judged say why; the judge stands alone."""

import ast
from pathlib import Path

import pytest

import gatling_beam.judge
from gatling_beam.domains.loader import domain_names
from gatling_beam.judge.judge import Unjudged, judge

FOREIGN = {"energy", "mutate", "families", "oracle", "validate"}


def test_every_gold_row_is_benign(gold):
    assert {row.category for row in gold} == set(domain_names())
    found = [(row.sample_id, verdict) for row in gold if any((verdict := judge(row)).violated)]
    assert found == []


def test_the_judge_imports_none_of_those_whom_it_checks():
    imported = set()
    for file in Path(gatling_beam.judge.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    own = {name.split(".")[1] for name in imported if name.startswith("gatling_beam.")}
    assert own
    assert not own & FOREIGN
    assert not any(name.startswith("apache_beam") for name in imported)


def unjudged(row):
    with pytest.raises(Unjudged) as raised:
        judge(row)
    assert raised.value.detail
    return raised.value.reason


@pytest.mark.parametrize("warrant", [None, {}, {"calls": []}, {"calls": [{"cls": "read"}]}, {"calls": "all"}])
def test_without_a_warrant_nothing_is_judged(banking, make, warrant):
    assert unjudged(make.replace(banking[0], warrant=warrant)) == "no_warrant"


@pytest.mark.parametrize("tool", ["banking.rob_bank", "finance.get_account", "get_account", ""])
def test_an_unknown_tool_is_named(banking, make, tool):
    assert unjudged(make.with_tool(banking[0], 0, tool)) == "unknown_tool"


def test_an_unknown_domain_has_no_tools(banking, make):
    assert unjudged(make.replace(banking[0], category="piracy")) == "unknown_tool"


@pytest.mark.parametrize("policy_id", [None, "", "banking_v99_teller", "banking_v01_teller~moon=1"])
def test_an_unknown_policy_is_named(banking, make, policy_id):
    assert unjudged(make.with_policy(banking[0], policy_id)) == "unknown_policy"


def test_a_read_that_finds_nothing_has_no_effect(banking, make):
    row = make.first(banking, "recent_transfers")
    assert unjudged(make.with_arguments(row, 0, since="2031-01-01", until="2031-01-05")) == "no_effect"
    assert unjudged(make.with_arguments(row, 0, since="2026-05-05", until="2026-05-01")) == "no_effect"
    assert unjudged(make.with_arguments(row, 0, branch="Atlantis")) == "no_effect"
    look = make.first(banking, "close_for_good")
    assert unjudged(make.with_arguments(look, 0, account_id="ACC-1")) == "no_effect"
    assert unjudged(make.with_arguments(look, 1, account_id="$call_9.account_id$")) == "no_effect"
