"""`AuditRows` gives what the plain function gives, wherever the rows are gathered."""

from collections.abc import Callable
from typing import Any

import apache_beam as beam
import pytest

from gatling_beam.audit.result import AuditResult
from gatling_beam.audit.run import audit_files
from gatling_beam.domains.loader import domain_names
from gatling_beam.families.build import Made, crossings
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.shard import gold_traces
from gatling_beam.sample import Sample
from gatling_beam.transforms import AuditRows

OPTIONS = {"min_rows": 10, "max_rows": 20, "cap": 40}


@pytest.fixture(scope="module")
def rows() -> list[Sample]:
    """Rows of two strategies, of which one exceeds the cap."""
    anchors = [trace_to_sample(trace) for trace in gold_traces(4, domain_names(), 0, 300)]
    made = [
        one
        for anchor in anchors
        for one in crossings(
            anchor, seed=3, strategies=["exfiltration_pivot", "provenance_rug_pull"], k=1, difficulty="hard"
        )
        if isinstance(one, Made)
    ]
    found = [row for one in made for row in one.rows]
    assert sum(row.mutation.strategy == "exfiltration_pivot" for row in found) > OPTIONS["cap"]
    return found


@pytest.fixture(scope="module")
def expected(rows: list[Sample]) -> bytes:
    """The audit of the rows without places: a file each."""
    return audit_files([[row] for row in rows], **OPTIONS).json()


@pytest.mark.parametrize(
    "flags",
    [(), ("--direct_num_workers=2", "--direct_running_mode=multi_processing")],
    ids=["in process", "two workers"],
)
def test_it_is_the_audit_of_the_rows_without_places(
    run_pipeline: Callable[..., Any], rows: list[Sample], expected: bytes, flags: tuple[str, ...]
) -> None:
    def build(pipeline: beam.Pipeline) -> dict[str, Any]:
        parts = [
            pipeline
            | f"Part{k}" >> beam.Create(rows[k::3]).with_output_types(Sample)
            | f"Spread{k}" >> beam.Reshuffle()
            for k in range(3)
        ]
        result = tuple(parts) | "AllRows" >> beam.Flatten() | "Audit" >> AuditRows(**OPTIONS)
        return {"audits": (result, AuditResult)}

    (result,) = run_pipeline(build, *flags)["audits"]
    assert result.json() == expected
    assert len(result.figures) > 20 and not any(figure.view == "order" for figure in result.figures)


def test_no_rows_give_one_result_too(run_pipeline: Callable[..., Any]) -> None:
    def build(pipeline: beam.Pipeline) -> dict[str, Any]:
        return {"audits": (pipeline | beam.Create([]).with_output_types(Sample) | AuditRows(), AuditResult)}

    assert run_pipeline(build)["audits"] == [audit_files([])]


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"min_rows": 1}, ValueError, "min_rows=1"),
        ({"min_rows": 8_001}, ValueError, "min_rows=8001, max_rows=16000"),
        ({"cap": 11_999}, ValueError, "cap=11999: use 2 <= min_rows, 2 \\* min_rows <= max_rows <= cap"),
        ({"cap": True}, TypeError, "cap=True is not a whole number"),
        ({"max_rows": "all"}, TypeError, "max_rows='all' is not a whole number"),
    ],
)
def test_arguments_out_of_range_are_named(options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        AuditRows(**options)
