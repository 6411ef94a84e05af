import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.errors import BadRow
from gatling_beam.json_value import canonical_value, check_text, json_bytes, json_text, json_value

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=6)
    | st.binary(max_size=3)
    | st.complex_numbers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        | st.frozensets(st.integers(), max_size=2)
    ),
    max_leaves=8,
)


@given(anything)
def test_whatever_passes_the_gate_round_trips_to_equal_bytes(value):
    try:
        passed = json_value(value)
    except BadRow:
        return
    packed = msgspec.msgpack.encode(passed, order="deterministic")
    assert msgspec.msgpack.decode(packed) == passed
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(packed), order="deterministic") == packed
    assert msgspec.json.decode(json_bytes(passed)) == passed
    assert json_value(passed) == passed
    assert json_bytes(canonical_value(canonical_value(passed))) == json_bytes(canonical_value(passed))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (2**64, "int_out_of_range"),
        (-(2**63) - 1, "int_out_of_range"),
        (math.nan, "non_finite"),
        (math.inf, "non_finite"),
        ("\ud800", "lone_surrogate"),
        ({"\udfff": 1}, "lone_surrogate"),
        ("a\x00b", "nul_character"),
        ({1: 2}, "non_string_key"),
        ({1, 2}, "not_a_json_value"),
        (b"x", "not_a_json_value"),
        (1j, "not_a_json_value"),
        (..., "not_a_json_value"),
        ("x" * 1_000_001, "too_large"),
        (["x" * 1000] * 1001, "too_large"),
    ],
)
def test_each_refusal_has_its_reason(value, reason):
    with pytest.raises(BadRow) as caught:
        json_value({"a": [value]})
    assert caught.value.reason == reason


def test_the_depth_limit_is_64_levels():
    def nested(levels):
        value = 1
        for _ in range(levels):
            value = [value]
        return value

    assert json_value(nested(64)) == nested(64)
    with pytest.raises(BadRow, match="too_deep"):
        json_value(nested(65))
    deep = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(BadRow, match="too_deep"):
        json_value(deep)


def test_the_limits_of_integers_pass():
    assert json_value([2**64 - 1, -(2**63)]) == [2**64 - 1, -(2**63)]


def test_tuples_are_lists_and_the_input_is_not_changed():
    value = {"a": (1, (2, 3))}
    assert json_value(value) == {"a": [1, [2, 3]]}
    assert value == {"a": (1, (2, 3))}


def test_equal_values_have_one_canonical_form():
    assert json_text(canonical_value({"b": -0.0, "a": [5.0, "e\u0301", True]})) == '{"a":[5,"\u00e9",true],"b":0}'
    assert canonical_value(0.5) == 0.5
    assert json_text(canonical_value(1e19)) == "10000000000000000000"
    assert canonical_value({"caf\u00e9": 1, "cafe\u0301": 2}) == {"caf\u00e9": 1, "cafe\u0301": 2}
    assert json_text(canonical_value(1e300)) == "1e300"
    assert canonical_value(True) is True


def test_text_is_checked_with_its_name():
    assert check_text("ok", "the request") == "ok"
    with pytest.raises(BadRow, match="the request is of type int"):
        check_text(5, "the request")
    with pytest.raises(BadRow, match="more than 3 bytes"):
        check_text("\u00e9\u00e9", "the request", 3)
