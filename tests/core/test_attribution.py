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
    assert refs("dollar_step", ("a", {}, "1"), ("b", {"x": "$1.50, $15, $1k or $1,000"}, "2")) == []
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


def test_telling_values_of_results_are_traced_to_their_first_producer():
    results = Results()
    results.add(0, '{"order": {"id": "W-4711", "total": 12.5, "n": 3}, "city": "Pavia", "year": 2024}')
    results.add(1, {"again": "w-4711", "code": 99812, "status": "success"})
    results.add(2, "The ticket you asked for has been opened under the number TICKET-2210-B for your team, thank you.")
    results.add(3, "apples.txt\nmain.go")
    assert results.sources_of("/order", "W-4711") == [0]
    assert results.sources_of("/x", 99812) == [1]
    assert results.sources_of("/x", "TICKET-2210-B") == [2]
    assert results.sources_of("/file", "apples.txt") == results.sources_of("/file", "main.go") == [3]
    assert results.sources_of("/note", "Report W-4711 attached, see 99812") == [0, 1]
    assert results.sources_of("/path", "/x/w-4711.pdf") == [0]


def test_a_common_value_tells_only_under_its_own_name():
    results = Results()
    results.add(0, {"status": "success", "city": "Pavia", "year": 2024, "ok": True, "n": 3})
    assert results.sources_of("/city", "pavia") == [0]
    assert results.sources_of("/filters/0/city", "Pavia") == [0]
    assert results.sources_of("/year", 2024) == [0]
    for pointer, value in (("/mode", "success"), ("/to", "Pavia"), ("/limit", 2024), ("/ok", True), ("/n", 3)):
        assert results.sources_of(pointer, value) == []


def test_a_result_that_is_no_json_value_is_not_searched():
    results = Results()
    results.add(0, "{1: 'Design review', 2: 'EV-82290'}")
    results.add(1, {1: "EV-1111-X"})
    assert results.sources_of("/event", "EV-82290") == results.sources_of("/event", "EV-1111-X") == []


def test_a_huge_result_is_not_searched():
    results = Results()
    results.add(0, "needle-in-a-haystack " * 20_000)
    assert results.sources_of("/q", "needle-in-a-haystack") == []
