"""Two sets of gold traces side by side: how varied they are, and requests of both to read.

    python tools/compare_gold.py out/templates out/reworded --read 10

Of both as many traces are taken, since most figures depend on their number; the requests to read are of the same
domains, in turn.
"""

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.render import one_line, table
from gatling_beam.validate.diversity import DiversityReport, diversity_of, report


def traces_of(folder: Path) -> Iterator[GoldTrace]:
    """The traces in the output directory of `gatling-beam gold`, file by file."""
    decode = msgspec.json.Decoder(GoldTrace).decode
    for path in sorted(folder.glob("data/gold-*.jsonl")):
        with path.open("rb") as lines:
            yield from map(decode, lines)


def count(folder: Path) -> int:
    """The number of traces in a folder."""
    return sum(1 for _ in traces_of(folder))


def figures(folders: list[Path], n: int) -> str:
    """The diversity reports of the first `n` traces of each folder, as a table."""
    reports = [report(diversity_of(islice(traces_of(folder), n))) for folder in folders]
    rows: list[tuple[str, ...]] = [("", *(folder.name for folder in folders))]
    for name in DiversityReport.__struct_fields__:
        rows.append((name, *(f"{getattr(one, name):,}" for one in reports)))
    rows.append(("misses", *(f"{len(one.problems())}" for one in reports)))
    return table(rows)


def to_read(folders: list[Path], n: int, most: int) -> Iterator[str]:
    """Requests of the same domains from both folders, with their tasks."""
    by_domain: list[dict[str, GoldTrace]] = []
    for folder in folders:
        own: dict[str, GoldTrace] = {}
        for trace in islice(traces_of(folder), n):
            own.setdefault(trace.request.domain, trace)
        by_domain.append(own)
    for name in sorted(set.intersection(*map(set, by_domain)))[:most]:
        yield f"\n{name}"
        for folder, own in zip(folders, by_domain, strict=True):
            trace = own[name]
            yield f"  {folder.name}: {one_line(trace.request.text)}"
            yield f"      {', '.join(call.tool_id.rpartition('.')[2] for call in trace.graph.calls)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs=2, help="output directories of gatling-beam gold")
    parser.add_argument("--read", type=int, default=10, help="domains of which a request of each is printed")
    options = parser.parse_args()
    n = min(map(count, options.folders))
    print(figures(options.folders, n))
    print("\n".join(to_read(options.folders, n, options.read)))


if __name__ == "__main__":
    main()
