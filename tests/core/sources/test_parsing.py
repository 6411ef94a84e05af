import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.errors import BadRow
from gatling_beam.sources.base import Call
from gatling_beam.sources.parsing import (
    arguments_of,
    at_path,
    call_of,
    decoded,
    decoded_list,
    parse_row,
    row_id,
    without_nulls,
    without_thoughts,
)
from gatling_beam.sources.python_text import closing, loose_arguments, python_arguments, python_calls, split_arguments
from gatling_beam.sources.session import Session, result_value


@pytest.mark.parametrize(
    "text, value",
    [
        ('{"a": [1, null, true]}', {"a": [1, None, True]}),
        ('"{\\"a\\": 1}"', {"a": 1}),  # JSON inside JSON
        ("{'a': None, 'b': True, \"c\": \"it's\"}", {"a": None, "b": True, "c": "it's"}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('{"a": 18446744073709551616}', {"a": 2**64}),
        (" [1] ", [1]),
    ],
)
def test_decoded(text: str, value: Any) -> None:
    assert decoded(text, "x") == value


def test_decoded_keeps_what_json_cannot_say_for_the_gate_to_refuse() -> None:
    assert math.isnan(decoded('{"a": NaN}', "x")["a"])
    assert decoded('["\\ud800"]', "x") == ["\ud800"]


@pytest.mark.parametrize(
    "text", ["", "hello", "{", '"just text"', "{'a': true}", "f(x)", "__import__('os')", "1+1", "\x00", "-" * 100 + "1"]
)
def test_what_is_neither_json_nor_a_literal_is_refused(text: str) -> None:
    with pytest.raises(BadRow, match="not_json"):
        decoded(text, "x")


def test_literals_that_could_hurt_the_parser_are_not_parsed() -> None:
    for text in ("[" * 90 + "'a'" + "]" * 90, "['" + "a" * 1_000_001 + "']", "{'a': 1" + "+1" * 100_000 + "}"):
        with pytest.raises(BadRow, match=r"not_json|too_deep"):
            decoded(text, "x")


def test_decoded_list() -> None:
    assert decoded_list(None, "x") == decoded_list("", "x") == decoded_list("null", "x") == []
    assert decoded_list('{"a": 1}', "x") == [{"a": 1}]
    with pytest.raises(BadRow, match="wrong_type"):
        decoded_list("3", "x")


def test_arguments_are_an_object_or_a_bad_row() -> None:
    assert arguments_of(None) == arguments_of(" ") == arguments_of("{}") == {}
    assert arguments_of("\"{'a': 1}\"") == {"a": 1}
    for broken in ("{", "[1]", [1], 3, "3", "none"):
        with pytest.raises(BadRow, match="bad_arguments"):
            arguments_of(broken)


@pytest.mark.parametrize(
    "value",
    [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"id": "c1", "function_call": {"name": "f", "arguments": {"a": 1}}},
        {"id": "c1", "name": "f", "parameters": {"a": 1}},
    ],
)
def test_call_of(value: dict[str, Any]) -> None:
    assert call_of(value, turn=3) == Call("f", {"a": 1}, turn=3, call_id="c1")


@pytest.mark.parametrize("value", [None, "f()", {}, {"name": ""}, {"name": " "}, {"name": 3}, {"function": "f"}])
def test_a_call_without_a_name_is_refused(value: Any) -> None:
    with pytest.raises(BadRow, match="bad_call"):
        call_of(value)


def test_parse_row() -> None:
    assert parse_row(b'{"a": "two\nlines"}') == {"a": "two\nlines"}
    for data, reason in [
        (b"{", "not_json"),
        (b"[1]", "wrong_type"),
        (b"\xff", "not_json"),
        (b"[" * 200_000, "too_deep"),
    ]:
        with pytest.raises(BadRow, match=reason):
            parse_row(data)


def test_at_path_decodes_on_the_way() -> None:
    assert at_path({"a": '{"b": {"c": 1}}'}, "a.b.c") == 1
    for path in ("x", "a.x"):
        with pytest.raises(BadRow, match="missing_column"):
            at_path({"a": {}}, path)


def test_row_id() -> None:
    assert [row_id({"id": value}) for value in ("x", 7, "", None, True, 1.5, 10**5000)] == ["x", "7", *[None] * 5]


def test_without_thoughts() -> None:
    assert without_thoughts("a<think>b</think>c<think>d") == "ac"
    assert without_thoughts("plain") == "plain"


def test_without_nulls_keeps_what_is_false() -> None:
    assert without_nulls({"a": None, "b": [None, {"c": None, "d": 0}], "e": False}) == {"b": [{"d": 0}], "e": False}


