"""Gold rows and their judged families; modules that several test files share."""

from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random

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


@pytest.fixture(scope="session")
def faults():
    """The module faults.py: how faults are planted, and the build whose checks find them."""
    return load("faults")


@pytest.fixture
def plant(faults, monkeypatch):
    """Plants a fault for one test."""
    return faults.Plant(monkeypatch)


@pytest.fixture(scope="session")
def sound_build(gold, made, changed, faults, checks, second_reading, stored):
    """The build that faults are planted in."""
    rows = [pair for anchor in gold[:350] for pair in changed.changed_rows(anchor, Random(anchor.sample_id))]
    read, counts = [], Counter()
    for (name, row), as_stored in zip(rows, stored([row for _, row in rows]), strict=True):
        try:
            second = second_reading.violated(as_stored)
        except second_reading.Undecided as undecided:
            second = str(undecided)
        counts[name, second] += 1
        if counts[name, second] <= 12:
            read.append((row, second))
    return faults.Build(faults.some_anchors(made), read, checks, second_reading, stored)


@pytest.fixture
def problems(sound_build):
    """`problems()`: the names of the checks that find anything in the build."""
    return sound_build.problems
