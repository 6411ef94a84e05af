"""Whether the plan of a row is a well-formed directed acyclic graph."""

from gatling_beam.errors import BadRow, dead_letter
from gatling_beam.graph import plan_problem
from gatling_beam.json_value import json_bytes
from gatling_beam.sample import DeadLetter, Sample, SourceRow

STAGE = "validate"


def validate_sample(sample: Sample, *, connected: bool = True) -> Sample | DeadLetter:
    """`sample` itself, or its dead letter with the reason of `graph.plan_problem`.

    Args:
      sample: any row.
      connected: whether a plan that falls into several parts is refused.
    """
    problem = plan_problem(sample.execution_plan, connected=connected)
    if problem is None:
        if len(sample.edge_evidence) == len(sample.execution_plan.edges):
            return sample
        problem = (
            "wrong_type",
            f"{len(sample.edge_evidence)} edge_evidence for {len(sample.execution_plan.edges)} edges",
        )
    source = sample.source
    row = SourceRow(
        source.name, json_bytes(sample.execution_plan), source.row_id, source.config, source.split, source.revision
    )
    return dead_letter(row, STAGE, BadRow(*problem))
