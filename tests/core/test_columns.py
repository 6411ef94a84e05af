import math

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.columns import StructColumns
from gatling_beam.sample import DeadLetter, Energies, Sample

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
finite = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | finite | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(text, json_values, max_size=3)


def structs(cls: type) -> st.SearchStrategy:
    """Any value of a Struct, built from its annotations, with free-form objects of JSON values."""
    import types
    from enum import IntEnum
    from typing import Union, get_args, get_origin, get_type_hints

    def of(hint):
        origin, args = get_origin(hint), get_args(hint)
        if origin in (Union, types.UnionType):
            return st.none() | of(next(a for a in args if a is not type(None)))
        if origin is tuple:
            if args[1] is Ellipsis:
                return st.lists(of(args[0]), max_size=3).map(tuple)
            return st.tuples(*map(of, args))
        if origin is dict:
            return objects
        if hint is float:
            return finite
        if hint is int:
            return st.integers(-(2**63), 2**63 - 1)
        if hint is bool:
            return st.booleans()
        if hint is str:
            return text
        if issubclass(hint, IntEnum):
            return st.sampled_from(list(hint))
        return structs(hint)

    hints = get_type_hints(cls)
    return st.builds(cls, **{name: of(hints[name]) for name in cls.__struct_fields__})


@settings(deadline=None, max_examples=60)
@given(st.lists(structs(Sample), max_size=5))
def test_samples_come_back_equal(rows):
    columns = StructColumns(Sample)
    table = columns.encode(rows)
    assert table.num_rows == len(rows)
    table.validate(full=True)
    assert list(columns.decode(table)) == rows


@settings(deadline=None, max_examples=30)
@given(st.lists(structs(Sample), min_size=4, max_size=6))
def test_slices_and_concatenations_come_back_equal(rows):
    columns = StructColumns(Sample)
    table = pa.concat_tables([columns.encode(rows[:2]), columns.encode(rows[2:])])
    assert list(columns.decode(table)) == rows
    assert list(columns.decode(table.slice(1, 2))) == rows[1:3]
    assert list(columns.decode(table.take(pa.array([3, 0])))) == [rows[3], rows[0]]


@given(st.lists(structs(DeadLetter), max_size=3))
def test_dead_letters_come_back_equal(rows):
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
