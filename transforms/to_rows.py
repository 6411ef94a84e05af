"""`ToRows` and `FromRows`: samples as flat rows, for Beam SQL, Beam YAML and other languages, and back."""

from typing import Any

import apache_beam as beam
from apache_beam import coders
from apache_beam.typehints.row_type import RowTypeConstraint
from apache_beam.typehints.typehints import UnionConstraint

import gatling_beam.transforms._coders  # noqa: F401
from gatling_beam.flat import PlanRow, from_row, to_row
from gatling_beam.sample import Sample

coders.registry.register_row(PlanRow)


@beam.typehints.with_input_types(Sample)
@beam.typehints.with_output_types(PlanRow)
class ToRows(beam.PTransform):
    """PCollection[Sample] -> PCollection[PlanRow], rows with a Beam schema (see `gatling_beam.flat.PlanRow`).

    On a worker in another process a row is an object of another class with the same attributes: use `row.source`,
    never `isinstance`.
    """

    def expand(self, samples: beam.PCollection[Sample]) -> beam.PCollection[PlanRow]:
        return samples | "ToRow" >> beam.Map(to_row).with_output_types(PlanRow)


@beam.typehints.with_output_types(Sample)
class FromRows(beam.PTransform):
    """PCollection of rows with a column `sample_json` -> PCollection[Sample]: the inverse of `ToRows`.

    Other columns are not looked at, so a filter in SQL keeps samples as they are and a changed column changes nothing.

    Raises:
      TypeCheckError: at construction, for elements that are known to have no column `sample_json`.
    """

    def expand(self, rows: beam.PCollection) -> beam.PCollection[Sample]:
        _require_column(rows.element_type)
        return rows | "FromRow" >> beam.Map(from_row).with_output_types(Sample)


def _require_column(element_type: Any) -> None:
    """Refuses elements that cannot be rows with `sample_json`; of Any, and of a choice of types, nothing is known."""
    if element_type in (Any, beam.typehints.Any) or isinstance(element_type, UnionConstraint):
        return
    row = element_type
    if not isinstance(row, RowTypeConstraint):
        row = RowTypeConstraint.from_user_type(element_type)
    names = [name for name, _ in row._fields] if row else []
    if "sample_json" not in names:
        columns = f"columns {', '.join(names)}" if names else "no columns"
        raise beam.typehints.TypeCheckError(
            f"FromRows takes rows with a column sample_json, as ToRows makes them; {element_type} has {columns}"
        )
