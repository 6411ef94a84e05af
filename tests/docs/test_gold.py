"""docs/gold.md and docs/gold-traces.md: the examples run, the figures and the traces are those of the code."""

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.validate import trace_problems
from gatling_beam.validate.diversity import diversity_of, report

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gold.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.split("<!-- examples:begin -->")[1], re.S)
SAMPLE = ("finance", "hr", "sales", "marketing", "legal")


def test_there_are_five_examples():
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("number", range(5))
def test_an_example_runs(number, tmp_path):
    script = tmp_path / "example.py"
    script.write_text(EXAMPLES[number])
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_the_traces_of_the_page_are_those_of_the_oracle():
    spec = spec_from_file_location("make_gold_page", ROOT / "tools" / "make_gold_page.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    text = module.page()
    assert text.count("\n## ") == 20
    assert (ROOT / "docs" / "gold-traces.md").read_text("utf-8") == text, "run `python tools/make_gold_page.py`"


def test_the_table_beside_the_original_is_what_is_computed():
    oracle = TemplateOracle(0, SAMPLE)
    traces = [oracle.trace(number) for number in range(100)]
    kept = [trace for trace in traces if not trace_problems(trace)]
    figures = report(diversity_of(kept))
    several = sum(len(trace.graph.calls) > 1 for trace in kept)
    finance = sum(trace.request.domain == "finance" for trace in kept)
    table = "\n".join(
        (
            f"| kept of 100 | 51 | {len(kept)} |",
            f"| different tools | 4 | {figures.tools} |",
            f"| traces with several calls | 0 | {several} |",
            f"| finance, of 20 | 0 | {finance} |",
            f"| calls a trace | 1.0 | {figures.calls_per_trace:.2f} |",
        )
    )
    assert f"<!-- sample:begin -->\n{table}\n<!-- sample:end -->" in PAGE, table
