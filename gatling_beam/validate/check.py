"""A trace that passes every validator, or its dead letter."""

import msgspec

from gatling_beam.errors import BadRow, dead_letter
from gatling_beam.oracle.convert import SOURCE
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter, SourceRow
from gatling_beam.validate import trace_problems

STAGE = "validate_traces"


def check_trace(trace: GoldTrace) -> GoldTrace | DeadLetter:
    """The trace marked as validated, or a dead letter `invalid_trace` that names every rule it breaks.

    The dead letter's payload begins with the trace as JSON; its location is the trace id.
    """
    problems = trace_problems(trace)
    if not problems:
        return trace if trace.validated else msgspec.structs.replace(trace, validated=True)
    found = "; ".join(f"{one.rule} {one.call_id}: {one.detail}" for one in problems)
    row = SourceRow(source=SOURCE, data=msgspec.json.encode(trace), location=trace.trace_id)
    return dead_letter(row, STAGE, BadRow("invalid_trace", found))
