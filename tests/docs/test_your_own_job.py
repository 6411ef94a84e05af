"""The job of docs/your-own-job.md, run as the page says, in a process of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

PAGE = Path(__file__).parents[2] / "docs" / "your-own-job.md"


def test_the_job_of_the_page_runs(tmp_path):
    page = PAGE.read_text()
    code = re.search(r"<!-- job:begin -->\n```python\n(.*?)```", page, re.S).group(1)
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    row = json.loads(re.search(r"```json\n(.*?)\n```", page, re.S).group(1))
    folder = tmp_path / "data" / "acme" / "support"
    folder.mkdir(parents=True)
    again = row | {"id": 2, "query": "And where is order W-4711 now?"}
    other = row | {
        "id": 3,
        "query": "Where is order W-1?",
        "answers": [{"name": "get_order", "arguments": {"order_id": "W-1"}}],
    }
    broken = row | {"id": 4, "answers": [{"name": "drop_table", "arguments": {}}]}
    (folder / "calls.jsonl").write_text("".join(json.dumps(r) + "\n" for r in (row, again, other, broken)))
    script = tmp_path / "job.py"
    script.write_text(code)
    run = subprocess.run(
        [sys.executable, script, tmp_path / "data", tmp_path / "out"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    plans = pq.read_table(tmp_path / "out" / "plans" / "part-00000-of-00001.parquet").to_pylist()
    assert sorted(plan["original_id"] for plan in plans) == ["1", "3"]
    dead = pq.read_table(tmp_path / "out" / "dead" / "part-00000-of-00001.parquet").to_pylist()
    assert [letter["reason"] for letter in dead] == ["undeclared_tool"]
