"""Every public transform refuses elements of another type when the pipeline is built."""

from collections.abc import Callable

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from gatling_beam import transforms
from gatling_beam.sample import SourceRow
from gatling_beam.transforms import NormalizeToPlan

MAKE: dict[str, Callable[[], beam.PTransform]] = {
    "AuditRows": lambda: transforms.AuditRows(),
    "BuildContrastSets": lambda: transforms.BuildContrastSets("out", shards=1),
    "BuildFamilies": lambda: transforms.BuildFamilies(),
    "DedupByIntentHash": lambda: transforms.DedupByIntentHash(),
    "ExchangeByHash": lambda: transforms.ExchangeByHash(lambda index, table: [], buckets=1),
    "FromRows": lambda: transforms.FromRows(),
    "GenerateClaudeTraces": lambda: transforms.GenerateClaudeTraces(1, answers="answers"),
    "GenerateGoldTraces": lambda: transforms.GenerateGoldTraces(1),
    "JudgeRows": lambda: transforms.JudgeRows(),
    "MutateFlow": lambda: transforms.MutateFlow(),
    "MutateHierarchy": lambda: transforms.MutateHierarchy(),
    "MutateProvenance": lambda: transforms.MutateProvenance(),
    "MutateScope": lambda: transforms.MutateScope(),
    "NormalizeToPlan": lambda: transforms.NormalizeToPlan(),
    "ReadFromHuggingFace": lambda: transforms.ReadFromHuggingFace("xlam"),
    "ReadHFSource": lambda: transforms.ReadHFSource("xlam"),
    "ReadSamples": lambda: transforms.ReadSamples("out"),
    "RewordRequests": lambda: transforms.RewordRequests(answers="answers"),
    "SumDiversity": lambda: transforms.SumDiversity(),
    "SumTallies": lambda: transforms.SumTallies(),
    "TakeExactly": lambda: transforms.TakeExactly(1, seed=0),
    "ToRows": lambda: transforms.ToRows(),
    "TracesToSamples": lambda: transforms.TracesToSamples(),
    "ValidateDAG": lambda: transforms.ValidateDAG(),
    "ValidateTraces": lambda: transforms.ValidateTraces(),
    "WriteDeadLetters": lambda: transforms.WriteDeadLetters("out"),
    "WriteSamples": lambda: transforms.WriteSamples("out", shards=1),
}
PUBLIC = [
    name
    for name in transforms.__all__
    if isinstance(getattr(transforms, name), type) and issubclass(getattr(transforms, name), beam.PTransform)
]


@pytest.mark.parametrize("name", PUBLIC)
def test_integers_are_refused(name: str) -> None:
    numbers = beam.Pipeline(runner=FnApiRunner()) | beam.Create([1])
    with pytest.raises(beam.typehints.TypeCheckError, match=r"int"):
        numbers | MAKE[name]()


@pytest.mark.parametrize(("name", "hint"), [("xlan", "did you mean xlam"), ("zzzz", "sources=")])
def test_rows_of_an_unknown_source_say_what_to_do(name: str, hint: str) -> None:
    row = SourceRow(source=name, data=b"{}", location="f:0")
    with pytest.raises(Exception, match=hint), beam.Pipeline(runner=FnApiRunner()) as p:
        p | beam.Create([row]) | NormalizeToPlan()
