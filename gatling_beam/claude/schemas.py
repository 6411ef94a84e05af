"""What Claude answers, one schema a phase: flat, without optional parts, so that the API compiles each once.

Numbers of items and lengths are not enforced by the API's grammar: `gatling_beam.claude.group` looks at them.
"""

from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from gatling_beam.claude.calls import Phase


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class WrittenRequest(_Part):
    """The request of case `n`."""

    n: int
    text: str


class RequestsAnswer(_Part):
    """The phases `requests` and `reword`."""

    requests: list[WrittenRequest]


class Argument(_Part):
    """An argument of a call; more than one value where it takes a list."""

    name: str
    values: list[str]


class PlannedCall(_Part):
    """A call. `after` and `only_if` hold ids of earlier calls."""

    id: str
    tool: str
    arguments: list[Argument]
    after: list[str]
    only_if: list[str]


class PlannedGraph(_Part):
    """The plan of case `n`."""

    n: int
    calls: list[PlannedCall]


class GraphsAnswer(_Part):
    """The phase `graphs`."""

    graphs: list[PlannedGraph]


class Verdict(_Part):
    """What a reader thinks of the plan of case `n`."""

    n: int
    compliant: bool
    minimal: bool
    reason: str


class ComplianceAnswer(_Part):
    """The phase `compliance`."""

    verdicts: list[Verdict]


SCHEMAS: dict[Phase, type[BaseModel]] = {
    "requests": RequestsAnswer,
    "reword": RequestsAnswer,
    "graphs": GraphsAnswer,
    "compliance": ComplianceAnswer,
}


@cache
def output_format(phase: Phase) -> dict[str, Any]:
    """The `output_config.format` of a phase. It is shared: not to be changed."""
    import anthropic  # takes a second, and only who asks needs it

    return {"type": "json_schema", "schema": anthropic.transform_schema(SCHEMAS[phase])}
