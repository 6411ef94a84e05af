"""The server of tools/claude_server, seen through the clients of the anthropic SDK."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import anthropic
import pydantic
import pytest

ROOT = Path(__file__).parents[2]
MODEL = "claude-sonnet-5-5"
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "size": {"type": "integer"},
        "kind": {"enum": ["a", "b"]},
        "parts": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/part"}},
    },
    "required": ["name", "size", "kind", "parts"],
    "additionalProperties": False,
    "$defs": {
        "part": {
            "type": "object",
            "properties": {"on": {"type": "string", "format": "date"}, "flag": {"type": "boolean"}},
            "required": ["on", "flag"],
            "additionalProperties": False,
        }
    },
}
EPHEMERAL = {"type": "ephemeral"}


class Part(pydantic.BaseModel, extra="forbid"):
    on: str
    flag: bool


class Thing(pydantic.BaseModel, extra="forbid"):
    name: str
    size: int
    kind: str
    parts: list[Part]


def params(**changes):
    """The parameters of a good request, with changes; None removes a field."""
    merged = {
        "model": MODEL,
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": "Name a thing."}],
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
        **changes,
    }
    return {name: value for name, value in merged.items() if value is not None}


def client_of(server, **options):
    return anthropic.Anthropic(**{"api_key": server.api_key, "base_url": server.url, "max_retries": 0, **options})


def post(client, body, path="/v1/messages"):
    """Sends a body that `create` would not."""
    return client.post(path, cast_to=dict[str, object], body=body)


def text_of(message):
    return next(block.text for block in message.content if block.type == "text")


@pytest.fixture
def server(claude_server):
    return claude_server()


@pytest.fixture
def client(server):
    with client_of(server) as client:
        yield client


@pytest.fixture(scope="module")
def refusing(claude_server_module):
    """A server and a client for requests that are refused, and so leave nothing behind."""
    with claude_server_module.serving() as server, client_of(server) as client:
        yield server, client


def test_structured_output_after_thinking(client, server):
    message = client.messages.create(**params())
    assert [block.type for block in message.content] == ["thinking", "text"]
    thing = Thing.model_validate_json(text_of(message))
    assert thing.parts
    assert thing.kind in ("a", "b")
    assert message.stop_reason == "end_turn"
    assert message._request_id.startswith("req_")
    usage = message.usage
    assert usage.service_tier == "standard"
    assert usage.output_tokens_details.thinking_tokens == 40
    assert usage.output_tokens == 40 + -(-len(text_of(message)) * 10 // 27)
    booked = server.stats()["tokens"][MODEL]["standard"]
    assert (booked["input"], booked["output"]) == (usage.input_tokens, usage.output_tokens)


def test_pydantic_schemas_of_the_sdk_pass(client):
    message = client.messages.parse(**params(output_config=None), output_format=Thing)
    assert message.parsed_output.parts


def test_between_tools_does_not_think(client):
    message = client.messages.create(**params(thinking={"type": "between_tools"}))
    assert [block.type for block in message.content] == ["text"]
    assert message.usage.output_tokens_details.thinking_tokens == 0


def test_thinking_counts_to_max_tokens(client):
    message = client.messages.create(**params(max_tokens=300, output_config={"effort": "high"}))
    assert message.stop_reason == "max_tokens"
    assert [block.type for block in message.content] == ["thinking"]
    assert message.usage.output_tokens == 300


def test_async_client_on_aiohttp(server):
    async def ask():
        async with anthropic.AsyncAnthropic(
            api_key=server.api_key,
            base_url=server.url,
            max_retries=0,
            http_client=anthropic.DefaultAioHttpClient(),
        ) as client:
            requests = [params(messages=[{"role": "user", "content": f"Thing {i}"}]) for i in range(20)]
            return await asyncio.gather(*(client.messages.create(**request) for request in requests))

    messages = asyncio.run(ask())
    assert len({text_of(message) for message in messages}) == 20
    stats = server.stats()
    assert (stats["paid_answers"], stats["paid_requests"], stats["duplicates"]) == (20, 20, 0)


def test_own_answers_and_request_hashes(claude_server, claude_server_module):
    server = claude_server(answer=lambda body: body["messages"][0]["content"].upper())
    with client_of(server) as client:
        assert text_of(client.messages.create(**params())) == "NAME A THING."
    assert server.stats()["paid"] == {claude_server_module.request_hash(params()): 1}


def test_what_an_answering_function_raises_is_seen(claude_server, capsys):
    server = claude_server(answer=lambda body: body["no such key"])
    with client_of(server) as client, pytest.raises(anthropic.InternalServerError, match="KeyError: 'no such key'"):
        client.messages.create(**params())


def array_of(items):
    return {
        "type": "object",
        "properties": {"x": items},
        "required": ["x"],
        "additionalProperties": False,
    }


def schema(value):
    return {"output_config": {"format": {"type": "json_schema", "schema": value}}}


RECURSIVE = {
    "$ref": "#/$defs/node",
    "$defs": {"node": array_of({"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]})},
}
TEXT = {"type": "text", "text": "Name a thing."}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": 1.0}, "temperature: Extra inputs are not permitted"),
        ({"top_p": 0.9}, "top_p: Extra inputs are not permitted"),
        ({"top_k": 5}, "top_k: Extra inputs are not permitted"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"output_config": {"format": {"type": "json_schema", "schema": SCHEMA, "strict": True}}}, "strict: Extra"),
        ({"messages": [{"role": "user", "content": "x", "name": "y"}]}, "messages.0.name: Extra inputs"),
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        ({"max_tokens": 128_001}, "max_tokens: 128001 > 128000"),
        ({"model": None}, "model: Field required"),
        ({"messages": []}, "messages: List should have at least 1 item"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages.0: all messages must have non-empty content"),
        ({"messages": [{"role": "user", "content": []}]}, "messages.0: all messages must have non-empty content"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}, "must be non-empty"),
        ({"messages": [{"role": "user", "content": " "}]}, "must contain non-whitespace text"),
        ({"system": [{"type": "text", "text": ""}]}, "system: text content blocks must be non-empty"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 'first message must use the "user" role'),
        (
            {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "{"}]},
            "does not support assistant message prefill",
        ),
        ({"tool_choice": {"type": "any"}}, "forced tool use"),
        ({"tool_choice": {"type": "tool", "name": "x"}}, "forced tool use"),
        ({"thinking": {"type": "disabled"}}, '"thinking.type.disabled" is not supported'),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, '"thinking.type.enabled" is not supported'),
        ({"thinking": {"type": "adaptive", "budget_tokens": 2000}}, "budget_tokens: Extra inputs"),
        ({"output_config": {"effort": "extreme"}}, "output_config.effort: Input should be 'low'"),
        ({"cache_control": {"type": "permanent"}}, "cache_control.type: Input should be 'ephemeral'"),
        ({"cache_control": {**EPHEMERAL, "ttl": "2h"}}, "cache_control.ttl: Input should be '5m' or '1h'"),
        ({"system": [{**TEXT, "cache_control": EPHEMERAL}] * 5}, "A maximum of 4 blocks with cache_control"),
        (
            {"cache_control": {**EPHEMERAL, "ttl": "1h"}, "system": [{**TEXT, "cache_control": EPHEMERAL}]},
            "ttl='1h' cache_control block must not come after a ttl='5m'",
        ),
        (schema(array_of({"type": "integer", "minimum": 1})), "'integer' type, property 'minimum' is not supported"),
        (schema(array_of({"type": "number", "maximum": 1})), "'number' type, property 'maximum' is not supported"),
        (schema(array_of({"type": "string", "maxLength": 9})), "'string' type, property 'maxLength' is not supported"),
        (schema(array_of({"type": "string", "format": "money"})), "format 'money' is not supported"),
        (
            schema(array_of({"type": "array", "items": {"type": "null"}, "maxItems": 2})),
            "'array' type, property 'maxItems' is not supported",
        ),
        (
            schema(array_of({"type": "array", "items": {"type": "null"}, "minItems": 2})),
            "'minItems' values other than 0 or 1 are not supported",
        ),
        (
            schema({**SCHEMA, "additionalProperties": True}),
            "'additionalProperties' must be explicitly set to false",
        ),
        (schema({"type": "object", "properties": {}}), "'additionalProperties' must be explicitly set to false"),
        (schema(RECURSIVE), "Circular reference detected"),
        (schema({"$ref": "#/$defs/none"}), "leads to no definition"),
        ({"stream": True}, "does not stream"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_documented_400s(refusing, changes, message):
    server, client = refusing
    with pytest.raises(anthropic.BadRequestError) as caught:
        post(client, params(**changes))
    assert message in caught.value.api_message
    assert caught.value.type == "invalid_request_error"
    assert caught.value.request_id == caught.value.body["request_id"]
    assert server.stats()["paid_answers"] == 0


def test_minimum_items_of_one_and_text_blocks_pass(client):
    blocks = [{**TEXT, "cache_control": EPHEMERAL}]
    client.messages.create(**params(system=blocks, messages=[{"role": "user", "content": blocks}]))


def test_temperature_with_the_previous_version_and_an_old_model(server):
    previous = {"default_headers": {"anthropic-version": "2023-06-01"}}
    with client_of(server, **previous) as client:
        post(client, params(model="claude-sonnet-4-6", temperature=0.3))
        with pytest.raises(anthropic.BadRequestError, match="may only be set to their defaults"):
            post(client, params(temperature=0.3))
        post(client, params(temperature=1.0))
    with client_of(server) as client, pytest.raises(anthropic.BadRequestError, match="Extra inputs"):
        post(client, params(model="claude-sonnet-4-6", temperature=0.3))
    assert server.stats()["versions"] == {"2023-06-01": 3, "2026-10-21": 1}


@pytest.mark.parametrize("version", ["", "2025-01-01"])
def test_versions_that_are_none(server, version):
    client = client_of(server, default_headers={"anthropic-version": version})
    with client, pytest.raises(anthropic.BadRequestError, match="anthropic-version"):
        client.messages.create(**params())


@pytest.mark.parametrize("model", ["claude-none-1", "claude-3-7-sonnet-20250219"])
def test_unknown_and_retired_models(client, model):
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(**params(model=model))
    assert caught.value.type == "not_found_error"


def test_models_are_described(client):
    model = client.models.retrieve(MODEL)
    assert (model.lifecycle, model.retires_at, model.max_tokens) == ("active", None, 128_000)
    assert model.capabilities.batch.supported
    assert model.capabilities.structured_outputs.supported
    assert not model.capabilities.thinking.types.disabled.supported
    assert client.models.retrieve("claude-3-7-sonnet-20250219").lifecycle == "retired"
    old = client.models.retrieve("claude-sonnet-4-5")
    assert old.lifecycle == "deprecated"
    assert old.retires_at.isoformat() == "2026-11-30T00:00:00+00:00"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("claude-none-1")


def test_keys(server):
    with client_of(server, api_key="wrong") as client:
        for call in (lambda: client.messages.create(**params()), client.messages.batches.list):
            with pytest.raises(anthropic.AuthenticationError) as caught:
                call()
            assert caught.value.type == "authentication_error"
            assert "wrong" not in str(caught.value)
    by_header = {"x-api-key": server.api_key, "Authorization": anthropic.omit}
    with client_of(server, default_headers=by_header) as client:
        client.messages.create(**params())


def test_too_large(client):
    with pytest.raises(anthropic.ContentTooLargeError):
        client.messages.create(**params(system="x" * 33 * 2**20))


def test_counted_tokens_are_those_of_the_answer(client):
    request = params(system="Be brief.", max_tokens=None)
    counted = client.messages.count_tokens(**request).input_tokens
    assert counted == client.messages.create(**request, max_tokens=1000).usage.input_tokens
    with pytest.raises(anthropic.BadRequestError, match="temperature"):
        client.messages.count_tokens(**request, extra_body={"temperature": 0.5})


def cached(ttl, chars):
    control = {"type": "ephemeral", "ttl": ttl}
    return [{"type": "text", "text": "s" * chars, "cache_control": control}]


def test_prompt_cache(client):
    def usage(text, system, **changes):
        return client.messages.create(
            **params(system=system, messages=[{"role": "user", "content": text}], **changes)
        ).usage

    first, second = usage("one", cached("1h", 5000)), usage("two", cached("1h", 5000))
    assert first.cache_creation.ephemeral_1h_input_tokens == first.cache_creation_input_tokens > 5000 / 2.7
    assert (first.cache_read_input_tokens, second.cache_creation_input_tokens) == (0, 0)
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    # Three characters stand after the prefix; parts of tokens are not split.
    assert {first.input_tokens, second.input_tokens} <= {1, 2}
    other = usage("one", cached("5m", 6000))
    assert other.cache_creation.ephemeral_5m_input_tokens == other.cache_creation_input_tokens > 0
    # The prefix is another one for another model or schema.
    assert usage("one", cached("1h", 5000), model="claude-opus-5-5").cache_read_input_tokens == 0
    assert usage("one", cached("1h", 5000), output_config={"effort": "low"}).cache_read_input_tokens == 0


def test_short_prefixes_are_not_cached(client):
    for _ in range(2):
        usage = client.messages.create(**params(system=cached("5m", 1500), output_config=None)).usage
        assert (usage.cache_creation_input_tokens, usage.cache_read_input_tokens) == (0, 0)
    # The minimum of this model is 512 tokens.
    small = params(model="claude-haiku-5-5", system=cached("5m", 1500), output_config=None)
    assert client.messages.create(**small).usage.cache_creation_input_tokens == 556
    assert client.messages.create(**small).usage.cache_read_input_tokens == 556


def test_automatic_breakpoint_grows_with_the_conversation(client):
    turns = [{"role": "user", "content": "q" * 6000}]
    first = client.messages.create(**params(cache_control=EPHEMERAL, messages=turns)).usage
    turns += [{"role": "assistant", "content": "a" * 100}, {"role": "user", "content": "more"}]
    second = client.messages.create(**params(cache_control=EPHEMERAL, messages=turns)).usage
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert second.cache_creation_input_tokens == pytest.approx(104 / 2.7, abs=1)


def test_prefixes_expire(claude_server_module):
    from tools.claude_server.tokens import Block, PromptCache

    cache = PromptCache()
    for ttl, seconds in (("5m", 300), ("1h", 3600)):
        blocks = [Block(ttl * 2000, ttl), Block("a question")]
        billed, prefixes = cache.look_up("m", 1024, blocks, now=0)
        assert billed.written[ttl] == -(-4000 * 10 // 27)
        cache.keep(prefixes, now=0)
        assert cache.look_up("m", 1024, blocks, now=seconds - 1)[0].read == billed.written[ttl]
        expired = cache.look_up("m", 1024, blocks, now=seconds + 1)[0]
        assert (expired.read, expired.total) == (0, billed.total)


def test_the_sdk_retries_after_429_and_529(claude_server):
    server = claude_server(script=["rate_limit", "overloaded", ""], retry_after=0.2)
    with client_of(server, max_retries=2) as client:
        began = time.monotonic()
        assert Thing.model_validate_json(text_of(client.messages.create(**params())))
        assert time.monotonic() - began > 0.2
    stats = server.stats()
    assert stats["retries"] == {"0": 1, "1": 1, "2": 1}
    assert stats["statuses"] == {"429": 1, "529": 1, "200": 1}
    assert (stats["paid_answers"], stats["duplicates"]) == (1, 0)


def test_errors_have_their_classes(claude_server):
    server = claude_server(script=["rate_limit", "spend_limit", "overloaded", "server_error"], retry_after=7)
    with client_of(server) as client:
        with pytest.raises(anthropic.RateLimitError) as limited:
            client.messages.create(**params())
        assert limited.value.response.headers["retry-after"] == "7"
        assert limited.value.error_code is None
        with pytest.raises(anthropic.RateLimitError) as spent:
            client.messages.create(**params())
        assert "retry-after" not in spent.value.response.headers
        assert spent.value.error_code == "enforced_spend_limit_reached"
        with pytest.raises(anthropic.OverloadedError):
            client.messages.create(**params())
        with pytest.raises(anthropic.InternalServerError):
            client.messages.create(**params())
    assert server.stats()["paid_answers"] == 0


def test_cut_bodies_are_paid(claude_server):
    server = claude_server(script=["cut"])
    with client_of(server, max_retries=2) as client:
        with pytest.raises(json.JSONDecodeError):
            client.messages.create(**params())
        client.messages.create(**params())
        client.messages.create(**params())
    stats = server.stats()
    # The second was needed, as nothing had arrived; the third was not.
    assert (stats["paid_answers"], stats["duplicates"], stats["paid_again"]) == (3, 2, 1)
    assert (stats["outcomes"]["cut"], stats["outcomes"]["whole"]) == (1, 2)


def test_answers_that_hang_are_paid_once_an_attempt(claude_server):
    server = claude_server(script=["hang", "hang", ""], hang_seconds=30)
    with client_of(server, max_retries=2, timeout=0.3) as client:
        client.messages.create(**params())
    deadline = time.monotonic() + 5
    while (stats := server.stats())["in_flight"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (stats["paid_answers"], stats["duplicates"], stats["paid_again"]) == (3, 2, 0)
    assert (stats["outcomes"]["gone"], stats["outcomes"]["whole"]) == (2, 1)


def test_texts_that_cannot_be_used(claude_server):
    server = claude_server(script=["refusal", "max_tokens", "bad_json"])
    with client_of(server) as client:
        refused, short, bad = (client.messages.create(**params()) for _ in range(3))
    assert (refused.stop_reason, refused.content) == ("refusal", [])
    assert refused.stop_details.category == "frontier_llm"
    assert short.stop_reason == "max_tokens"
    assert bad.stop_reason == "end_turn"
    for message in (short, bad):
        with pytest.raises(json.JSONDecodeError):
            json.loads(text_of(message))
    assert (server.stats()["paid_answers"], server.stats()["paid_again"]) == (3, 0)


def outcomes(server, requests, rounds):
    """What each attempt at each request came to."""
    with client_of(server) as client:
        found = []
        for _ in range(rounds):
            for i in range(requests):
                try:
                    message = client.messages.create(**params(messages=[{"role": "user", "content": f"Thing {i}"}]))
                    found.append(message.stop_reason)
                except anthropic.APIStatusError as e:
                    found.append(e.status_code)
                except json.JSONDecodeError:
                    found.append("cut")
        return found


def test_faults_depend_on_seed_request_and_attempt_only(claude_server):
    rates = {"rate_limit": 0.1, "overloaded": 0.1, "server_error": 0.1, "cut": 0.2, "refusal": 0.2}
    first = outcomes(claude_server(seed=1, **rates), 25, 2)
    assert outcomes(claude_server(seed=1, **rates), 25, 2) == first
    assert outcomes(claude_server(seed=2, **rates), 25, 2) != first
    assert first[:25] != first[25:]
    assert set(first) == {429, 529, 500, "cut", "refusal", "end_turn"}


def test_rates_are_met(claude_server_module):
    from tools.claude_server.faults import drawn

    config = claude_server_module.Config(hang=0.1, cut=0.05)
    draws = [drawn(config, ("hang", "cut"), f"{i}", 0) for i in range(20_000)]
    assert draws.count("hang") / 20_000 == pytest.approx(0.1, abs=0.01)
    assert draws.count("cut") / 20_000 == pytest.approx(0.05, abs=0.01)


def gather(server, count, **options):
    async def ask():
        async with anthropic.AsyncAnthropic(
            api_key=server.api_key, base_url=server.url, **{"max_retries": 0, **options}
        ) as client:
            calls = (
                client.messages.create(**params(messages=[{"role": "user", "content": f"{i}"}])) for i in range(count)
            )
            return await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(ask())


def test_capacity(claude_server):
    server = claude_server(capacity=3, latency=0.5)
    results = gather(server, 8)
    refused = [result for result in results if isinstance(result, anthropic.OverloadedError)]
    assert 0 < len(refused) <= 5
    stats = server.stats()
    assert stats["max_in_flight"] > 3
    assert stats["paid_answers"] == 8 - len(refused) >= 3


def test_requests_a_minute(claude_server):
    server = claude_server(rpm=120)
    results = gather(server, 4)
    refused = [result for result in results if isinstance(result, anthropic.RateLimitError)]
    assert 0 < len(refused) < 4
    headers = refused[0].response.headers
    assert headers["retry-after"] == "1"
    assert headers["anthropic-ratelimit-requests-limit"] == "120"
    assert headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert headers["anthropic-ratelimit-requests-reset"].endswith("Z")


def test_tokens_a_minute(claude_server):
    server = claude_server(otpm=1500, itpm=100_000)
    with client_of(server) as client:
        # 1,000 tokens are reserved until the answer, which is shorter.
        raw = client.messages.with_raw_response.create(**params())
        left = int(raw.headers["anthropic-ratelimit-output-tokens-remaining"])
        assert left >= 1500 - raw.parse().usage.output_tokens
        assert raw.headers["anthropic-ratelimit-input-tokens-limit"] == "100000"
        with pytest.raises(anthropic.RateLimitError, match="output-tokens per minute"):
            client.messages.create(**params(max_tokens=2000))


def test_latency_and_what_is_changed_while_it_runs(server, client):
    server.configure(latency=0.3, jitter=0.1)
    began = time.monotonic()
    client.messages.create(**params())
    assert 0.27 <= time.monotonic() - began < 2
    server.reset()
    assert server.stats()["paid_answers"] == 0
    server.configure(latency=0, refusal=1.0)
    assert client.messages.create(**params()).stop_reason == "refusal"
    with pytest.raises(OSError, match="400"):
        server.configure(refusal=1.5)
    with pytest.raises(OSError, match="400"):
        server.configure(colour="red")


def test_rates_that_exceed_one(claude_server_module):
    with pytest.raises(ValueError, match=r"refusal, max_tokens, bad_json add up to 1\.1"):
        claude_server_module.Config(refusal=0.6, bad_json=0.5)


def batch_of(count, **changes):
    return [
        {"custom_id": f"id-{i}", "params": params(messages=[{"role": "user", "content": f"Thing {i}"}], **changes)}
        for i in range(count)
    ]


def ended(client, id_, seconds=10):
    deadline = time.monotonic() + seconds
    while (batch := client.messages.batches.retrieve(id_)).processing_status != "ended":
        assert time.monotonic() < deadline
        time.sleep(0.03)
    return batch


def test_a_batch_from_end_to_end(client, server):
    created = client.messages.batches.create(requests=batch_of(50))
    assert (created.processing_status, created.request_counts.processing) == ("in_progress", 50)
    assert (created.results_url, created.ended_at) == (None, None)
    with pytest.raises(anthropic.AnthropicError, match="results_url"):
        client.messages.batches.results(created.id)
    batch = ended(client, created.id)
    assert batch.request_counts.to_dict() == {
        "processing": 0,
        "succeeded": 50,
        "errored": 0,
        "canceled": 0,
        "expired": 0,
    }
    results = list(client.messages.batches.results(batch.id))
    ids = [result.custom_id for result in results]
    assert sorted(ids) == sorted(f"id-{i}" for i in range(50))
    assert ids != [f"id-{i}" for i in range(50)]
    for result in results:
        assert result.result.message.content[0].type == "thinking"
        assert result.result.message.usage.service_tier == "batch"
        assert Thing.model_validate_json(text_of(result.result.message))
    stats = server.stats()
    assert stats["tokens"][MODEL]["batch"]["answers"] == stats["paid_answers"] == 50
    assert stats["seconds"] < 60
    assert stats["batches"] == [{"id": batch.id, "requests": 50}]
    # The answer to an equal request is the same, online; it is paid twice.
    online = client.messages.create(**batch_of(1)[0]["params"])
    assert text_of(online) == next(text_of(r.result.message) for r in results if r.custom_id == "id-0")
    assert server.stats()["paid_again"] == 1


def test_batch_requests_that_fail_are_not_paid(claude_server):
    server = claude_server(batch_expired=0.2, batch_errored=0.2, batch_invalid=0.1)
    requests = batch_of(60)
    requests[0]["params"]["temperature"] = 0.5
    requests[1]["params"]["model"] = "claude-none-1"
    with client_of(server) as client:
        batch = ended(client, client.messages.batches.create(requests=requests).id)
        results = {result.custom_id: result.result for result in client.messages.batches.results(batch.id)}
        counts = batch.request_counts
        assert counts.expired > 0
        assert counts.succeeded + counts.errored + counts.expired == 60
        assert results["id-0"].error.error.type == "invalid_request_error"
        assert "temperature: Extra inputs" in results["id-0"].error.error.message
        assert results["id-1"].error.error.type == "not_found_error"
        assert {result.error.error.type for result in results.values() if result.type == "errored"} == {
            "invalid_request_error",
            "not_found_error",
            "api_error",
        }
        assert server.stats()["paid_answers"] == counts.succeeded
        # Sent again, a request has another attempt.
        again = ended(client, client.messages.batches.create(requests=requests).id)
        assert again.request_counts != counts


def test_cancelled_batches(claude_server):
    server = claude_server(batch_seconds=30)
    with client_of(server) as client:
        batch = client.messages.batches.create(requests=batch_of(5))
        cancelled = client.messages.batches.cancel(batch.id)
        assert cancelled.cancel_initiated_at
        assert cancelled.processing_status == "canceling"
        assert ended(client, batch.id).request_counts.canceled == 5
        assert {result.result.type for result in client.messages.batches.results(batch.id)} == {"canceled"}
    assert server.stats()["paid_answers"] == 0


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([], "requests: List should have at least 1 item"),
        ([{"custom_id": "a b", "params": {}}], "requests.0.custom_id: String should match pattern"),
        ([{"custom_id": "x" * 65, "params": {}}], "requests.0.custom_id: String should match pattern"),
        ([{"custom_id": "x", "params": {}, "more": 1}], "requests.0.more: Extra inputs"),
        ([{"custom_id": "x"}], "requests.0.params: Field required"),
        ([{"custom_id": "x", "params": {}}] * 2, "custom_id must be unique within a batch, 'x' is not"),
        ([{"custom_id": f"{i}", "params": {}} for i in range(100_001)], "List should have at most 100000 items"),
    ],
    ids=["none", "pattern", "length", "field", "params", "unique", "many"],
)
def test_batches_that_are_refused(refusing, requests, message):
    server, client = refusing
    with pytest.raises(anthropic.BadRequestError) as caught:
        post(client, {"requests": requests}, "/v1/messages/batches")
    assert message in caught.value.api_message
    assert server.stats()["batches"] == []


def test_slow_create_is_found_in_the_list(claude_server):
    server = claude_server(batch_slow_create=1.0, slow_create_seconds=5)
    with client_of(server) as client:
        with pytest.raises(anthropic.APITimeoutError):
            client.messages.batches.create(requests=batch_of(3), timeout=0.3)
        server.configure(batch_slow_create=0)
        [batch] = client.messages.batches.list(limit=5)
        assert batch.request_counts.processing + batch.request_counts.succeeded == 3
    # A client that retries by itself makes two.
    server.configure(batch_slow_create=1.0)
    with client_of(server, max_retries=1) as client, pytest.raises(anthropic.APITimeoutError):
        client.messages.batches.create(requests=batch_of(4), timeout=0.3)
    assert [batch["requests"] for batch in server.stats()["batches"]] == [3, 4, 4]


def test_lists_of_batches_have_pages(client):
    ids = [client.messages.batches.create(requests=batch_of(1)).id for _ in range(5)]
    page = client.messages.batches.list(limit=2)
    assert ([batch.id for batch in page.data], page.has_more) == ([ids[4], ids[3]], True)
    assert [batch.id for batch in client.messages.batches.list(limit=2)] == ids[::-1]
    assert [batch.id for batch in client.messages.batches.list(limit=2, before_id=ids[1]).data] == [ids[3], ids[2]]
    with pytest.raises(anthropic.BadRequestError, match="limit"):
        client.messages.batches.list(limit=1001)
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.retrieve("msgbatch_none")


def test_overloaded_create_and_cut_results(claude_server):
    server = claude_server(batch_overloaded=1.0, batch_cut_results=1.0)
    with client_of(server) as client:
        with pytest.raises(anthropic.OverloadedError):
            client.messages.batches.create(requests=batch_of(9))
        assert server.stats()["batches"] == []
        server.configure(batch_overloaded=0)
        batch = ended(client, client.messages.batches.create(requests=batch_of(9)).id)
        arrived = []
        with pytest.raises(json.JSONDecodeError):
            for result in client.messages.batches.results(batch.id):
                arrived.append(result.custom_id)
        assert 0 < len(arrived) < 9
        server.configure(batch_cut_results=0)
        assert len(list(client.messages.batches.results(batch.id))) == 9


def test_a_process_of_its_own(claude_server_module):
    config = claude_server_module.Config(api_key="its-key", script=("refusal",))
    with claude_server_module.spawned(config) as server, client_of(server) as client:
        assert client.messages.create(**params()).stop_reason == "refusal"
        assert server.stats()["paid_answers"] == 1


def test_options_of_the_command():
    command = [sys.executable, "-m", "tools.claude_server", "--answers", "json", "--latency", "-1"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert "latency" in run.stderr
