"""What gold traces cost, and how many of them are distinct: one JSON line a measurement.

    python benchmarks/gold.py --total 100000 --workers 1        # the command, as a user runs it
    python benchmarks/gold.py --distinct 3500000                # distinct intent hashes, no files written

CPU seconds are those of the whole process tree; `start_s` is the CPU of the same command for 100 traces and is taken
off for `us_per_trace` and `traces_per_s_per_core`.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from gatling_beam.domains.loader import domain_names
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.shard import gold_traces
from gatling_beam.oracle.trace import GoldTrace

_CHUNK = 20_000


def measure(total: int, workers: int) -> dict[str, float]:
    """CPU and wall of `gatling-beam gold` for so many traces, and what the set's diversity is."""
    with tempfile.TemporaryDirectory() as folder:
        output = f"{folder}/gold"
        command = [sys.executable, "-m", "gatling_beam.pipelines.gold", "--output", output, "--quiet"]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [*command, "--total", str(total), "--workers", str(workers)], check=True, stderr=subprocess.DEVNULL
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        diversity = json.loads(Path(output, "diversity.json").read_text())
        return {"cpu_s": round(cpu, 2), "wall_s": round(time.perf_counter() - start, 2), **diversity}


def hashes(start: int, stop: int, seed: int) -> tuple[int, bytes]:
    """How many traces of a range are valid, and their intent hashes, 16 bytes each."""
    traces = gold_traces(seed, domain_names(), start, stop)
    samples = [trace_to_sample(trace) for trace in traces if isinstance(trace, GoldTrace)]
    return len(samples), b"".join(bytes.fromhex(sample.intent_hash) for sample in samples)


def distinct(total: int, seed: int, processes: int) -> dict[str, float]:
    """The number of distinct intent hashes among `total` traces."""
    start = time.perf_counter()
    ranges = [(first, min(total, first + _CHUNK)) for first in range(0, total, _CHUNK)]
    with ProcessPoolExecutor(processes) as pool:
        parts = list(pool.map(hashes, *zip(*ranges, strict=True), [seed] * len(ranges)))
    found = np.unique(np.frombuffer(b"".join(part for _, part in parts), "S16"))
    valid = sum(n for n, _ in parts)
    wall = round(time.perf_counter() - start, 1)
    return {"what": "distinct", "traces": total, "valid": valid, "distinct": len(found), "wall_s": wall}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--total", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--distinct", type=int, help="count distinct intent hashes of so many traces instead")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    if args.distinct:
        print(json.dumps(distinct(args.distinct, 0, args.processes)), flush=True)
        return
    small, full = measure(100, args.workers), measure(args.total, args.workers)
    net = full["cpu_s"] - small["cpu_s"]
    figures = {
        "what": f"gold, {args.workers} workers",
        "us_per_trace": round(net / args.total * 1e6, 1),
        "traces_per_s_per_core": round(args.total / net),
        "start_s": small["cpu_s"],
        **full,
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
