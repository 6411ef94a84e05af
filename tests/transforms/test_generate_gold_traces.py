import apache_beam as beam
import msgspec
import pytest

from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import Sample, Tally
from gatling_beam.transforms import GenerateGoldTraces, SumTallies, TracesToSamples
from gatling_beam.validate import trace_problems

DOMAINS = ["finance", "devops", "smart_home"]


def build(pipeline):
    gold = pipeline | GenerateGoldTraces(2_500, seed=4, domains=DOMAINS, start=10)
    return {
        "traces": (gold.traces, GoldTrace),
        "samples": (gold.traces | TracesToSamples(), Sample),
        "tallies": (gold.tallies | SumTallies(), Tally),
    }


@pytest.fixture(scope="module")
def expected():
    oracle = TemplateOracle(4, DOMAINS)
    return [msgspec.structs.replace(oracle.trace(number), validated=True) for number in range(10, 2_510)]


@pytest.mark.parametrize("flags", [(), ("--direct_runner_bundle_repeat=1",)], ids=["once", "every bundle twice"])
def test_the_traces_are_those_of_the_numbers(run_pipeline, expected, flags):
    run = run_pipeline(build, *flags)
    assert sorted(run["traces"], key=lambda t: t.trace_id) == sorted(expected, key=lambda t: t.trace_id)
    assert all(trace_problems(trace) == [] for trace in run["traces"])
    by_id = {sample.sample_id: sample for sample in run["samples"]}
    assert by_id == {sample.sample_id: sample for sample in map(trace_to_sample, expected)}
    assert {(t.stage, t.source, t.kind, t.n) for t in run["tallies"]} == {
        ("gold", "gold", "in", 2_500),
        ("gold", "gold", "out", 2_500),
    }


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"total": 0}, ValueError, "total=0 is not a whole number >= 1"),
        ({"total": True}, ValueError, "total=True"),
        ({"total": 5, "seed": -1}, ValueError, "seed=-1"),
        ({"total": 5, "domains": ["finanse"]}, ValueError, "did you mean finance"),
        ({"total": 5, "domains": "finance"}, TypeError, "give a list of names"),
    ],
)
def test_wrong_arguments_are_refused_at_construction(arguments, error, says):
    with pytest.raises(error, match=says):
        GenerateGoldTraces(**arguments)


def test_rows_of_another_type_are_refused():
    with pytest.raises(beam.typehints.TypeCheckError), beam.Pipeline() as pipeline:
        pipeline | beam.Create([1]) | TracesToSamples()
