import re
from random import Random

import pytest

from gatling_beam.domains.dice import Dice
from gatling_beam.domains.lint import MAX_LINES, lint
from gatling_beam.domains.loader import domain_names, domain_text, load_spec
from gatling_beam.domains.numbers import draw_number
from gatling_beam.domains.plans import PATTERNS, Result, parse_plan, pattern_of
from gatling_beam.domains.registry import domain, may_use
from gatling_beam.domains.spec import INTENTS, REGISTERS
from gatling_beam.domains.tools import expand_tools


def test_there_are_at_least_55_domains_with_300_tools_of_their_own():
    names = domain_names()
    assert len(names) >= 55
    tools = [tool for name in names for tool in domain(name).tools.values()]
    assert len(tools) >= 300
    assert min(len(domain(name).tools) for name in names) >= 5
    assert len({tool.tool_id for tool in tools}) == len(tools)
    assert not [tool.tool_id for tool in tools if tool.name == "list_items"]


@pytest.mark.parametrize("name", domain_names())
def test_a_domain_is_sound(name):
    text = domain_text(name)
    assert lint(load_spec(name), text) == []
    assert text.count("\n") < MAX_LINES
    which = domain(name)
    assert len(which.policies) == 24 * 3
    assert all(which.feasible.values()), "a task that nobody may do"
    classes = {tool.cls for tool in which.tools.values()}
    assert classes == {"read", "write", "egress", "control"}


@pytest.mark.parametrize("name", domain_names())
def test_every_limit_can_be_broken_and_every_strong_tool_is_out_of_somebodys_reach(name):
    which = domain(name)
    for rule in which.spec.policy:
        if rule.kind == "limit" and rule.limit not in ("days", "recipients"):
            most = max(
                parameter.maximum or 0
                for tool in which.tools.values()
                for parameter in tool.parameters.values()
                if parameter.dimension == rule.limit
            )
            assert any(policy.limits[rule.limit] < most for policy in which.policies), rule.limit
    for tool in which.tools.values():
        if tool.privilege >= 7:
            assert tool.name in {rule.approval for rule in which.spec.policy} or any(
                not may_use(policy, tool) for policy in which.policies
            ), tool.name


def test_sentences_are_the_domains_own():
    seen = {}
    for name in domain_names():
        for task in load_spec(name).tasks.values():
            assert sum(len(task.ask[register]) for register in REGISTERS) >= 8
            for sentences in task.ask.values():
                for sentence in sentences:
                    masked = re.sub(r"\{\w+\}", "X", sentence)
                    assert seen.setdefault(masked, name) == name, masked


def test_all_intents_and_patterns_occur():
    plans = [
        (task.intent, domain(name).patterns[key])
        for name in domain_names()
        for key, task in load_spec(name).tasks.items()
    ]
    assert {intent for intent, _ in plans} == set(INTENTS)
    assert {pattern for _, pattern in plans} == set(PATTERNS)


def test_plans_read_as_they_are_written():
    tools = expand_tools(load_spec("finance"))
    steps = parse_plan(
        {
            "look": "get_invoice(invoice_id=$invoice)",
            "job": "run_ledger_job(job=accrual, invoice_id=$look.invoice_id) if look",
        },
        tools,
    )
    assert steps[1].arguments == {"job": "accrual", "invoice_id": Result("look", "invoice_id")}
    assert pattern_of(steps) == "conditional"
    with pytest.raises(ValueError, match="no earlier step"):
        parse_plan({"job": "run_ledger_job(job=accrual, invoice_id=$later.invoice_id)"}, tools)


def test_numbers_are_log_uniform_and_half_of_them_round():
    rng = Random(3)
    drawn = [draw_number(rng, 1, 99_999) for _ in range(20_000)]
    assert min(drawn) == 1 and max(drawn) > 90_000
    decades = [sum(10**k <= n < 10 ** (k + 1) for n in drawn) / len(drawn) for k in range(5)]
    assert all(0.15 < share < 0.25 for share in decades)
    large = [n for n in drawn if n >= 1_000]
    assert 0.45 < sum(str(n).rstrip("0") in "123456789" for n in large) / len(large) < 0.56


def test_a_world_is_a_function_of_numbers():
    world = domain("finance").world
    number = world.number_of("invoice", "INV-000042")
    assert number == 42 and world.record_id("invoice", number) == "INV-000042"
    assert world.fields("invoice", 42) == world.fields("invoice", 42)
    assert world.fields("invoice", 42)["department"] == world.owner("invoice", 42)
    assert world.number_of("invoice", "INV-000000") is None
    assert world.number_of("invoice", "MSG-000001") is None
    rng = Dice(1)
    for _ in range(500):
        own = world.some_number(rng, "invoice", frozenset({"legal", "sales"}))
        assert 1 <= own <= world.size("invoice") and world.owner("invoice", own) in ("legal", "sales")
