import copy
import pickle
import time

import apache_beam as beam
import pytest
from apache_beam.ml.inference.base import RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from gatling_beam.claude import inference
from gatling_beam.claude.calls import Answer
from gatling_beam.claude.engine import close_engines
from gatling_beam.claude.engine_settings import EngineSettings
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.inference import Failure, SharedStore, prompt_call
from gatling_beam.claude.store import read_part
from gatling_beam.transforms.claude_model_handler import METRICS_NAMESPACE, ClaudeModelHandler

MODEL = "claude-haiku-5-5"
KEY = "sk-ant-a-key-that-must-not-be-seen"
FAULTS = {
    "latency": 0.05, "jitter": 0.3, "retry_after": 0.1, "hang_seconds": 3.0,
    "rate_limit": 0.05, "overloaded": 0.05, "server_error": 0.03, "hang": 0.01, "cut": 0.02, "refusal": 0.02,
}  # fmt: skip


@pytest.fixture(autouse=True)
def fresh_engines(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    yield
    close_engines()


@pytest.fixture
def server(claude_server):
    return claude_server(api_key=KEY)


def settings(server, **options) -> EngineSettings:
    return EngineSettings(model=MODEL, base_url=server.url, **{"in_flight": 32, "backoff_s": 0.02, **options})


@pytest.fixture
def infer(tmp_path):
    """`infer(handler, prompts, *flags, **arguments of RunInference)`: the results in any order, and the counters."""

    def run(handler, prompts, *flags, **arguments):
        path = str(tmp_path / "results")

        def save(results, path):
            with open(path, "wb") as file:
                pickle.dump([(r.example, r.inference, r.model_id) for r in results], file)

        pipeline = beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions(list(flags)))
        (
            pipeline
            | "Prompts" >> beam.Create(prompts)
            | "Ask" >> RunInference(handler, **arguments)
            | "All" >> beam.combiners.ToList()
            | "Save" >> beam.Map(save, path)
        )
        result = pipeline.run()
        result.wait_until_finish()
        counters = result.metrics().query()["counters"]
        with open(path, "rb") as file:
            return pickle.load(file), {(c.key.metric.namespace, c.key.metric.name): c.committed for c in counters}

    return run


def test_every_prompt_gets_exactly_one_result_under_all_faults(server, infer):
    server.configure(**FAULTS)
    prompts = [f"prompt {n}" for n in range(200)]
    handler = ClaudeModelHandler(MODEL, engine=settings(server, timeout_s=2))
    arguments = {"max_tokens": 345, "system": "Answer in one sentence."}
    before = copy.deepcopy(arguments)
    results, counters = infer(handler, prompts, inference_args=arguments)
    assert arguments == before
    assert sorted(prompt for prompt, _, _ in results) == sorted(prompts)
    reasons = [message["stop_reason"] for _, message, _ in results]
    assert 0 < reasons.count("refusal") < 15
    assert reasons.count("refusal") + reasons.count("end_turn") == 200
    assert {model for _, _, model in results} == {MODEL}
    while server.stats(hashes=False)["in_flight"]:
        time.sleep(0.05)
    seen = server.stats()
    assert set(seen["max_tokens"]) == {"345"}
    lost = seen["outcomes"].get("cut", 0) + seen["outcomes"].get("gone", 0)
    assert seen["paid_answers"] == 200 + lost
    assert seen["paid_again"] == 0
    claude = {name: n for (namespace, name), n in counters.items() if namespace == METRICS_NAMESPACE}
    assert (claude["calls"], claude["maybe_billed"]) == (200, lost)
    assert claude["attempts"] == seen["requests"]["POST /v1/messages"]
    usages = [message["usage"] for _, message, _ in results]
    assert claude["input_tokens"] == sum(usage["input_tokens"] for usage in usages)
    assert claude["output_tokens"] == sum(usage["output_tokens"] for usage in usages)
    cost = sum(u["input_tokens"] * 0.10 + u["output_tokens"] * 0.50 for u in usages)
    assert claude["cost_micro_usd"] == pytest.approx(cost, abs=20)
    assert sum(n for (_, name), n in counters.items() if name == "num_inferences") == 200


def test_a_repeated_bundle_pays_for_nothing_again_with_stored_answers(server, infer, tmp_path):
    prompts = [f"prompt {n}" for n in range(100)]
    handler = ClaudeModelHandler(MODEL, engine=settings(server), answers=str(tmp_path / "answers"))
    results, counters = infer(handler, prompts, "--direct_runner_bundle_repeat=1")
    assert sorted(prompt for prompt, _, _ in results) == sorted(prompts)
    seen = server.stats()
    assert (seen["paid_answers"], seen["duplicates"]) == (100, 0)
    close_engines()
    again, counters = infer(handler, prompts)
    assert sorted(again, key=lambda r: r[0]) == sorted(results, key=lambda r: r[0])
    assert counters[METRICS_NAMESPACE, "replayed"] == 100
    assert server.stats()["paid_answers"] == 100


