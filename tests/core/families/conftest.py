"""Gold rows and their judged families; modules that several test files share."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gatling_beam.columns import StructColumns
from gatling_beam.domains.loader import domain_names
from gatling_beam.families.build import Made, crossings
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.sample import Sample
from gatling_beam.shards import write_shard


def load(name):
    spec = spec_from_file_location(f"gatling_beam_test_{name}", Path(__file__).parent / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def second_reading():
    """The module second_reading.py: a judge of stored rows that shares no code with the others."""
    return load("second_reading")


@pytest.fixture(scope="session")
def gold():
    """2,000 gold rows over all domains."""
    oracle = TemplateOracle(5, domain_names())
    return [trace_to_sample(oracle.trace(number)) for number in range(2_000)]


@pytest.fixture(scope="session")
def made(gold):
    """The crossings of 600 gold rows, not yet judged: (anchor, strategy, rows)."""
    return [
        (anchor, result.strategy, result.rows)
        for anchor in gold[:600]
        for result in crossings(anchor, seed=3)
        if isinstance(result, Made)
    ]


@pytest.fixture(scope="session")
def stored(tmp_path_factory):
    """`stored(samples)`: the rows as a Parquet file holds them."""

    def store(samples):
        folder = tmp_path_factory.mktemp("rows")
        write_shard(str(folder), "rows.parquet", StructColumns(Sample).encode(samples), "parquet", Sample)
        return pq.read_table(folder / "rows.parquet").to_pylist()

    return store


@pytest.fixture(scope="session")
def checks():
    """The module checks.py: what holds for every crossing."""
    return load("checks")


@pytest.fixture(scope="session")
def changed():
    """The module changed.py: gold rows with one thing changed."""
    return load("changed")
