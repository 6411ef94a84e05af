from collections import Counter

import apache_beam as beam
import msgspec
import pytest

from gatling_beam.sample import Sample, Tally
from gatling_beam.sampling import rank
from gatling_beam.transforms.sum_tallies import SumTallies
from gatling_beam.transforms.take_exactly import TakeExactly

content = msgspec.msgpack.Encoder(order="deterministic").encode

TWO_PROCESSES = ("--direct_num_workers=2", "--direct_running_mode=multi_processing")


def of_source(sample: Sample) -> str:
    return sample.source.name


def take(run_pipeline, rows, quota, *flags, **arguments):
    def build(pipeline):
        done = pipeline | beam.Create(rows) | TakeExactly(quota, seed=7, **arguments)
        return {"rows": (done.rows, Sample), "tallies": (done.tallies | SumTallies(), Tally)}

    result = run_pipeline(build, *flags)
    return {name: sorted(elements, key=content) for name, elements in result.items()}


def test_exactly_the_least_ranks_are_taken_in_any_order(run_pipeline, strategies):
    rows = strategies.plain_samples(150)
    expected = sorted(sorted(rows, key=lambda row: rank(7, row.group_id))[:40], key=content)
    for given in (rows, rows[::-1]):
        result = take(run_pipeline, given, 40)
        assert result["rows"] == expected
        assert result["tallies"] == [
            Tally("take", "xlam", "in", 150),
            Tally("take", "xlam", "out", 40),
            Tally("take", "xlam", "not_selected", 110),
        ]


@pytest.mark.parametrize("flags", [("--direct_runner_bundle_repeat=1",), TWO_PROCESSES])
def test_replayed_bundles_and_more_processes_change_nothing(run_pipeline, strategies, flags):
    rows = strategies.plain_samples(150)
    assert take(run_pipeline, rows, 40) == take(run_pipeline, rows, 40, *flags)


def test_quotas_by_stratum_with_shortfall_and_strata_that_are_not_wanted(run_pipeline, strategies):
    rows = [row for name in "abc" for row in strategies.plain_samples(30, name)]

    # Not a function of this module: a worker could not import it.
    result = take(run_pipeline, rows, {"a": 10, "b": 50, "z": 3}, stratum=lambda sample: sample.source.name)
    assert Counter(row.source.name for row in result["rows"]) == {"a": 10, "b": 30}
    assert result["tallies"] == sorted(
        [
            *(Tally("take", name, "in", 30) for name in "abc"),
            Tally("take", "a", "out", 10),
            Tally("take", "b", "out", 30),
            Tally("take", "a", "not_selected", 20, "a"),
            Tally("take", "c", "not_selected", 30, "c"),
            Tally("take", "", "note", 20, "shortfall:b"),
            Tally("take", "", "note", 3, "shortfall:z"),
        ],
        key=content,
    )


def test_a_number_holds_for_each_stratum(run_pipeline, strategies):
    rows = [row for name in "ab" for row in strategies.plain_samples(30, name)]
    result = take(run_pipeline, rows, 10, stratum=of_source)
    assert Counter(row.source.name for row in result["rows"]) == {"a": 10, "b": 10}


def test_a_group_is_taken_whole_or_not_at_all(run_pipeline, strategies):
    rows = [
        msgspec.structs.replace(row, group_id=f"family{i // 4}") for i, row in enumerate(strategies.plain_samples(80))
    ]
    sizes = Counter(row.group_id for row in take(run_pipeline, rows, 7)["rows"])
    assert len(sizes) == 7 and set(sizes.values()) == {4}


def test_no_rows_and_no_quota(run_pipeline, strategies):
    def build(pipeline):
        rows = pipeline | beam.Create([]).with_output_types(Sample)
        done = rows | TakeExactly({"a": 2}, seed=1)
        return {"rows": (done.rows, Sample), "tallies": (done.tallies, Tally)}

    assert run_pipeline(build) == {"rows": [], "tallies": [Tally("take", "", "note", 2, "shortfall:a")]}
    assert take(run_pipeline, strategies.plain_samples(3), 0)["rows"] == []


def test_bad_arguments_and_input_are_refused(strategies):
    with pytest.raises(ValueError, match="quota=-1"):
        TakeExactly(-1, seed=1)
    with pytest.raises(ValueError, match="seed=-1"):
        TakeExactly(1, seed=-1)
    with pytest.raises(TypeError, match="stratum='tier'"):
        TakeExactly(1, seed=1, stratum="tier")
    with pytest.raises(beam.typehints.TypeCheckError):
        [1] | TakeExactly(1, seed=1)
