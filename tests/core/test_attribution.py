import pytest

from gatling_beam.attribution import Results, Wording, leaves, literal_text, referenced_calls
from gatling_beam.sources.base import Call


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("Meet on 2026-05-18 at noon", "20", False),
        ("Meet on 2026-05-18 at noon", 5, False),
        ("Meet on 2026-05-18 at noon", "2026-05-18", True),
        ("It costs $20, tip included.", 20, True),
        ("It costs $20.", "20", True),
        ("Send 1,000 copies", 1000, True),
        ("Send 1000 copies", 1000.0, True),
        ("A ratio of 0.25", 0.25, True),
        ("A ratio of 0.25", 25, False),
        ("Open the NORTH gate", "north", True),
        ("Go northwards", "north", False),
        ("the New York-based team", "New York", True),
        ("mail ana@example.com now", "ana@example.com", True),
        ("mail ana@example.com now", "bo@example.com", False),
        ("花蓮和台東的天氣如何?", "花蓮", True),
        ("İzmir'de yağmur var mı?", "İzmir", True),
        ("version v1.2 please", "v1.2", True),
        ("flat 12B", "12", False),
        ("a 30-day trial", 30, True),
        ("on 2026-05", 2026, False),
        ("anything", "", False),
        ("true enough", True, False),
        ("null", None, False),
        ("[] {}", [], False),
        ("order #W12 (today)", "#W12", True),
    ],
)
def test_literals_are_looked_up_as_whole_tokens(text, value, holds):
    assert Wording(text).holds(value) is holds


def test_leaves_have_json_pointers():
    value = {"a": [1, {"b/c": None, "d~e": "x"}], "f": {}, "g": []}
    assert list(leaves(value)) == [("/a/0", 1), ("/a/1/b~1c", None), ("/a/1/d~0e", "x"), ("/f", {}), ("/g", [])]


def test_a_literal_is_written_as_a_request_would():
    assert [literal_text(v) for v in (5, 5.0, 5.5, " x ", True, None, [])] == ["5", "5", "5.5", "x", "", "", ""]


def refs(syntax, *calls):
    return list(referenced_calls([Call(n, a, 0, label) for n, a, label in calls], syntax))


def test_each_reference_syntax():
    assert refs("dollar_var", ("a", {}, "var1"), ("b", {"x": "$var1.a.b[0].c d$", "y": "$100"}, "var2")) == [
        (0, 1, "/x")
    ]
    text = "from $var1$ to $var2.city$ for $100"
    assert refs("dollar_var", ("a", {}, "var1"), ("b", {}, "var2"), ("c", {"t": text}, "var3")) == [
        (0, 2, "/t"),
        (1, 2, "/t"),
    ]
    assert refs("dollar_step", ("a", {}, "1"), ("b", {"x": ["${1}", "$20"]}, "2")) == [(0, 1, "/x/0")]
    assert refs("dollar_step", ("a", {}, "1"), ("b", {"x": "$1.50, $15 or $1,000"}, "2")) == []
    assert refs("api_call", ("a", {}, "API_call_0 API_call_1"), ("b", {"x": "API_call_1"}, "API_call_2")) == [
        (0, 1, "/x")
    ]
    assert refs("api_call", ("a", {}, "API_call_1"), ("b", {"x": "API_call_10"}, "API_call_2")) == []
    assert refs("node", ("a", {}, "0"), ("b", {"x": "<node-0>"}, "1")) == [(0, 1, "/x")]
    assert refs("from_call", ("make", {}, ""), ("b", {"x": "${the id from make}"}, "")) == [(0, 1, "/x")]


def test_a_reference_leads_back_only():
    assert refs("dollar_var", ("a", {"x": "$var1$ $var2$"}, "var1"), ("b", {}, "var2")) == []


def test_a_label_used_twice_means_the_latest_before():
    calls = [("a", {}, "var1"), ("b", {}, "var1"), ("c", {"x": "$var1$"}, "var2"), ("d", {}, "var1")]
    assert refs("dollar_var", *calls) == [(1, 2, "/x")]


def test_distinct_values_of_results_are_traced_to_their_first_producer():
    results = Results()
    results.add(0, '{"order": {"id": "W-4711", "total": 12.5, "n": 3}}')
    results.add(1, {"again": "w-4711", "code": 99812})
    results.add(2, "The ticket you asked for has been opened under the number TICKET-2210-B for your team, thank you.")
    assert results.source_of("W-4711") == 0
    assert results.source_of(99812) == 1
    assert results.source_of("TICKET-2210-B") == 2
    assert results.source_of(3) is None
    assert results.source_of("abc") is None
    assert results.source_of(True) is None
    assert results.source_of("elsewhere") is None
    assert results.source_of("opened") is None  # a common word in prose
    results.add(3, "apples.txt\nmain.go")
    assert results.source_of("apples.txt") == results.source_of("main.go") == 3


def test_a_huge_result_is_not_searched():
    results = Results()
    results.add(0, "needle-in-a-haystack " * 20_000)
    assert results.source_of("needle-in-a-haystack") is None
