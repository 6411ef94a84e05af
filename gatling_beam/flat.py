"""The flat row for Beam SQL, Beam YAML and other languages: scalar columns, and the rest as JSON text."""

from typing import Any, NamedTuple

from gatling_beam.json_rows import JsonRows
from gatling_beam.json_value import json_text
from gatling_beam.sample import Sample

_LINES = JsonRows(Sample)


class PlanRow(NamedTuple):
    """A sample as a flat row.

    `source` is the source's short name, `plan_json` the execution plan and `sample_json` the whole sample, both in the
    form of a stored line of JSON. `split` is None where none is assigned.
    """

    sample_id: str
    intent_hash: str
    source: str
    tier: str
    split: str | None
    label: str
    language: str
    request: str
    num_nodes: int
    plan_json: str
    sample_json: str


def to_row(sample: Sample) -> PlanRow:
    """The flat row of a sample."""
    return PlanRow(
        sample_id=sample.sample_id,
        intent_hash=sample.intent_hash,
        source=sample.source.name,
        tier=sample.tier,
        split=sample.split,
        label=sample.label,
        language=sample.language,
        request=sample.request,
        num_nodes=len(sample.execution_plan.nodes),
        plan_json=json_text(sample.execution_plan),
        sample_json=_LINES.encode(sample).decode(),
    )


def from_row(row: Any) -> Sample:
    """The sample of a flat row: `from_row(to_row(sample)) == sample`.

    Only `sample_json` is read, so `row` may be of any class that has it (a row comes back from a worker, or from
    another language, as another class than `PlanRow`); what was changed in the other columns is not.

    Raises:
      msgspec.DecodeError: if `sample_json` is not a sample.
    """
    return _LINES.decode(row.sample_json.encode())
