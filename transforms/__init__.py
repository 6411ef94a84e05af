"""The transforms, each in a file of its own. Importing this registers the coders of the rows; it has no other effect.

A transform with more than one output returns a named result: `rows` go on, `dead` holds dead letters, `tallies` counts.
"""

if not __name__.startswith("gatling_beam."):
    raise ImportError(f"import gatling_beam.transforms, not {__name__}: a second copy brings second coders and classes")

from gatling_beam.transforms._generate import GoldResult
from gatling_beam.transforms._outcomes import Rows
from gatling_beam.transforms.audit_rows import AuditRows
from gatling_beam.transforms.build_contrast_sets import BuildContrastSets
from gatling_beam.transforms.build_families import BuildFamilies
from gatling_beam.transforms.dedup_by_intent_hash import DedupByIntentHash, DedupResult
from gatling_beam.transforms.exchange_by_hash import ExchangeByHash, Exchanged
from gatling_beam.transforms.generate_claude_traces import GenerateClaudeTraces
from gatling_beam.transforms.generate_gold_traces import GenerateGoldTraces, TracesToSamples
from gatling_beam.transforms.judge_rows import JudgeRows
from gatling_beam.transforms.mutate_flow import MutateFlow
from gatling_beam.transforms.mutate_hierarchy import MutateHierarchy
from gatling_beam.transforms.mutate_provenance import MutateProvenance
from gatling_beam.transforms.mutate_scope import MutateScope
from gatling_beam.transforms.normalize_to_plan import NormalizeToPlan
from gatling_beam.transforms.read_hf_source import ReadFromHuggingFace, ReadHFSource
from gatling_beam.transforms.read_samples import ReadSamples
from gatling_beam.transforms.reword_requests import RewordRequests
from gatling_beam.transforms.sum_diversity import SumDiversity
from gatling_beam.transforms.sum_tallies import SumTallies
from gatling_beam.transforms.take_exactly import TakeExactly, TakeResult
from gatling_beam.transforms.to_rows import FromRows, ToRows
from gatling_beam.transforms.validate_dag import ValidateDAG
from gatling_beam.transforms.validate_traces import ValidateTraces
from gatling_beam.transforms.write_dead_letters import WriteDeadLetters
from gatling_beam.transforms.write_samples import WriteResult, WriteSamples

__all__ = [
    "AuditRows",
    "BuildContrastSets",
    "BuildFamilies",
    "DedupByIntentHash",
    "DedupResult",
    "ExchangeByHash",
    "Exchanged",
    "FromRows",
    "GenerateClaudeTraces",
    "GenerateGoldTraces",
    "GoldResult",
    "JudgeRows",
    "MutateFlow",
    "MutateHierarchy",
    "MutateProvenance",
    "MutateScope",
    "NormalizeToPlan",
    "ReadFromHuggingFace",
    "ReadHFSource",
    "ReadSamples",
    "RewordRequests",
    "Rows",
    "SumDiversity",
    "SumTallies",
    "TakeExactly",
    "TakeResult",
    "ToRows",
    "TracesToSamples",
    "ValidateDAG",
    "ValidateTraces",
    "WriteDeadLetters",
    "WriteResult",
    "WriteSamples",
]
