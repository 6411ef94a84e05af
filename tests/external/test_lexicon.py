"""The share of tool names of real data sets that the lexicon does not know."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from gatling_beam.lexicon import is_known, unknown_share
from gatling_beam.sample import Sample

pytestmark = pytest.mark.external


def test_names_of_real_sets_are_known():
    spec = spec_from_file_location("gatling_beam_real_sets", Path(__file__).parent / "real_sets.py")
    real_sets = module_from_spec(spec)
    spec.loader.exec_module(real_sets)
    found = {
        node.tool_name
        for real_set in real_sets.REAL_SETS
        for _, outcome in real_set.outcomes()
        if isinstance(outcome, Sample)
        for node in outcome.execution_plan.nodes
    }
    assert len(found) > 1_000
    assert unknown_share(found) < 0.05, sorted(name for name in found if not is_known(name))