def test_calls_of_a_batch_are_made_at_once(server, infer):
    server.configure(latency=0.3)
    results, _ = infer(ClaudeModelHandler(MODEL, engine=settings(server)), [f"prompt {n}" for n in range(64)])
    assert len(results) == 64
    assert server.stats()["max_in_flight"] >= 16


def test_prompts_of_all_kinds_and_what_the_api_refuses(server, infer):
    conversation = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": "second"},
    ]
    body = {"messages": [{"role": "user", "content": "third"}], "max_tokens": 277}
    refused = {"messages": [{"role": "user", "content": "fourth"}], "top_k": 5}
    handler = ClaudeModelHandler(MODEL, params={"max_tokens": 500}, engine=settings(server))
    results, counters = infer(handler, ["a text", conversation, body, refused])
    found = {str(prompt): inference for prompt, inference, _ in results}
    assert isinstance(found[str(refused)], Failure)
    assert found[str(refused)].reason == "invalid_request_error"
    assert "top_k" in found[str(refused)].detail
    for prompt in ("a text", conversation, body):
        assert found[str(prompt)]["stop_reason"] == "end_turn"
    assert server.stats()["max_tokens"] == {"500": 2, "277": 1}
    assert counters[METRICS_NAMESPACE, "refused"] == 1


def test_what_concerns_a_prompt_is_a_failure_and_what_concerns_all_stops(server, infer):
    prompts = [f"prompt {n}" for n in range(40)]
    poor = settings(server, cap_usd=0.003)
    results, _ = infer(ClaudeModelHandler(MODEL, engine=poor), prompts)
    failures = [inference for _, inference, _ in results if isinstance(inference, Failure)]
    assert {failure.reason for failure in failures} == {"budget"}
    assert len(failures) == 40 - server.stats()["paid_answers"] > 0

    server.configure(server_error=1.0)
    broken = settings(server, attempts=2, backoff_s=0.01)
    results, _ = infer(ClaudeModelHandler(MODEL, engine=broken), ["a"])
    assert [inference.reason for _, inference, _ in results] == ["exhausted"]

    server.configure(api_key="another")
    with pytest.raises(Exception, match="Set ANTHROPIC_API_KEY") as raised:
        infer(ClaudeModelHandler(MODEL, engine=settings(server)), ["a"])
    assert KEY not in str(raised.value) + repr(raised.value)


def test_the_handler_travels_without_the_key_and_refuses_another_model(server):
    handler = ClaudeModelHandler(MODEL, engine=settings(server))
    assert KEY.encode() not in pickle.dumps(handler)
    assert KEY not in repr(vars(handler))
    with pytest.raises(ValueError, match="name one model"):
        ClaudeModelHandler("claude-opus-5-5", engine=settings(server))
    with pytest.raises(ValueError, match="inference_args has model='claude-opus-5-5'"):
        RunInference(handler, inference_args={"model": "claude-opus-5-5"}).expand(None)
    with pytest.raises(TypeError, match="a prompt of type int"):
        prompt_call(3, {})


def test_batches_are_beams_unless_given(server):
    assert ClaudeModelHandler(MODEL, engine=settings(server)).batch_elements_kwargs() == {
        "min_batch_size": 32,
        "max_batch_size": 256,
    }
    given = ClaudeModelHandler(MODEL, min_batch_size=2, max_batch_size=5, max_batch_weight=9, element_size_fn=len)
    assert given.batch_elements_kwargs() == {
        "min_batch_size": 2,
        "max_batch_size": 5,
        "max_batch_weight": 9,
        "element_size_fn": len,
    }
    assert ClaudeModelHandler(MODEL, max_batch_size=5).batch_elements_kwargs() == {
        "min_batch_size": 5,
        "max_batch_size": 5,
    }


def test_without_a_key_the_job_says_so(server, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(Stopped, match="ANTHROPIC_API_KEY is not set"):
        ClaudeModelHandler(MODEL, engine=settings(server)).load_model()


def test_a_store_sees_what_another_process_has_added_and_reads_no_part_twice(tmp_path, monkeypatch):
    ours, theirs = SharedStore(str(tmp_path)).load(), SharedStore(str(tmp_path)).load()
    calls = [prompt_call(f"prompt {n}", {"model": MODEL, "max_tokens": 9}) for n in range(4)]
    read = []
    monkeypatch.setattr(inference, "read_part", lambda path: read.append(path) or read_part(path))
    for n, call in enumerate(calls):
        theirs.add([(call, Answer(call.custom_id, {"id": f"msg_{n}"}))])
        assert ours.get(call.custom_id) is None
        assert ours.load().get(call.custom_id).message == {"id": f"msg_{n}"}
    assert len(read) == len(set(read)) == 4
