import hashlib
import json
import subprocess
import sys
from collections import Counter

import msgspec
import pytest

from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.graph import plan_problem
from gatling_beam.intent import intent_hash
from gatling_beam.oracle import models
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.validate import trace_problems
from gatling_beam.validate.diversity import diversity_of, merge_diversity, report

N = 20 * len(domain_names())


@pytest.fixture(scope="module")
def traces():
    oracle = TemplateOracle(11, domain_names())
    return [oracle.trace(number) for number in range(N)]


def test_every_trace_passes_the_validators(traces):
    assert [(t.trace_id, trace_problems(t)) for t in traces if trace_problems(t)] == []


def test_every_value_comes_from_somewhere(traces):
    rows = [trace_to_sample(trace) for trace in traces]
    assert {source.kind for row in rows for source in row.arg_sources} == {"request", "edge", "default"}


def test_traces_of_every_task_are_distinct():
    seen = {trace_to_sample(trace).intent_hash for trace in map(TemplateOracle(0, ["banking"]).trace, range(8_000))}
    assert len(seen) > 0.999 * 8_000


def test_traces_are_varied(traces):
    figures = report(diversity_of(traces))
    assert figures.domains == len(domain_names()) and figures.domain_entropy == 1.0
    assert figures.intents == 6 and figures.patterns == 6
    assert 1.8 <= figures.calls_per_trace <= 2.5
    assert figures.tool_entropy >= 0.9
    assert figures.masked_distinct >= 0.95
    assert figures.decades >= 3
    assert figures.problems() == []


def test_every_domain_comes_equally_often(traces):
    assert set(Counter(trace.request.domain for trace in traces).values()) == {N // len(domain_names())}


def test_diversity_adds_up(traces):
    parts = [diversity_of(traces[start::3]) for start in range(3)]
    assert report(merge_diversity(parts)) == report(diversity_of(traces))


def test_the_json_is_that_of_the_models(traces):
    for trace in traces[:: len(domain_names()) + 1]:
        text = msgspec.json.encode(trace)
        model = models.GoldTrace.model_validate_json(text)
        assert json.loads(model.model_dump_json()) == json.loads(text)
        assert model.to_struct() == msgspec.json.decode(text, type=type(trace))
    assert list(json.loads(text)) == ["trace_id", "request", "policy", "graph", "metadata", "created_at", "validated"]


def test_a_row_loses_nothing_of_a_trace(traces):
    for trace in traces[::7]:
        sample = trace_to_sample(trace)
        assert plan_problem(sample.execution_plan) is None
        assert sample.intent_hash == intent_hash(sample.execution_plan, sample.edge_evidence)
        gold = sample.metadata["gold"]
        assert gold["request"] == msgspec.to_builtins(trace.request)
        for call, kept, node in zip(trace.graph.calls, gold["calls"], sample.execution_plan.nodes, strict=True):
            assert kept["scope"] == msgspec.to_builtins(call.scope)
            assert (node.tool_name, node.arguments) == (call.tool_id, call.arguments)
        assert sample.warrant == {"calls": trace.metadata["warrant"]}
        assert len(sample.contexts) == 1 + len(trace.metadata["contexts"])
        by_hash = {context.content_hash for context in sample.contexts}
        assert {node.provenance_hash for node in sample.execution_plan.nodes} <= by_hash
        assert sample.execution_plan.nodes[0].provenance_tier in (1, 2, 3)


def test_retrieved_texts_come_in_all_tiers_in_benign_rows(traces):
    tiers = Counter(context["tier"] for trace in traces for context in trace.metadata["contexts"])
    assert set(tiers) == {1, 2, 3}


def test_a_trace_depends_on_seed_and_number_alone():
    names = domain_names()[:3]
    alone = TemplateOracle(5, names).trace(17)
    oracle = TemplateOracle(5, names)
    for number in (3, 17, 2):
        trace = oracle.trace(number)
        assert (trace == alone) == (number == 17)
    assert TemplateOracle(6, names).trace(17) != alone


def test_another_process_makes_the_same_bytes():
    code = (
        "import msgspec, sys, hashlib\n"
        "from gatling_beam.oracle.template import TemplateOracle\n"
        "from gatling_beam.domains.loader import domain_names\n"
        "o = TemplateOracle(1, domain_names())\n"
        "print(hashlib.sha256(b''.join(msgspec.json.encode(o.trace(i)) for i in range(120))).hexdigest())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PATH": ""}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "12345")
    }
    oracle = TemplateOracle(1, domain_names())
    own = hashlib.sha256(b"".join(msgspec.json.encode(oracle.trace(i)) for i in range(120))).hexdigest()
    assert runs == {f"{own}\n".encode()}


def test_unknown_domains_are_refused_with_close_names():
    with pytest.raises(ValueError, match="did you mean finance"):
        TemplateOracle(0, ["finanse"])
    with pytest.raises(ValueError, match="at least one"):
        TemplateOracle(0, [])


def test_policies_of_a_domain_differ_and_limits_span_three_decades():
    for name in domain_names():
        policies = domain(name).policies
        assert len({policy.policy_id.rsplit("_v", 1)[1][:2] for policy in policies}) >= 20
        rows = [policy.limits["rows"] for policy in policies]
        assert max(rows) / min(rows) >= 1_000
