import math

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.columns import StructColumns
from gatling_beam.sample import DeadLetter, Energies, Sample


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_samples_come_back_equal(strategies, data):
    rows = data.draw(st.lists(strategies.structs(Sample), max_size=5))
    columns = StructColumns(Sample)
    table = columns.encode(rows)
    assert table.num_rows == len(rows)
    table.validate(full=True)
    assert list(columns.decode(table)) == rows


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_slices_and_concatenations_come_back_equal(strategies, data):
    rows = data.draw(st.lists(strategies.structs(Sample), min_size=4, max_size=6))
    columns = StructColumns(Sample)
    table = pa.concat_tables([columns.encode(rows[:2]), columns.encode(rows[2:])])
    assert list(columns.decode(table)) == rows
    assert list(columns.decode(table.slice(1, 2))) == rows[1:3]
    assert list(columns.decode(table.take(pa.array([3, 0])))) == [rows[3], rows[0]]


@given(st.data())
def test_dead_letters_come_back_equal(strategies, data):
    rows = data.draw(st.lists(strategies.structs(DeadLetter), max_size=3))
    columns = StructColumns(DeadLetter)
    assert list(columns.decode(columns.encode(rows))) == rows


def test_a_null_struct_stays_null_and_its_columns_are_typed():
    columns = StructColumns(Sample)
    energies = columns.schema.field("energies").type
    assert energies == pa.struct([(name, pa.float64()) for name in Energies.__struct_fields__])
    arguments = columns.schema.field("execution_plan").type.field("nodes").type.value_type.field("arguments").type
    assert arguments == pa.string()


def test_a_field_without_column_form_is_refused_at_construction():
    class Odd(msgspec.Struct):
        value: set[int]

    with pytest.raises(TypeError, match="no column form"):
        StructColumns(Odd)


def test_a_missing_column_is_an_error():
    class Small(msgspec.Struct):
        a: int
        b: float

    table = StructColumns(Small).encode([Small(1, math.pi)]).drop(["b"])
    with pytest.raises(KeyError):
        list(StructColumns(Small).decode(table))
