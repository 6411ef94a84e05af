"""A trace that passes every validator, or its dead letter."""

import msgspec

from gatling_beam.errors import BadRow, dead_letter, printable
from gatling_beam.oracle.convert import SOURCE
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter, SourceRow
from gatling_beam.validate import trace_problems

STAGE = "validate_traces"
_MAX_ID = 200


def check_trace(trace: GoldTrace, stage: str = STAGE) -> GoldTrace | DeadLetter:
    """The trace marked as validated, or a dead letter `invalid_trace` of `stage` that names every rule it breaks.

    The dead letter's payload begins with the trace as JSON, or as Python prints it where it cannot be JSON. Its
    location is the trace id.
    """
    problems = trace_problems(trace)
    if not problems:
        return trace if trace.validated else msgspec.structs.replace(trace, validated=True)
    found = "; ".join(f"{one.rule} {one.call_id}: {one.detail}" for one in problems)
    row = SourceRow(source=SOURCE, data=_json(trace), location=printable(str(trace.trace_id), _MAX_ID))
    return dead_letter(row, stage, BadRow("invalid_trace", found))


def _json(trace: GoldTrace) -> bytes:
    try:
        return msgspec.json.encode(trace)
    except (TypeError, ValueError, OverflowError, RecursionError):  # the trace is malformed
        return repr(trace).encode("utf-8", "backslashreplace")
