"""Messages of any shape: what is booked and stored, what is read, and what is said without the key."""

import json
from typing import Any

import anthropic
import httpx2
import pytest

from gatling_beam.claude.calls import Answer, Unusable, is_message, read_answer
from gatling_beam.claude.faults import Refused, meaning
from gatling_beam.claude.schemas import RequestsAnswer

KEY = "sk-ant-recognisable-0123456789"
USAGE = {"input_tokens": 5, "output_tokens": 5}


def message(**members: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": '{"requests": []}'}]
    return {"content": content, "stop_reason": "end_turn", "usage": USAGE, **members}


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        {"input_tokens": "many"},
        {"input_tokens": -5},
        {"output_tokens": 1.5},
        {"output_tokens": 10**25},
        {"cache_creation": "x"},
        {"cache_creation": {"ephemeral_5m_input_tokens": "x"}},
        {"output_tokens_details": [1]},
    ],
)
def test_a_message_whose_cost_cannot_be_booked_is_none(usage: Any) -> None:
    assert not is_message(message(usage=usage))


@pytest.mark.parametrize("value", [None, [], "text", message(id="\ud800"), {"content": []}])
def test_what_cannot_be_stored_is_no_message(value: Any) -> None:
    assert not is_message(value)


def test_a_message_may_hold_more_or_less_than_is_known() -> None:
    assert is_message(message(usage={}, content=None, new={"deep": [1, None]}))
    assert is_message(message(usage={**USAGE, "cache_creation": None, "server_tool_use": {"n": 1}}))


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"content": None}, "no_text"),
        ({"content": "hi"}, "no_text"),
        ({"content": ["hi", 3, None]}, "no_text"),
        ({"content": [{"type": "text"}]}, "no_text"),
        ({"content": [{"type": "text", "text": 5}]}, "no_text"),
        ({"content": [{"type": "text", "text": "[" * 100_000}]}, "bad_json"),
        ({"stop_reason": "refusal", "stop_details": "cyber"}, "refusal:unknown"),
        ({"stop_reason": "refusal", "stop_details": {"category": {"a": 1}}}, "refusal:unknown"),
        ({"stop_reason": "refusal", "stop_details": {"category": "bio"}}, "refusal:bio"),
        ({"stop_reason": "\x1b[31m\n"}, "unknown"),
        ({"stop_reason": ["x"]}, "unknown"),
        ({"stop_reason": "max_tokens"}, "max_tokens"),
    ],
)
def test_an_answer_of_any_shape_is_unusable_for_a_reason(members: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        read_answer(Answer("a", message(**members)), RequestsAnswer)
    assert caught.value.reason == reason


@pytest.mark.parametrize("before", [0, 280, 295])
@pytest.mark.parametrize("status", [400, 401, 402, 404, 418])
def test_no_part_of_the_key_is_in_what_a_server_says(before: int, status: int) -> None:
    says = f"{'b' * before}{KEY} \x1b[2J\n."
    body = {"type": "error", "error": {"type": f"of {KEY}", "message": says}}
    response = httpx2.Response(
        status, content=json.dumps(body).encode(), request=httpx2.Request("POST", "http://127.0.0.1/")
    )
    client = anthropic.Anthropic(api_key=KEY)
    found = meaning(client._make_status_error_from_response(response), "claude-haiku-5-5", KEY)
    assert KEY[:8] not in str(found) and str(found).isprintable()
    assert isinstance(found, Refused) == (status == 400)
