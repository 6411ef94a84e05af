"""Rows of each data set as it writes them (invented, true to the schema), and what they hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatling_beam.sources import FORMATS, Extracted, SourceSpec, source

Row = dict[str, Any]
HF = Path(__file__).parents[2] / "fixtures" / "hf"


@pytest.fixture(scope="session")
def rows_of() -> Callable[[str], list[Row]]:
    """`<owner>__<name>/<config>.<split>` -> the three rows of that file."""

    def read(name: str) -> list[Row]:
        return [json.loads(line) for line in (HF / f"{name}.jsonl").read_text("utf-8").splitlines()]

    return read


@pytest.fixture(scope="session")
def extract() -> Callable[[Row, str | SourceSpec], Extracted]:
    """(row, source or its name) -> what its adapter makes of the row."""

    def run(row: Row, of: str | SourceSpec) -> Extracted:
        spec = source(of) if isinstance(of, str) else of
        return FORMATS[spec.format](row, spec)

    return run
