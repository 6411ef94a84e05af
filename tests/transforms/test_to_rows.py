import json

import apache_beam as beam
import pytest
from apache_beam import coders
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.flat import PlanRow, from_row, to_row
from gatling_beam.sample import Sample
from gatling_beam.transforms.to_rows import FromRows, ToRows

WORKERS = PipelineOptions(["--direct_running_mode=multi_processing", "--direct_num_workers=2"])


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_sample_comes_back_equal(strategies, data):
    sample = data.draw(strategies.structs(Sample))
    coder = coders.registry.get_coder(PlanRow)
    row = to_row(sample)
    assert from_row(row) == sample
    assert from_row(coder.decode(coder.encode(row))) == sample


def test_the_columns_of_a_row(strategies):
    sample = strategies.plain_samples(1)[0]
    row = to_row(sample)
    assert row._asdict() | {"plan_json": None, "sample_json": None} == {
        "sample_id": sample.sample_id,
        "intent_hash": sample.intent_hash,
        "source": "xlam",
        "tier": "I",
        "split": None,
        "label": "benign",
        "language": "en",
        "request": sample.request,
        "num_nodes": 2,
        "plan_json": None,
        "sample_json": None,
    }
    assert json.loads(row.plan_json) == json.loads(row.sample_json)["execution_plan"]
    assert json.loads(row.plan_json)["nodes"][0]["arguments"] == {"limit": 0, "type": "beta"}


def test_rows_have_a_schema_and_not_pickle():
    assert isinstance(coders.registry.get_coder(PlanRow), coders.RowCoder)
    fields = coders.registry.get_coder(PlanRow).schema.fields
    assert [field.name for field in fields] == list(PlanRow._fields)


@pytest.mark.parametrize("options", [PipelineOptions([]), WORKERS], ids=["in_process", "two_processes"])
def test_there_and_back_with_grouping_and_selection_between(strategies, options):
    samples = strategies.plain_samples(6) + strategies.plain_samples(3, source="glaive")
    with beam.Pipeline(runner=FnApiRunner(), options=options) as p:
        rows = p | beam.Create(samples) | ToRows() | beam.Reshuffle()
        back = rows | FromRows()
        assert back.element_type is Sample
        assert_that(back, equal_to(samples), label="Back")
        counts = (
            rows
            | beam.GroupBy("source").aggregate_field("num_nodes", sum, "nodes")
            | "Pairs" >> beam.Map(lambda row: (row.source, row.nodes))
        )
        assert_that(counts, equal_to([("xlam", 12), ("glaive", 6)]), label="Counts")
        selected = (
            rows
            | beam.Select("label", "sample_json", hops=lambda row: row.num_nodes - 1)
            | "Again" >> FromRows()
            | "Ids" >> beam.Map(lambda sample: sample.sample_id)
        )
        assert_that(selected, equal_to([sample.sample_id for sample in samples]), label="Selected")


@pytest.mark.parametrize("element", [3, "text", beam.Row(sample_id="a", n=1), {"sample_json": "{}"}])
def test_elements_without_the_column_are_refused(element):
    with pytest.raises(beam.typehints.TypeCheckError, match="FromRows takes rows with a column sample_json"):
        beam.Pipeline(runner=FnApiRunner()) | beam.Create([element]) | FromRows()


def test_rows_of_an_unknown_type_are_taken(strategies):
    sample = strategies.plain_samples(1)[0]
    with beam.Pipeline(runner=FnApiRunner()) as p:
        rows = p | beam.Create([beam.Row(sample_json=to_row(sample).sample_json)])
        untyped = rows | beam.Map(lambda row: row).with_output_types(beam.typehints.Any)
        assert_that(untyped | FromRows(), equal_to([sample]))


def test_a_wrong_element_type_is_refused():
    with pytest.raises(beam.typehints.TypeCheckError):
        beam.Pipeline(runner=FnApiRunner()) | beam.Create(["text"]) | ToRows()
