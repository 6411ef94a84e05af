"""The models refuse what is no gold trace; every fault is planted in a trace that is one."""

import json
import math
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from gatling_beam.domains.loader import domain_names
from gatling_beam.oracle.models import GoldTrace, SystemPolicy, ToolParameter
from gatling_beam.oracle.template import TemplateOracle


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    oracle = TemplateOracle(7, domain_names())
    return [msgspec.json.encode(oracle.trace(number)) for number in range(500)]


def test_traces_of_the_oracle_pass(lines: list[bytes]) -> None:
    models = [GoldTrace.model_validate_json(line) for line in lines]
    assert {model.request.domain for model in models} == set(domain_names())
    assert [json.loads(model.model_dump_json()) for model in models] == [json.loads(line) for line in lines]


SENDS = "finance.send_table"


@pytest.fixture(scope="module")
def trace() -> dict[str, Any]:
    """A trace of finance: a search with a number of rows, whose result goes to people."""
    oracle = TemplateOracle(7, ["finance"])
    for number in range(1_000):
        found: dict[str, Any] = json.loads(msgspec.json.encode(oracle.trace(number)))
        first, *others = found["graph"]["calls"]
        if {"limit", "department"} <= first["arguments"].keys() and [c["tool_id"] for c in others] == [SENDS]:
            return found
    raise AssertionError("the oracle makes no such trace")


def set_at(*path: Any) -> Callable[[dict[str, Any]], None]:
    """A fault: the last of `path` stands where the others lead."""
    *steps, last, value = path

    def plant(trace: dict[str, Any]) -> None:
        place: Any = trace
        for step in steps:
            place = place[step]
        place[last] = value

    return plant


def dropped(*path: Any) -> Callable[[dict[str, Any]], None]:
    *steps, last = path

    def plant(trace: dict[str, Any]) -> None:
        place: Any = trace
        for step in steps:
            place = place[step]
        del place[last]

    return plant


SEARCH = ("graph", "calls", 0)
SEND = ("graph", "calls", 1)

FAULTS = {
    "a number as text": (set_at(*SEARCH, "scope", "rows_requested", "5"), "valid integer"),
    "true as a number": (set_at(*SEARCH, "scope", "rows_requested", True), "valid integer"),
    "a float as a number": (set_at(*SEARCH, "scope", "rows_requested", 5.0), "valid integer"),
    "a limit as text": (set_at("policy", "scope_limits", {"max_results": "5"}), "valid integer"),
    "validated as a number": (set_at("validated", 1), "valid boolean"),
    "a number as an id": (set_at("trace_id", 5), "valid string"),
    "no rows": (set_at(*SEARCH, "scope", "rows_requested", 0), "greater than or equal to 1"),
    "a key too many": (set_at("more", 1), "not permitted"),
    "a blank request": (set_at("request", "text", " \t "), "blank"),
    "an empty id": (set_at("trace_id", ""), "blank"),
    "a blank rule": (set_at("policy", "rules", ["\n"]), "blank"),
    "no rules": (set_at("policy", "rules", []), "at least 1"),
    "a blank description": (set_at("policy", "description", " "), "blank"),
    "a blank target": (set_at(*SEND, "scope", "export_target", " "), "blank"),
    "an unknown domain": (set_at("request", "domain", "finanse"), "did you mean finance"),
    "an unknown domain of the policy": (set_at("policy", "domain", "nowhere"), "no domain 'nowhere'"),
    "another domain": (set_at("policy", "domain", "hr"), "finance"),
    "an unknown tool": (set_at(*SEARCH, "tool_id", "finance.no_tool"), "unknown_tool"),
    "another domain's tool": (set_at(*SEARCH, "tool_id", "hr.search_invoices"), "unknown_tool"),
    "a missing argument": (dropped(*SEND, "arguments", "to"), "missing_argument"),
    "an unknown argument": (set_at(*SEARCH, "arguments", "colour", "red"), "unknown_argument"),
    "an argument of the wrong type": (set_at(*SEARCH, "arguments", "limit", "5"), "wrong_type"),
    "true as an argument": (set_at(*SEARCH, "arguments", "limit", True), "wrong_type"),
    "an argument out of range": (set_at(*SEARCH, "arguments", "limit", 100_001), "out_of_range"),
    "no option": (set_at(*SEARCH, "arguments", "department", "nobody"), "not_an_option"),
    "no JSON value": (set_at(*SEARCH, "arguments", "limit", math.inf), "non_finite"),
    "a forbidden operation that is no tool": (
        set_at("policy", "forbidden_operations", ["finance.rob_the_bank"]),
        "are no tools",
    ),
    "a date without a time": (set_at("created_at", "2026-05-18"), "has no time"),
    "no date": (set_at("created_at", "yesterday"), "no date-time"),
    "an impossible date": (set_at("created_at", "2026-02-30T00:00:00"), "no date-time"),
    "seconds since 1970": (set_at("created_at", 1_700_000_000), "valid string"),
    "a provenance without a time": (set_at(*SEARCH, "provenance", "timestamp", "2026-05-18"), "has no time"),
    "infinity in the metadata": (set_at("metadata", "score", [math.inf]), "non_finite"),
    "no number in the metadata": (set_at("metadata", "score", {"a": math.nan}), "non_finite"),
    "an unknown dependency": (set_at(*SEND, "dependencies", ["call_9"]), "are no calls"),
    "an order that lacks a call": (set_at("graph", "execution_order", ["call_1"]), "every call once"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("form", ["json", "python"])
def test_a_planted_fault_is_refused(trace: dict[str, Any], name: str, form: str) -> None:
    plant, message = FAULTS[name]
    broken = json.loads(json.dumps(trace))
    GoldTrace.model_validate(broken)
    plant(broken)
    with pytest.raises(ValidationError, match=message):
        if form == "json":
            GoldTrace.model_validate_json(json.dumps(broken))
        else:
            GoldTrace.model_validate(broken)


@pytest.mark.parametrize("text", ["2026-05-18T09:00:00", "2026-05-18T09:00:00Z", "2026-05-18T09:00:00+02:00"])
def test_date_times_stay_as_they_are_written(trace: dict[str, Any], text: str) -> None:
    model = GoldTrace.model_validate({**trace, "created_at": text})
    assert model.created_at == text == model.to_struct().created_at


def test_forbidden_operations_that_are_tools_pass() -> None:
    policy = SystemPolicy(
        policy_id="p", domain="finance", description="d", rules=("r",), forbidden_operations=("finance.run_ledger_job",)
    )
    assert policy.forbidden_operations == ("finance.run_ledger_job",)


@pytest.mark.parametrize(
    ("type_", "constraints", "value", "problem"),
    [
        ("integer", {}, True, "is no integer"),
        ("integer", {}, "5", "is no integer"),
        ("integer", {"min": 1, "max": 5}, 6, "is not in 1..5"),
        ("string", {"max_length": 3}, "four", "is not in None..3"),
        ("string", {"enum": ["a"]}, "b", "is not one of"),
    ],
)
def test_a_parameter_says_what_is_wrong(type_: Any, constraints: dict[str, Any], value: Any, problem: str) -> None:
    parameter = ToolParameter(name="x", type=type_, constraints=constraints)
    assert problem in (parameter.problem(value) or "")