@pytest.mark.parametrize(
    "text, names, calls",
    [
        ('[A b(x="1"), c.d/e()]', (), [("A b", {"x": "1"}), ("c.d/e", {})]),
        ("f(a=1)\ng(b=[1, 2])", (), [("f", {"a": 1}), ("g", {"b": [1, 2]})]),
        (
            '[Directional Movement Index (DX)(symbol="Tesla", interval="1day")]',
            (),
            [("Directional Movement Index (DX)", {"symbol": "Tesla", "interval": "1day"})],
        ),
        ("[I (A), I (A)(x=1)]", ("I (A)",), None),
        ("[Index (X)(a=1), Index(b=2)]", ("Index", "Index (X)"), [("Index (X)", {"a": 1}), ("Index", {"b": 2})]),
        ("f(a=true, b=null, c=[false])", (), [("f", {"a": True, "b": None, "c": [False]})]),
        ("sort('x', 2)", (), [("sort", {"_0": "x", "_1": 2})]),
        ("f(a=x/y-z, b=g(1), c=-1, d='é'+'ü', e=naïve/é)", (), None),
        ("", (), []),
        ("[]", (), []),
    ],
)
def test_python_calls(text: str, names: tuple[str, ...], calls: list[tuple[str, dict[str, Any]]] | None) -> None:
    if calls is None:
        calls = {
            "[I (A), I (A)(x=1)]": [("I", {"_0": "A"}), ("I (A)", {"x": 1})],
            "f(a=x/y-z, b=g(1), c=-1, d='é'+'ü', e=naïve/é)": [
                ("f", {"a": "x/y-z", "b": "g(1)", "c": -1, "d": "'é'+'ü'", "e": "naïve/é"})
            ],
        }[text]
    assert python_calls(text, names) == calls


@pytest.mark.parametrize("text", ["no call", "f(", "f(a=1) and more", "(x)", "f(a=')", "f(a=[1)]"])
def test_what_is_no_call_is_refused(text: str) -> None:
    with pytest.raises(BadRow, match="bad_call"):
        python_calls(text)


def test_nothing_is_evaluated() -> None:
    assert python_arguments("a=__import__('os').getcwd()") == {"a": "__import__('os').getcwd()"}


def test_a_message_with_too_many_calls_is_refused() -> None:
    with pytest.raises(BadRow, match="too_many_nodes"):
        python_calls("f()\n" * 1001)


def test_loose_arguments() -> None:
    assert loose_arguments("a='x', 'y', b=c/d, **{'e': 1}, *args, **kw, f=[1, 2]") == {
        "a": "x",
        "_1": "y",
        "b": "c/d",
        "e": 1,
        "f": [1, 2],
    }


def test_split_arguments() -> None:
    assert split_arguments("a, (b, c), 'd, e', {f, [g]},") == ["a", "(b, c)", "'d, e'", "{f, [g]}"]


def test_closing() -> None:
    assert closing("f('()', [1]) x", 1) == 12
    assert [closing(text, 0) for text in ("(", "('", "(]", "(')')")] == [-1, -1, -1, 5]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[A-Za-z_][\w. /]{0,10}\w", fullmatch=True),
            st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,6}x", fullmatch=True), JSON, max_size=4),
        ),
        max_size=4,
    )
)
def test_calls_that_are_written_are_read_again(calls: list[tuple[str, dict[str, Any]]]) -> None:
    written = [
        f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})" for name, arguments in calls
    ]
    finite = "inf" not in "".join(written)
    if finite:
        assert python_calls("[" + ", ".join(written) + "]") == calls
        assert python_calls("\n".join(written)) == calls


def test_results_are_paired_by_order_only_where_it_is_clear() -> None:
    def session(results: list[str]) -> list[Any]:
        talk = Session()
        talk.user("x")
        talk.call(*[Call(name, {}, talk.assistant()) for name in ("a", "b")])
        for result in results:
            talk.result(result)
        return [call.result for call in talk.finish()[1]]

    assert session(["1", "2"]) == ["1", "2"]
    assert session(['{"x": 1}\n{"x": 2}']) == [{"x": 1}, {"x": 2}]
    assert session(['[{"name": "a", "results": 3}, {"name": "b", "results": 4}]']) == [3, 4]
    assert session(["only one"]) == session(["1", "2", "3"]) == session([]) == [None, None]


def test_a_new_request_ends_the_wait_for_results() -> None:
    talk = Session()
    talk.call(Call("a", {}, talk.assistant()))
    talk.user("never mind")
    talk.call(Call("b", {}, talk.assistant()))
    talk.result("done")
    assert [call.result for call in talk.finish()[1]] == [None, "done"]


def test_result_value() -> None:
    assert result_value('{"name": "f", "content": "{\\"cm\\": 1}"}') == {"cm": 1}
    assert result_value("{'ok': True}") == {"ok": True}
    assert result_value("{broken") == "{broken"
    assert result_value({"name": "Ana", "age": 3}) == {"name": "Ana", "age": 3}
