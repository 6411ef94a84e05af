"""What families cost: one JSON line a measurement.

    python benchmarks/mutate.py --anchors 20000 --per_term 4000

The command `gatling-beam tier2` as a user runs it, and beside it a plain loop over the same anchors that builds, judges
and writes the same crossings without Beam. CPU seconds are those of the whole process tree; those of a run for a few
rows are taken off, and the audit is left out. `negatives` are all that were accepted, before the exact quotas are cut.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gatling_beam.columns import StructColumns
from gatling_beam.families.build import STRATEGIES
from gatling_beam.families.make import STAGE, Making, make
from gatling_beam.ledger import read_ledger
from gatling_beam.sample import Sample
from gatling_beam.shard_list import list_shards, read_listed
from gatling_beam.shards import write_shard

_CLI = (sys.executable, "-m", "gatling_beam.pipelines.cli")
_BATCH = 5_000


def children_cpu() -> float:
    """CPU seconds of all finished children."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def command(*arguments: str) -> float:
    """CPU seconds of a command."""
    before = children_cpu()
    subprocess.run([*_CLI, *arguments, "--quiet"], check=True, stderr=subprocess.DEVNULL)
    return children_cpu() - before


def tier2(anchors: str, output: str, per_term: int, workers: int) -> tuple[float, int]:
    """CPU seconds of the command, and the negatives that it accepted: half of the rows."""
    cpu = command(
        "tier2", f"--input={anchors}", f"--output={output}", f"--per_term={per_term}", f"--workers={workers}",
        "--allow_short", "--seed=3", "--audit=no",
    )  # fmt: skip
    return cpu, read_ledger(output).total(STAGE).out // 2


def loop(anchors: str, folder: str, share: float) -> tuple[float, int]:
    """CPU seconds of a plain loop that makes, judges and writes one crossing of each strategy, and its negatives."""
    making = Making(STRATEGIES, seed=3, share=share)
    columns, rows, negatives, part = StructColumns(Sample), [], 0, 0
    start = time.process_time()
    for shard in list_shards([anchors]):
        for sample in read_listed(shard, documents=False):
            made = make(sample, [making]).rows
            negatives += sum(row.label != "benign" for row in made)
            rows += made
            if len(rows) >= _BATCH:
                write_shard(folder, f"part-{part:05}.parquet", columns.encode(rows), "parquet", Sample)
                rows, part = [], part + 1
    if rows:
        write_shard(folder, f"part-{part:05}.parquet", columns.encode(rows), "parquet", Sample)
    return time.process_time() - start, negatives


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anchors", type=int, default=20_000)
    parser.add_argument("--per_term", type=int, nargs="+", default=[4_000])
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        anchors = f"{folder}/anchors"
        command("tier1", "--sources=all", "--root=embedded", f"--target={options.anchors}", "--top_up=gold",
                f"--output={anchors}")  # fmt: skip
        start, few = tier2(anchors, f"{folder}/few", 20, options.workers)
        for per_term in options.per_term:
            cpu, negatives = tier2(anchors, f"{folder}/out-{per_term}", per_term, options.workers)
            print(json.dumps(figures("tier2", cpu - start, negatives - few) | {"per_term": per_term, "start_s": start}))
        Path(f"{folder}/loop").mkdir()
        cpu, negatives = loop(anchors, f"{folder}/loop", 1.0)
        print(json.dumps(figures("loop", cpu, negatives)))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(json.dumps({"what": "peak of one process", "mb": peak}))


def figures(what: str, cpu: float, negatives: int) -> dict[str, Any]:
    """A measurement, by negative."""
    return {
        "what": what,
        "negatives": negatives,
        "cpu_s": round(cpu, 1),
        "us_per_negative": round(cpu / max(negatives, 1) * 1e6),
        "negatives_per_s_per_core": round(negatives / cpu) if cpu > 0 else 0,
    }


if __name__ == "__main__":
    main()
