import msgspec
import pytest

from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter, Tally
from gatling_beam.transforms import SumDiversity, SumTallies, ValidateTraces
from gatling_beam.transforms._coders import StructCoder
from gatling_beam.validate.diversity import Diversity, diversity_of, report

DOMAINS = ("finance", "devops", "smart_home")


@pytest.fixture(scope="module")
def good():
    oracle = TemplateOracle(4, DOMAINS)
    return [oracle.trace(number) for number in range(40)]


@pytest.fixture(scope="module")
def broken(good):
    """A trace whose first call hands over an argument that no tool knows."""
    first, *others = good[0].graph.calls
    call = msgspec.structs.replace(first, arguments=first.arguments | {"stowaway": 1})
    graph = msgspec.structs.replace(good[0].graph, calls=(call, *others))
    return msgspec.structs.replace(good[0], trace_id="broken", graph=graph)


@pytest.mark.parametrize("flags", [(), ("--direct_runner_bundle_repeat=1",)], ids=["once", "every bundle twice"])
def test_valid_traces_go_on_and_others_say_why(run_pipeline, good, broken, flags):
    def build(pipeline):
        import apache_beam as beam

        checked = pipeline | beam.Create([*good, broken]).with_output_types(GoldTrace) | ValidateTraces()
        return {
            "rows": (checked.rows, GoldTrace),
            "dead": (checked.dead, DeadLetter),
            "tallies": (checked.tallies | SumTallies(), Tally),
            "diversity": (checked.rows | SumDiversity(), Diversity),
        }

    run = run_pipeline(build, *flags)
    wanted = {trace.trace_id: msgspec.structs.replace(trace, validated=True) for trace in good}
    assert {trace.trace_id: trace for trace in run["rows"]} == wanted
    [letter] = run["dead"]
    assert (letter.reason, letter.location) == ("invalid_trace", "broken")
    assert "stowaway" in letter.detail
    counts = {(t.stage, t.kind, t.reason): t.n for t in run["tallies"]}
    assert counts == {
        ("validate_traces", "in", ""): 41,
        ("validate_traces", "out", ""): 40,
        ("validate_traces", "dead", "invalid_trace"): 1,
    }
    [diversity] = run["diversity"]
    assert report(diversity) == report(diversity_of(wanted.values()))
    assert StructCoder(Diversity).decode(StructCoder(Diversity).encode(diversity)) == diversity
