"""Gold rows, and what a test changes of them."""

from types import SimpleNamespace

import msgspec
import pytest

from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle

replace = msgspec.structs.replace


@pytest.fixture(scope="session")
def gold():
    """2,000 gold rows over all domains."""
    oracle = TemplateOracle(1, domain_names())
    return [trace_to_sample(oracle.trace(number)) for number in range(2_000)]


@pytest.fixture(scope="session")
def banking():
    """1,500 gold rows of the bank."""
    oracle = TemplateOracle(4, ["banking"])
    return [trace_to_sample(oracle.trace(number)) for number in range(1_500)]


def first(rows, task, wanted=lambda row, policy: True):
    """The first row of a task that fits."""
    for row in rows:
        policy = domain(row.category).policy(row.governance_context.policy_id)
        if row.metadata["gold"]["metadata"]["task"] == task and wanted(row, policy):
            return row
    raise AssertionError(f"no such row of {task}")


def with_arguments(row, k, drop=(), **arguments):
    """The row with other arguments of node `k`."""
    nodes = list(row.execution_plan.nodes)
    kept = {name: value for name, value in nodes[k].arguments.items() if name not in drop}
    nodes[k] = replace(nodes[k], arguments=kept | arguments)
    return replace(row, execution_plan=replace(row.execution_plan, nodes=tuple(nodes)))


def with_tool(row, k, tool, arguments=None):
    """The row with another call as node `k`."""
    nodes = list(row.execution_plan.nodes)
    nodes[k] = replace(nodes[k], tool_name=tool, arguments=nodes[k].arguments if arguments is None else arguments)
    return replace(row, execution_plan=replace(row.execution_plan, nodes=tuple(nodes)))


def with_entry(row, k, **fields):
    """The row with another permitted call `k`."""
    calls = [dict(call) for call in row.warrant["calls"]]
    calls[k] |= fields
    return replace(row, warrant={"calls": calls})


def with_policy(row, policy_id):
    """The row under another policy."""
    return replace(row, governance_context=replace(row.governance_context, policy_id=policy_id))


def under(row, **changes):
    """The row under its policy with changed rules."""
    said = "".join(f"~{name}={value}" for name, value in changes.items())
    return with_policy(row, row.governance_context.policy_id + said)


def with_facts(row, change):
    """The row with `change(fact)` in the place of each fact; None drops it."""
    facts = [new for fact in row.governance_context.session_context["facts"] if (new := change(fact))]
    return replace(row, governance_context=replace(row.governance_context, session_context={"facts": facts}))


def with_text(row, tier, text=None):
    """The row with its retrieved texts of this tier, and with these words."""
    own, *texts = row.contexts
    texts = [replace(one, tier=tier, text=one.text if text is None else text) for one in texts]
    return replace(row, contexts=(own, *texts))


@pytest.fixture(scope="session")
def make():
    """The functions above."""
    names = (first, with_arguments, with_tool, with_entry, with_policy, under, with_facts, with_text)
    return SimpleNamespace(replace=replace, **{function.__name__: function for function in names})
