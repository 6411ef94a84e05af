"""Validators of gold traces: each is a pure function from a trace to the problems it finds."""

from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.validate.declared import declared_problems
from gatling_beam.validate.minimal import minimal_problems
from gatling_beam.validate.policy import policy_problems
from gatling_beam.validate.problem import Problem
from gatling_beam.validate.schema import schema_problems
from gatling_beam.validate.structure import structure_problems

__all__ = [
    "Problem",
    "declared_problems",
    "minimal_problems",
    "policy_problems",
    "schema_problems",
    "structure_problems",
    "trace_problems",
]


def trace_problems(trace: GoldTrace) -> list[Problem]:
    """All problems of a trace: its structure, then its calls against their schemas, the policy, the
    warrant and the request, and what its metadata declares.

    A trace whose structure or schema is broken is not looked at further: what it would do cannot be said.
    """
    for check in (structure_problems, schema_problems):
        if problems := list(check(trace)):
            return problems
    return [*policy_problems(trace), *minimal_problems(trace), *declared_problems(trace)]
