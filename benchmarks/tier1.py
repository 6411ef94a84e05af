"""What the tier1 job costs: one JSON line a measurement.

    python benchmarks/tier1.py --rows 100000 1000000            # pipeline and plain loop, side by side
    python benchmarks/tier1.py --rows 300000 3000000 --workers 2

Rows are generated in the form of xLAM (JSON texts in columns, 1-4 calls, about 10 % duplicates). "pipeline" is the
command as a user runs it, "loop" the same pure functions in one plain loop (read, normalise, validate, keep the
least of each intent hash, columns, Parquet); each runs in a process of its own. CPU seconds are those of the whole
process tree; `start_s` is the CPU of the same command on 100 rows and is taken off for `us_per_row` and
`rows_per_s_per_core`. Peak memory is the sum of PSS over the tree, sampled five times a second.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec
import psutil

FOLDER = "Voxel51/fiftyone-function-calling-14k/data"
WORDS = "alpha beta gamma delta report invoice paris london berlin march sales team north south green blue".split()
KEYS = ["city", "limit", "date", "user_id", "query", "path", "lang", "sort", "page"]


def generate(root: str, rows: int, files: int = 8) -> None:
    """Writes `rows` rows of xLAM form as JSON lines; every tenth repeats the calls of an earlier one."""
    folder = Path(root, FOLDER)
    folder.mkdir(parents=True)
    rng = random.Random(7)
    tools = [_tool(rng, k) for k in range(400)]
    encode = msgspec.json.Encoder().encode
    for part in range(files):
        with open(folder / f"train-{part:05d}-of-{files:05d}.jsonl", "wb") as out:
            for number in range(rows * part // files, rows * (part + 1) // files):
                content = number if number % 10 else random.Random(number).randrange(number + 1)
                out.write(encode(_row(number, random.Random(content), tools, encode)) + b"\n")


def _tool(rng: random.Random, number: int) -> dict:
    parameters = {
        f"p{k}_{word}": {
            "description": f"The {word} used by the tool number {number} when the call is made",
            "type": rng.choice(["str", "int", "str, optional", "float"]),
            "default": "",
        }
        for k, word in enumerate(rng.sample(KEYS, rng.randint(1, 4)))
    }
    name = f"{rng.choice(['get', 'list', 'send', 'find', 'make'])}_{rng.choice(['order', 'mail', 'user', 'file'])}"
    description = f"Does the thing number {number} for the user and returns what the service has found"
    return {"name": f"{name}_{number}", "description": description, "parameters": parameters}


def _row(number: int, rng: random.Random, tools: list, encode) -> dict:
    offered = rng.sample(tools, rng.randint(1, 4))
    calls = [
        {"name": tool["name"], "arguments": {key: _value(rng, p["type"]) for key, p in tool["parameters"].items()}}
        for tool in offered[: rng.randint(1, len(offered))]
    ]
    query = " ".join(rng.choices(WORDS, k=14))
    return {"id": number, "query": query, "answers": encode(calls).decode(), "tools": encode(offered).decode()}


def _value(rng: random.Random, type_: str) -> object:
    return rng.randint(1, 100_000) if "int" in type_ else f"{' '.join(rng.sample(WORDS, 2))}{rng.randint(0, 99_999)}"


def loop(root: str, output: str) -> None:
    """The plain loop over the same pure functions."""
    import pyarrow.parquet as pq

    from gatling_beam.columns import StructColumns
    from gatling_beam.normalize import normalize_row
    from gatling_beam.sample import Sample, SourceRow
    from gatling_beam.sources import source
    from gatling_beam.validate_dag import validate_sample

    spec = source("fiftyone")
    least: dict[str, tuple] = {}
    for path in sorted(Path(root, FOLDER).glob("*.jsonl")):
        offset = 0
        with open(path, "rb") as lines:
            for line in lines:
                row = SourceRow(spec.name, line.rstrip(b"\n"), f"{path.name}:{offset}", "default", "train", "local")
                offset += len(line)
                sample = normalize_row(row, spec)
                if type(sample) is Sample and type(validate_sample(sample)) is Sample:
                    key = (sample.source.name, sample.original_id, sample.sample_id)
                    kept = least.get(sample.intent_hash)
                    if kept is None or key < kept[0]:
                        least[sample.intent_hash] = (key, sample)
    columns = StructColumns(Sample)
    with pq.ParquetWriter(f"{output}/all.parquet", columns.schema, compression="zstd", compression_level=1) as writer:
        samples = sorted((sample for _, sample in least.values()), key=lambda sample: sample.sample_id)
        for start in range(0, len(samples), 20_000):
            writer.write_table(columns.encode(samples[start : start + 20_000]))


def measure(command: list[str]) -> dict[str, float]:
    """CPU, wall and peak PSS of a command and its children."""
    peak = 0
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    done = threading.Event()

    def sample() -> None:
        nonlocal peak
        tree = psutil.Process(process.pid)
        while not done.wait(0.2):
            peak = max(peak, sum(map(_pss, [tree, *_children(tree)])))

    watcher = threading.Thread(target=sample)
    watcher.start()
    errors = process.communicate()[1]
    done.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{command} failed:\n{errors.decode()[-4000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s": round(cpu, 2), "wall_s": round(time.perf_counter() - start, 2), "peak_pss_mb": peak >> 20}


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _pss(process: psutil.Process) -> int:
    try:
        return process.memory_full_info().pss
    except psutil.Error:
        return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--no_loop", action="store_true", help="leave the plain loop out (it keeps all rows in memory)")
    parser.add_argument("--run_loop", nargs=2, metavar=("ROOT", "OUTPUT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run_loop:
        loop(*args.run_loop)
        return
    for rows in args.rows:
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
            generate(f"{folder}/small", 100, files=1)
            generate(f"{folder}/full", rows)
            kinds = [(f"pipeline, {n} workers", n) for n in args.workers] + [("loop", 0)] * (not args.no_loop)
            for kind, workers in kinds:
                costs = {}
                for size in ("small", "full"):
                    output = f"{folder}/out-{size}-{workers}"
                    os.mkdir(output)
                    costs[size] = measure(_command(f"{folder}/{size}", output, workers))
                net = costs["full"]["cpu_s"] - costs["small"]["cpu_s"]
                figures = {
                    "what": kind,
                    "rows": rows,
                    "us_per_row": round(net / rows * 1e6, 1),
                    "rows_per_s_per_core": round(rows / net),
                    "start_s": costs["small"]["cpu_s"],
                    **costs["full"],
                }
                print(json.dumps(figures), flush=True)


def _command(root: str, output: str, workers: int) -> list[str]:
    if not workers:
        return [sys.executable, __file__, "--run_loop", root, output]
    flags = f"--sources fiftyone --root {root} --output {output} --workers {workers} --quiet --overwrite".split()
    return [sys.executable, "-m", "gatling_beam.pipelines.tier1", *flags]


if __name__ == "__main__":
    main()
