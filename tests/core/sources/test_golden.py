"""Full calls of each format, written by hand from the rows: names, arguments, turns, labels, results, edges."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gatling_beam.edges import plan_edges
from gatling_beam.errors import BadRow, Filtered
from gatling_beam.sources import Call, Extracted, source

Rows = Callable[[str], list[dict[str, Any]]]
Extract = Callable[..., Extracted]


def stated_edges(extracted: Extracted) -> list[tuple[int, int, str]]:
    """The edges of the plan without those that only keep it together."""
    edges, _ = plan_edges(extracted.calls, extracted, extracted.request)
    return [edge for edge in edges if edge[2] != "order"]


def test_query_tools_answers(rows_of: Rows, extract: Extract) -> None:
    row = rows_of("Salesforce__xlam-function-calling-60k/dataset.train")[1]
    assert extract(row, "xlam") == Extracted(
        request="Scale the vectors [1, 2.5] and [3, 4] by 2, then tell me the mean of the first one.",
        calls=[
            Call("scale_vec", {"vec": [1, 2.5], "k": 2}),
            Call("scale_vec", {"vec": [3, 4], "k": 2}),
            Call("mean", {"values": [1, 2.5]}),
        ],
        tools=json.loads(row["tools"]),
        original_id="1",
    )


def test_a_translation_beside_the_query_is_a_variant(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("twinkle-ai__tw-function-call-reasoning-10k/default.train")[0], "twinkle")
    assert extracted.request == "List trains from Taichung to Tainan."
    assert extracted.variants == [("zh", "列出從台中到台南的火車。")]
    assert extracted.calls == [Call("list_trains", {"origin": "台中", "dest": "台南"})]


def test_null_answers_are_no_calls(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("atasoglu__turkish-function-calling-20k/default.train")[2], "turkish")
    assert (extracted.request, extracted.calls) == ("Bana bir fıkra anlat.", [])


def test_tagged_chat(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("NousResearch__hermes-function-calling-v1/func_calling.train")[2], "hermes")
    assert extracted.request == "Is B2 dry? If so water it."
    assert extracted.original_id == "fx-0003"
    assert extracted.calls == [
        Call("soil_moisture", {"bed": "B2"}, turn=0, result={"bed": "B2", "pct": 12}),
        Call("water_bed", {"bed": "B2", "litres": 3.5, "note": None, "urgent": True}, turn=1, result="done"),
    ]


def test_a_call_drafted_in_a_thought_is_none(rows_of: Rows, extract: Extract) -> None:
    row = rows_of("interstellarninja__hermes_reasoning_tool_use/default.train")[0]
    assert extract(row, "hermes_reasoning").calls == [Call("open_gate", {"gate_id": "north"}, result={"ok": True})]


@pytest.mark.parametrize(
    "text, names",
    [
        ('<tool_call>{"name": "a", "arguments": {}}', ["a"]),
        ('<tool_call>[{"name": "a"}, {"name": "b"}]</tool_call>', ["a", "b"]),
        (
            '<tool_call>\n{"name": "a"}\n{"name": "b"}\n</tool_call> and <tool_call>{"name": "c"}</tool_call>',
            list("abc"),
        ),
        ("<think>no <tool_call>{'name': 'x'}", []),
    ],
)
def test_tags_may_hold_several_calls_and_stay_open(extract: Extract, text: str, names: list[str]) -> None:
    row = {"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": text}]}
    assert [call.name for call in extract(row, "hermes").calls] == names


def test_openai_messages(rows_of: Rows, extract: Extract) -> None:
    rows = rows_of("google__mobile-actions/default.train")
    extracted = extract(rows[1], "mobile_actions")
    assert extracted.request == "Show me the pier and mail Ana 'on my way'"
    assert extracted.calls == [
        Call("show_map", {"query": "pier"}, call_id="call_0"),
        Call("send_email", {"to": "ana@example.com", "subject": "on my way"}, call_id="call_1"),
    ]
    assert [extract(row, "mobile_actions").split for row in rows] == ["train", "train", "test"]


def test_a_result_goes_to_the_call_that_it_names(extract: Extract) -> None:
    calls = [{"id": x, "function": {"name": x, "arguments": ""}} for x in ("a", "b")]
    messages = [
        {"role": "user", "content": "both"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "b", "content": '{"n": 2}'},
        {"role": "tool", "tool_call_id": "a", "content": "one"},
    ]
    extracted = extract({"messages": messages, "tools": []}, "nemotron_math")
    assert extracted.calls == [Call("a", {}, call_id="a", result="one"), Call("b", {}, call_id="b", result={"n": 2})]


def test_trajectory(rows_of: Rows, extract: Extract) -> None:
    first, second, _ = rows_of("Emperorizzis__ASTRA-SFT-1k/default.train")
    extracted = extract(first, "astra")
    assert (extracted.request, extracted.language) == ("Trail in Arán?", "en")
    assert extracted.calls == [Call("fx-find_trail", {"region": "Arán"}, turn=1, result="Llac Blau")]
    assert [tool["name"] for tool in extracted.tools or []] == ["fx-find_trail"]
    extracted = extract(second, "astra")
    assert extracted.language == "zh"
    assert [(call.arguments["region"], call.turn) for call in extracted.calls] == [("博伊", 0), ("索尔特", 1)]


def test_typed_turns_leave_out_the_tool_that_only_thinks(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("Salesforce__APIGen-MT-5k/dataset.train")[1], "apigen_mt")
    assert extracted.request == "Cancel #W2, please\nBought it by mistake"
    assert extracted.calls == [
        Call("get_order", {"order_id": "#W2"}, turn=2, result={"status": "pending"}),
        Call(
            "cancel_order",
            {"order_id": "#W2", "reason": "ordered by mistake"},
            turn=3,
            result="Error: non-pending order cannot be cancelled",
        ),
    ]


def test_content_parts(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("llamafactory__reason-tool-use-demo-1500/default.train")[0], "reason_tool_use")
    assert (extracted.request, extracted.calls) == ("6*8?", [Call("calc", {"expr": "6*8"}, result="48")])


def test_chosen_response(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("RioLee__ToolPref-Pairwise-30K/default.train")[1], "toolpref")
    assert extracted.request == "Moisture of B2 and B3?"
    assert extracted.calls == [Call("soil_moisture", {"bed": "B2"}), Call("soil_moisture", {"bed": "B3"})]
    row = rows_of("RioLee__ToolPref-Pairwise-30K/default.train__chosen_rejected_file")[1]
    assert extract(row, "toolpref").calls == [Call("water_bed", {"bed": "B2", "litres": 2})]


def test_target_message(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("apple__mmau/default.train__tool_use_execution")[0], "mmau")
    assert extracted.calls == [Call("add_contact", {"name": "Bo", "phone": "555-0101"}, call_id="call_0")]
    assert (extracted.request, extracted.original_id) == ("Add Bo, 555-0101", "1")


def test_gold_actions_drop_nulls_and_keep_what_is_false(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("nvidia__ToolScale/default.train")[1], "toolscale")
    assert extracted.calls == [
        Call("find_train", {"city": "Pavia", "start_date": "2025-05-03 00:00:00"}, turn=0),
        Call("book_train", {"passenger": {"name": "Ana", "age": 31}, "notify": False}, turn=1),
    ]
    assert extracted.request == "Book a seat and get notified.\nfx reason\nfx"


def test_names_only(rows_of: Rows, extract: Extract) -> None:
    rows = rows_of("squeeze-ai-lab__ToolBank/default.NumpyBank")
    assert extract(rows[0], "toolbank").request == "A polished request one"
    extracted = extract(rows[1], "toolbank")
    assert extracted.request == "Invented request two"
    assert extracted.calls == [Call("elemental_summation", {}), Call("elemental_magnitude", {})]
    assert extracted.names_only


def test_names_only_with_tools(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("OpenBMB__ToolBench/instruction.G1")[2], "toolbench_queries")
    names = ["Harbour API/Tide", "Harbour API//ports/:id"]
    assert [call.name for call in extracted.calls] == names
    assert [tool["name"] for tool in extracted.tools or []] == names


def test_harmful_requests_are_never_plans(rows_of: Rows, extract: Extract) -> None:
    spec = source("agentharm")
    harmful = spec.model_copy(update={"options": {**spec.options, "harmful": True}})
    with pytest.raises(Filtered, match="harmful"):
        extract(rows_of("ai-safety-institute__AgentHarm/harmful.test_public")[0], harmful)


def test_otel_trace_has_no_calls_but_tool_spans(rows_of: Rows, extract: Extract) -> None:
    attacked, _, benign = rows_of("nvidia__Nemotron-AIQ-Agentic-Safety-Dataset-1.0/safety.with_defense")
    assert extract(attacked, "aiq").calls == []
    span = {"name": "search", "span_kind": "TOOL", "attributes.input.value": '{"q": "tides"}'}
    assert extract({**benign, "trace": [span]}, "aiq").calls == [Call("search", {"q": "tides"})]
    with pytest.raises(Filtered, match="harmful"):
        extract({**attacked, "trace": [span]}, "aiq")


def test_python_calls_in_a_field(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("allenai__Dolci-Instruct-SFT-Tool-Use/default.train")[1], "dolci")
    assert extracted.calls == [
        Call("get_tide", {"port": "Rho"}, result={"cm": 1}),
        Call("get_tide", {"port": 'Pavia (old, "north" quay :]'}, result={"cm": 2}),
    ]


def test_python_calls_in_the_text(rows_of: Rows, extract: Extract) -> None:
    rows = rows_of("Team-ACE__ToolACE/default.train")
    extracted = extract(rows[0], "toolace")
    assert extracted.calls == [
        Call("Harbour Prices API", {"port": "Rho", "kinds": ["cod", "hake :) frozen"]}, result={"cod": 4})
    ]
    extracted = extract(rows[1], "toolace")
    assert extracted.calls == [
        Call("Harbour Prices API", {"port": "Rho"}),
        Call("Boat Index (BX) v2.1", {"flt": {"flag": "MT", "open": True}}),
    ]


def test_accepted_values(extract: Extract) -> None:
    row = {
        "id": "multiple_8",
        "question": [[{"role": "system", "content": "s"}, {"role": "user", "content": "A house, please"}]],
        "function": [{"name": "find_house", "parameters": {"type": "dict", "properties": {}}}],
        "ground_truth": [
            {
                "find_house": {
                    "city": ["", "Rho"],
                    "size": [4, 4.0],
                    "garden": [False],
                    "agent": [""],
                    "budget": [{"min": [300000], "max": ["", 400000]}],
                    "where": [[{"field": ["age"], "value": ["25", 25]}]],
                    "xy": [[3, 4]],
                }
            }
        ],
    }
    assert extract(row, "bfcl") == Extracted(
        request="A house, please",
        calls=[
            Call(
                "find_house",
                {
                    "city": "Rho",
                    "size": 4,
                    "garden": False,
                    "budget": {"min": 300000, "max": 400000},
                    "where": [{"field": "age", "value": "25"}],
                    "xy": [3, 4],
                },
            )
        ],
        tools=row["function"],
        original_id="multiple_8",
    )


def test_accepted_values_of_several_turns(rows_of: Rows, extract: Extract) -> None:
    files = "gorilla-llm__Berkeley-Function-Calling-Leaderboard/BFCL_v3_multi_turn_base"
    question, answer = rows_of(f"{files}.train")[2], rows_of(f"{files}.possible_answer")[2]
    extracted = extract({**question, **answer}, "bfcl")
    assert extracted.request == "Make a folder fx\nSort notes.txt"
    assert extracted.calls == [
        Call("mkdir", {"dir_name": "fx"}, turn=0),
        Call("grep", {"file_name": "notes.txt", "pattern": "a, b"}, turn=1),
    ]
    assert extracted.tools is None


def test_api_call(rows_of: Rows, extract: Extract) -> None:
    rows = rows_of("gorilla-llm__APIBench/torchhub.train")
    extracted = extract(rows[2], "apibench")
    arguments = {"repo_or_dir": "fx/bird", "model": "nts", "pretrained": True, "topN": 6, "device": "cpu"}
    assert (extracted.request, extracted.calls) == ("a bird net.", [Call("torch.hub.load", arguments)])
    assert [tool["name"] for tool in extracted.tools or []] == ["torch.hub.load"]
    shell = rows_of("gorilla-llm__APIBench/huggingface.train")[2]
    with pytest.raises(BadRow, match="bad_call"):
        extract(shell, "apibench")


@pytest.mark.parametrize(
    "text, calls",
    [
        ("'load(x=1)'", [Call("load", {"x": 1})]),
        ("net = torch.load('a', **kwargs)...", [Call("torch.load", {"_0": "a"})]),
        ("f(a=1); g(b/c-d)", [Call("f", {"a": 1}), Call("g", {"_0": "b/c-d"})]),
    ],
)
def test_api_call_slips(rows_of: Rows, extract: Extract, text: str, calls: list[Call]) -> None:
    row = {**rows_of("gorilla-llm__APIBench/torchhub.train")[0], "api_call": text}
    assert extract(row, "apibench").calls == calls


@pytest.mark.parametrize("text", ["pipeline('x').to('cuda')", "Use f(x) instead", "f(x", "", "run f(a=1)"])
def test_api_call_refuses_what_is_no_call(rows_of: Rows, extract: Extract, text: str) -> None:
    with pytest.raises(BadRow, match="bad_call"):
        extract({**rows_of("gorilla-llm__APIBench/torchhub.train")[0], "api_call": text}, "apibench")


def test_marker_text(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("glaiveai__glaive-function-calling-v2/default.train")[1], "glaive")
    assert extracted.request == "Note: it's Ana's boat\nTide at Pavia?"
    assert extracted.calls == [
        Call("add_note", {"text": "it's Ana's boat"}, turn=0, result={"ok": True}),
        Call("get_tide", {"port": "Pavia"}, turn=2),
    ]
    assert [tool["name"] for tool in extracted.tools or []] == ["get_tide", "add_note"]


@pytest.mark.parametrize(
    "body, arguments",
    [
        ('{"name": "f", "arguments": {"weight": 70}}', {"weight": 70}),
        ('{"name": "f"}', {}),
        ("""{"name": "f", "arguments": ''}""", {}),
        ("""{"name": "f", "arguments": '{"a": "x' 'y"}'}""", {"a": "x' 'y"}),
        ("""{"arguments": '{"a": 1}', "name": "f"}""", {"a": 1}),
    ],
)
def test_marker_text_arguments(extract: Extract, body: str, arguments: dict[str, Any]) -> None:
    row = {"system": "", "chat": f"USER: x\n\n\nASSISTANT: <functioncall> {body} <|endoftext|>"}
    assert extract(row, "glaive").calls == [Call("f", arguments)]


def test_marker_text_never_makes_up_arguments(extract: Extract) -> None:
    for broken in ("""{"name": "f", "arguments": '{"a": '}""", '{"name": "f", "arguments": "no"}'):
        with pytest.raises(BadRow, match="bad_arguments"):
            extract({"system": "", "chat": f"USER: x\nASSISTANT: <functioncall> {broken} <|endoftext|>"}, "glaive")


def test_marker_chat(rows_of: Rows, extract: Extract) -> None:
    row = rows_of("dongsheng__DTA-Tool/default.train")[1]
    extracted = extract(row, "dta")
    assert extracted.calls == [
        Call("tides_for_harbour", {"port": "Rho"}, result="1"),
        Call("tides_for_harbour", {"port": "Pavia"}, result="2"),
    ]
    given_up = json.loads(json.dumps(row).replace("give_answer", "give_up_and_restart"))
    with pytest.raises(Filtered, match="unfinished"):
        extract(given_up, "dta")


def test_react_text(rows_of: Rows, extract: Extract) -> None:
    rows = rows_of("OpenBMB__ToolBench/toolllama_G123_dfs.train")
    tide = {"error": "", "response": "{'cm': 120}"}
    extracted = extract(rows[1], "toolbench")
    assert extracted.request == "Tides at Rho and Pavia?"
    assert extracted.calls == [
        Call("tide_for_harbour_api", {"is_id": "RHO"}, turn=0, result=tide),
        Call("tide_for_harbour_api", {"is_id": 'PAV "old"'}, turn=1, result=tide),
    ]
    assert [tool["name"] for tool in extracted.tools or []] == ["tide_for_harbour_api", "Finish"]
    for unfinished in (rows[0], rows[2]):
        with pytest.raises(Filtered, match="unfinished"):
            extract(unfinished, "toolbench")


def test_answer_tree(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("OpenBMB__ToolBench/answer.G1")[0], "toolbench_answers")
    assert extracted.request == "Tide at Rho?"
    result = {"error": "", "response": "{'cm': 120}"}
    assert extracted.calls == [Call("tide_for_harbour_api", {"is_id": "RHO"}, turn=0, result=result)]


def test_plan_text(rows_of: Rows, extract: Extract) -> None:
    first, replanned, slips = rows_of("squeeze-ai-lab__TinyAgent-dataset/default.training")
    extracted = extract(first, "tinyagent")
    message = "Lunch is $20, it's at Rho (north) :)"
    assert extracted.calls == [
        Call("get_phone_number", {"name": "Ana"}, label="1"),
        Call("get_phone_number", {"name": "Bo"}, label="2"),
        Call("send_sms", {"recipients": ["$1", "$2"], "message": message}, label="3"),
    ]
    assert stated_edges(extracted) == [(0, 2, "data"), (1, 2, "data")]
    assert extracted.original_id == "11111111-1111-4111-8111-111111111111"
    assert [call.label for call in extract(replanned, "tinyagent").calls] == ["1", "2", "4", "5"]
    assert extract(slips, "tinyagent").calls[1:] == [
        Call("compose_new_email", {"_0": ["$1"], "_1": [], "_2": "Moved,", "_3": []}, label="2"),
        Call("maps_open_location", {"location": "Rho"}, label="3"),
    ]


@pytest.mark.parametrize(
    "plan, edges",
    [
        ('1. open_note("a", "")\n2. send_sms(["$2"], "$1.50")', []),  # itself, and money
        ('1. open_note("a", "")\n2. send_sms(["b"], "${1}")', [(0, 1, "data")]),
        ('2. open_note("a", "")\n3. send_sms(["$1"], "$2 and $4")\n4. join()', [(0, 1, "data")]),
        ('1. summarize_pdf("x")\n1. open_note("a", "")\n2. send_sms(["b"], "$1")', [(0, 1, "data")]),  # starts again
        ('1. open_note("a", "")\n2. join()\n3. send_sms(["b"], "$1")', []),
    ],
)
def test_references_of_plan_text(extract: Extract, plan: str, edges: list[tuple[int, int, str]]) -> None:
    row = {"uuid": "u", "input": "x", "output": [{"type": "plan", "raw_output": plan}]}
    assert stated_edges(extract(row, "tinyagent")) == edges


def test_plan_text_keeps_a_line_end_inside_quotes(extract: Extract) -> None:
    row = {"input": "x", "output": [{"type": "plan", "raw_output": '1. create_note("a", "b\nc", "")\n2. join()'}]}
    assert extract(row, "tinyagent").calls == [
        Call("create_note", {"name": "a", "content": "b\nc", "folder": ""}, label="1")
    ]


def test_plan_text_refuses_an_open_quote(extract: Extract) -> None:
    row = {"input": "x", "output": [{"type": "plan", "raw_output": '1. create_note("a", "b)\n2. join()'}]}
    with pytest.raises(BadRow, match="bad_arguments"):
        extract(row, "tinyagent")


def test_plan_graph(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("microsoft__Taskbench/huggingface.test")[2], "taskbench")
    assert extracted.calls == [
        Call("Translation", {"_0": "Ciao", "_1": "it", "_2": "en"}, label="0"),
        Call("Automatic Speech Recognition", {"_0": "example.wav"}, label="1"),
        Call("Translation", {"_0": "<node-1>", "_1": "it", "_2": "en"}, label="2"),
        Call("Sentence Similarity", {"_0": "<node-0>", "_1": "<node-2>"}, label="3"),
    ]
    assert extracted.edges == [(0, 3, "data"), (1, 2, "data"), (2, 3, "data")]


def test_plan_graph_counts_from_one_where_the_row_does(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("microsoft__Taskbench/huggingface.test")[1], "taskbench")
    assert [call.label for call in extracted.calls] == ["1", "2", "3"]
    assert extracted.edges == [(0, 1, "data"), (0, 2, "data")]


def test_plan_graph_tells_order_from_data(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("microsoft__Taskbench/dailylifeapis.test")[2], "taskbench")
    assert extracted.edges == [(0, 2, "data"), (1, 2, "control")]
    by_name = extract(rows_of("microsoft__Taskbench/multimedia.test")[1], "taskbench")
    assert by_name.edges == [(0, 1, "data")]


def test_plan_graph_reads_the_names_of_the_authors(rows_of: Rows, extract: Extract) -> None:
    row = rows_of("microsoft__Taskbench/huggingface.test")[1]
    renamed = {"instruction": "user_request", "tool_nodes": "task_nodes", "tool_links": "task_links"}
    theirs = {renamed.get(key, key): value for key, value in row.items()}
    assert extract(theirs, "taskbench") == extract(row, "taskbench")


@pytest.mark.parametrize("as_text", [True, False])
def test_labelled_calls(extract: Extract, as_text: bool) -> None:
    output = [
        {"name": "route", "arguments": {"to": "Rho"}, "label": "var1"},
        {"name": "pace", "arguments": {"d": "$var1.distance$"}, "label": "$var2"},
        {"name": "var_result", "arguments": {"pace": "$var2$"}},
    ]
    tools = [{"name": "route", "query_parameters": {}}, {"name": "pace", "query_parameters": {}}]
    row = {"sample_id": 7, "input": "How fast?", "output": output, "tools": tools}
    if as_text:
        row |= {"output": json.dumps(output), "tools": json.dumps(tools)}
    assert extract(row, "nestful") == Extracted(
        request="How fast?",
        calls=[
            Call("route", {"to": "Rho"}, label="var1"),
            Call("pace", {"d": "$var1.distance$"}, label="var2"),
        ],
        tools=tools,
        original_id="7",
        references="dollar_var",
    )


def test_reasoning_marks_are_calls_with_real_edges(extract: Extract) -> None:
    row = {
        "question": "Natalia sold 48 clips in April and half as many in May. Each costs 2. What did she earn?",
        "answer": "May: 48/2=<<48/2=24>>24.\nBoth: 48+24=<<48+24=72>>72.\nMoney: 72*2=<<72*2=144>>144\n#### 144",
    }
    extracted = extract(row, "gsm8k")
    assert extracted.calls == [
        Call("calculator", {"expression": "48/2"}, turn=0, result="24"),
        Call("calculator", {"expression": "48+24"}, turn=1, result="72"),
        Call("calculator", {"expression": "72*2"}, turn=2, result="144"),
    ]
    assert extracted.edges == [(0, 1, "data"), (1, 2, "data")]


def test_a_number_that_the_problem_states_proves_no_edge(extract: Extract) -> None:
    row = {"question": "6 boxes, 2 rows of 3?", "answer": "<<2*3=6>>6, <<6*6=36>>36\n#### 36"}
    assert extract(row, "gsm8k").edges == []


def test_thousands_commas_and_decimals_are_one_number(extract: Extract) -> None:
    row = {"question": "How much?", "answer": "<<500*2=1,000>>1,000 <<1000*1.5=1500.0>>1500 <<1500+1=1501>>1501"}
    assert extract(row, "gsm8k").edges == [(0, 1, "data"), (1, 2, "data")]


def test_chat_log(rows_of: Rows, extract: Extract) -> None:
    extracted = extract(rows_of("lmsys__lmsys-chat-1m/default.train")[1], "lmsys")
    assert (extracted.request, extracted.language) == ("Merhaba NAME_1\nÇay nasıl demlenir?", "tr")
    assert (extracted.calls, extracted.original_id) == ([], "00000000000000000000000000000002")


def test_instruction(rows_of: Rows, extract: Extract) -> None:
    first = rows_of("Muennighoff__natural-instructions/default.train")[0]
    assert extract(first, "natural_instructions").request == "Label the review as POS or NEG.\nLovely boat trip."
    rubrics = rows_of("sojuL__RubricHub_v1/default.train")[1]
    assert extract(rubrics, "rubrichub").request == "Cheer me up in two lines"
    tuning = rows_of("sojuL__RubricHub_v1/default.train__sft_RuFT")[0]
    assert extract(tuning, "rubrichub").request == "A couplet on tea"
    structured = rows_of("nvidia__Nemotron-RL-instruction_following-structured_outputs/default.train")[0]
    assert extract(structured, "nemotron_structured").request == "Olmo is a village of 250 people."


def test_text_label(rows_of: Rows, extract: Extract) -> None:
    german, attack, *_ = rows_of("deepset__prompt-injections/default.train")
    assert (extract(german, "deepset").request, extract(german, "deepset").category) == (german["text"], "harmless")
    assert extract(attack, "deepset").category == "injection"
    mail = rows_of("microsoft__llmail-inject-challenge/default.Phase1")[0]
    assert extract(mail, "llmail").category == "injection"  # blocked, and still an attack
    prompt, guess, _ = rows_of("Lakera__gandalf-rct/default.trial")
    assert extract(prompt, "gandalf_rct").category == "unlabelled"
    with pytest.raises(Filtered, match="not_a_plan"):
        extract(guess, "gandalf_rct")


def test_labelled_calls_with_keys_and_references_of_their_own(extract: Extract) -> None:
    keys = {"request": "query", "calls": "calling", "id": "id", "name": "api", "label": "responses"}
    spec = source("nestful").model_copy(update={"options": {**keys, "references": "api_call"}})
    row = {
        "id": "d-1",
        "query": "Weigh the beans, then post them.",
        "calling": [
            {"api": "weigh", "parameters": {"what": "beans"}, "responses": ["API_call_0", "API_call_1"]},
            {"api": "post", "parameters": {"grams": "API_call_1"}, "responses": []},
        ],
    }
    assert extract(row, spec) == Extracted(
        request="Weigh the beans, then post them.",
        calls=[Call("weigh", {"what": "beans"}, label="API_call_0 API_call_1"), Call("post", {"grams": "API_call_1"})],
        original_id="d-1",
        references="api_call",
    )


@pytest.mark.parametrize(
    "text, arguments",
    [
        ('{"id": ${id from find}, "n": 2}', {"id": "${id from find}", "n": 2}),
        ('{"ids": [${id from find}, "${id from find}"]}', {"ids": ["${id from find}", "${id from find}"]}),
        ('{"note": "say \\"${x from find}\\""}', {"note": 'say "${x from find}"'}),
        ('{"day": ${some day}}', {"day": "${some day}"}),
    ],
)
def test_a_bare_reference_is_a_value(extract: Extract, text: str, arguments: dict[str, Any]) -> None:
    spec = source("nestful").model_copy(
        update={"options": {"name": "Action", "arguments": "Action_Input", "references": "from_call"}}
    )
    extracted = extract({"input": "x", "output": [{"Action": "open", "Action_Input": text}]}, spec)
    assert extracted.calls == [Call("open", arguments)]
    assert extracted.references == "from_call"


@pytest.mark.parametrize("text", ['{"day": ${some day}", "n": 1}', '{"id": ${id from find, "n": 1}'])
def test_a_broken_reference_is_no_value(extract: Extract, text: str) -> None:
    options = {"arguments": "Action_Input", "references": "from_call"}
    spec = source("nestful").model_copy(update={"options": options})
    with pytest.raises(BadRow, match="bad_arguments"):
        extract({"input": "x", "output": [{"name": "open", "Action_Input": text}]}, spec)


def test_gold_actions_with_keys_of_their_own(extract: Extract) -> None:
    options = {"actions": "truth", "request": ["prompt"], "name": "function", "arguments": "kwargs"}
    spec = source("toolscale").model_copy(update={"options": options})
    row = {
        "prompt": "Close the gate.",
        "truth": [{"function": "close", "kwargs": {"gate": "north", "by": None}}],
        "tools": [{"type": "function", "function": {"name": "close"}}],
    }
    extracted = extract(row, spec)
    assert extracted.calls == [Call("close", {"gate": "north"})]
    assert extracted.tools == [{"name": "close"}]
