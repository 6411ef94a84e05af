from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from gatling_beam.errors import BadRow
from gatling_beam.sources.tools import KNOWN_TYPE_WORDS, Parameter, parameters, tools_of, unwrap_tools


def test_json_schema() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "to": {"type": "STRING"},
            "n": {"type": ["integer", "null"], "default": 3},
            "unit": {"type": "string", "enum": ["c", "f"]},
        },
        "required": ["to"],
    }
    assert parameters({"name": "f", "parameters": schema}) == {
        "to": Parameter("string", True),
        "n": Parameter("integer", False, 3),
        "unit": Parameter("string", False, UNSET, ("c", "f")),
    }


def test_flat_map() -> None:
    described = {
        "port": {"description": "Port name.", "type": "str", "default": ""},
        "after": {"type": "str, optional", "default": "00:00"},
        "values": {"type": "List[Union[int, float]]"},
        "include": {"type": "Dict[str, Any], optional"},
        "maybe": {"type": "Optional[int]"},
        "type": {"type": "bool"},
        "properties": {"type": "Tuple[int, str]", "description": "a parameter that is called so"},
    }
    assert parameters({"name": "f", "parameters": described}) == {
        "port": Parameter("string", True, ""),
        "after": Parameter("string", False, "00:00"),
        "values": Parameter("array", True),
        "include": Parameter("object", False),
        "maybe": Parameter("integer", True),
        "type": Parameter("boolean", True),
        "properties": Parameter("array", True),
    }


@pytest.mark.parametrize("member", ["query_parameters", "arguments", "parameters"])
def test_nestful(member: str) -> None:
    described = {"text": {"type": "string", "required": True}, "seats": {"type": "number", "required": False}}
    assert parameters({"name": "f", member: described}) == {
        "text": Parameter("string", True),
        "seats": Parameter("number", False),
    }


def test_taskbench() -> None:
    tool = {"task": "send_sms", "arguments": [{"name": "content", "type": "string", "desc": "text"}]}
    assert parameters(tool) == {"content": Parameter("string", True)}
    model = {"task": "Translation", "input-type": ["text"], "output-type": ["text"]}
    assert parameters(model) == {"_0": Parameter("string", True)}


def test_toolbench_instruction() -> None:
    tool = {
        "required_parameters": [{"name": "id", "type": "STRING", "default": "RHO"}],
        "optional_parameters": [{"name": "day", "type": "NUMBER"}],
    }
    assert parameters(tool) == {"id": Parameter("string", True, "RHO"), "day": Parameter("number", False)}


@pytest.mark.parametrize(
    "described", [None, [], {}, "none", 3, {"type": "object"}, {"type": "object", "properties": []}]
)
def test_no_parameters(described: Any) -> None:
    assert parameters({"name": "f", "parameters": described}) == {}


def test_a_type_word_that_nobody_knows_stays_as_it_is_written() -> None:
    found = parameters({"parameters": {"type": "object", "properties": {"x": {"type": "Frobnicator"}}}})
    assert found["x"].type == "Frobnicator"
    assert found["x"].type not in KNOWN_TYPE_WORDS


def test_every_meaning_is_a_known_word() -> None:
    assert set(KNOWN_TYPE_WORDS.values()) <= set(KNOWN_TYPE_WORDS)


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.sampled_from(["optional", "Optional[Optional[int", "Optional[" * 5000]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["parameters", "properties", "required", "type", "name", "enum", "arguments", "input-type"])
            | st.sampled_from(["required_parameters", "optional_parameters", "default"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["parameters", "query_parameters", "required_parameters", "arguments"]), ANY))
def test_a_malformed_schema_never_raises(tool: dict[str, Any]) -> None:
    for name, parameter in parameters(tool).items():
        assert isinstance(name, str) and isinstance(parameter, Parameter)


def test_unwrap_tools() -> None:
    bare = {"name": "f", "parameters": {}}
    assert unwrap_tools([{"type": "function", "function": bare}, bare, "g"]) == [bare, bare, {"name": "g"}]
    assert unwrap_tools(None) == []
    assert unwrap_tools(bare) == [bare]
    with pytest.raises(BadRow, match="wrong_type"):
        unwrap_tools([3])


def test_tools_of_tells_no_declaration_from_an_empty_one() -> None:
    assert tools_of(None) is None
    assert tools_of("") is None
    assert tools_of("[]") == []
