"""How many traces `gold --oracle claude` makes in a second, against a server on loopback in a process of its own.

    python benchmarks/claude.py                       # 2 s a call, 128 calls in flight, all three phases
    python benchmarks/claude.py --in_flight 512 --latency 8 --traces 20000

One JSON line: traces and calls by second, over the whole run and `steady` (without the ramp from 16 to all calls in
flight, and the last calls); `cpu_ms` is that of the client's process, the making of cells, prompts and checks included.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gatling_beam.claude.counts import Counts
from gatling_beam.claude.engine import close_engines, engine_of
from gatling_beam.claude.engine_settings import KEY_VARIABLE, EngineSettings
from gatling_beam.claude.group import GroupJob, Steps, groups_of, make_group
from gatling_beam.claude.online import run_online
from gatling_beam.claude.store import AnswerStore
from gatling_beam.domains.loader import domain_names
from tools.claude_server import Config, spawned
from tools.claude_server.gold_answers import VARIABLE


def timed(job: GroupJob, numbers: range, ended: list[tuple[float, int]]) -> Callable[[], Steps]:
    """A group that notes when it ends and how many traces it made."""

    def steps() -> Steps:
        result = yield from make_group(job, numbers)
        ended.append((time.perf_counter(), len(result.traces)))
        return result

    return steps


def measure(
    traces: int, in_flight: int, latency: float, jitter: float, rpm: int, second_reading: float
) -> dict[str, float]:
    """One run with an empty store."""
    job = GroupJob(1, domain_names(), judged=second_reading)
    ended: list[tuple[float, int]] = []
    groups = [timed(job, numbers, ended) for numbers in groups_of(range(traces))]
    os.environ[VARIABLE] = json.dumps({"seed": 1, "total": traces, "ready": True})
    config = Config(latency=latency, jitter=jitter, rpm=rpm, answers="tools.claude_server.gold_answers:answer")
    with spawned(config) as server, tempfile.TemporaryDirectory() as folder:
        os.environ[KEY_VARIABLE] = server.api_key
        engine = engine_of(
            EngineSettings(model=job.settings.model, base_url=server.url, in_flight=in_flight, timeout_s=60)
        )
        run_online(
            [lambda: make_group(job, range(10))], AnswerStore(folder, "warm"), engine
        )  # the server draws its cells
        server.reset()
        counts = Counts()
        cpu, start = time.process_time(), time.perf_counter()
        run_online(groups, AnswerStore(folder, "all"), engine, counts)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - start
        seen = server.stats(hashes=False)
        close_engines()
    calls, made = counts.total("calls"), sum(n for _, n in ended)
    middle = [(at, n) for at, n in sorted(ended) if start + 0.3 * wall < at < start + 0.8 * wall]
    return {
        "traces": made,
        "calls": calls,
        "wall_s": round(wall, 1),
        "traces_per_s": round(made / wall, 1),
        "steady_traces_per_s": round(sum(n for _, n in middle) / (0.5 * wall), 1),
        "calls_per_s": round(calls / wall, 1),
        "in_flight": in_flight,
        "peak_in_flight": seen["max_in_flight"],
        "cpu_ms_per_call": round(1e3 * cpu / calls, 2),
        "cpu_ms_per_trace": round(1e3 * cpu / max(made, 1), 2),
        "throttled": counts.total("throttled"),
        "paid_twice": seen["duplicates"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, default=6_000)
    parser.add_argument("--in_flight", type=int, default=128)
    parser.add_argument("--latency", type=float, default=2.0, help="seconds")
    parser.add_argument("--jitter", type=float, default=0.3)
    parser.add_argument("--rpm", type=int, default=0, help="requests a minute that the server allows; 0 for no limit")
    parser.add_argument("--second_reading", type=float, default=0.02)
    args = parser.parse_args()
    figures = measure(args.traces, args.in_flight, args.latency, args.jitter, args.rpm, args.second_reading)
    print(json.dumps({"what": f"gold by Claude online, {args.latency:g} s +-{args.jitter:.0%} a call", **figures}))


if __name__ == "__main__":
    main()
