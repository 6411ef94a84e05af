"""What is gathered depends on the rows alone: not on their order, their parts, their files or the hash seed."""

import random
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.audit.collect import Collector
from gatling_beam.audit.gather import Gathering
from gatling_beam.audit.probes import ViewMatrix
from gatling_beam.audit.result import AuditResult
from gatling_beam.audit.run import audit_files, audit_gathered

KEY = ("exfiltration_pivot", "")
CAP = 90


@pytest.fixture(scope="module")
def some(flow_families, size_families):
    """Rows of two strategies, of which one exceeds the cap, some of them twice."""
    return [*flow_families[:200], *size_families[:60], *flow_families[:7]]


def parts_of(rows, draw: random.Random, parts: int) -> Gathering:
    """The rows in another order, spread over parts, which are sent and merged in another order."""
    shuffled = draw.sample(rows, len(rows))
    gatherings = [Gathering.of(CAP) for _ in range(parts)]
    for row in shuffled:
        draw.choice(gatherings).add(row)
    draw.shuffle(gatherings)
    merged = Gathering.of(CAP)
    for one in gatherings:
        merged.merge(Gathering.unpacked(one.packed()))
    return merged


def ids(collector: Collector, key=KEY) -> list[str]:
    return [row.sample.sample_id for row in collector.rows(*key)]


@settings(max_examples=25, deadline=None)
@given(draw=st.randoms(use_true_random=False), parts=st.integers(1, 5))
def test_what_is_gathered_does_not_depend_on_order_or_parts(some, draw, parts):
    whole = Gathering.of(CAP)
    for row in some:
        whole.add(row)
    merged = parts_of(some, draw, parts)
    assert merged.counts.summary() == whole.counts.summary()
    assert merged.collector.kinds() == whole.collector.kinds()
    for strategy, kinds in whole.collector.kinds().items():
        for kind in kinds:
            assert merged.collector.rows(strategy, kind) == whole.collector.rows(strategy, kind)


@settings(max_examples=5, deadline=None)
@given(draw=st.randoms(use_true_random=False))
def test_the_audit_does_not_depend_on_order_or_parts(flow_families, draw):
    rows = flow_families[:60]
    merged = audit_gathered(parts_of(rows, draw, 3), min_rows=10, max_rows=40)
    files = audit_files([[row] for row in rows], min_rows=10, max_rows=40, cap=CAP)
    assert merged.json() == files.json()
    placed = audit_files([draw.sample(rows, len(rows))], min_rows=10, max_rows=40, cap=CAP)
    assert [f for f in placed.figures if f.view != "order"] == files.figures
    assert any(f.view == "order" for f in placed.figures)
    assert (placed.counts, placed.marks, placed.learner) == (files.counts, files.marks, files.learner)


def test_the_audit_does_not_depend_on_the_hash_seed(flow_families, tmp_path):
    (tmp_path / "rows").write_bytes(msgspec.msgpack.encode(flow_families[:60]))
    script = """if True:
        import sys, msgspec
        from gatling_beam.audit.run import audit
        from gatling_beam.sample import Sample
        rows = msgspec.msgpack.decode(open(sys.argv[1], "rb").read(), type=list[Sample])
        sys.stdout.buffer.write(audit(rows, min_rows=10, max_rows=40).json())
    """
    found = {
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "rows")], env={"PYTHONHASHSEED": seed}, capture_output=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1 and len(AuditResult.from_json(found.pop()).figures) > 10


def test_the_order_of_keys_changes_nothing(flow_families):
    rows = flow_families[:40]
    turned = [
        msgspec.structs.replace(
            row,
            metadata=dict(reversed(row.metadata.items())),
            execution_plan=msgspec.structs.replace(
                row.execution_plan,
                nodes=tuple(
                    msgspec.structs.replace(node, arguments=dict(reversed(node.arguments.items())))
                    for node in row.execution_plan.nodes
                ),
            ),
        )
        for row in rows
    ]
    assert [list(row.metadata) for row in turned] != [list(row.metadata) for row in rows]
    summaries = []
    for some in (rows, turned, [*rows, *turned]):
        gathering = Gathering.of(CAP)
        for row in some:
            gathering.add(row)
        summaries.append(gathering.counts.summary())
    assert summaries[0] == summaries[1]
    assert summaries[2]["distinct_plans"] == summaries[0]["distinct_plans"]


@pytest.mark.parametrize("number", [30, 92, 95, 101, 200])
def test_whole_families_are_kept_of_lowest_hash_within_nine_tenths_of_the_cap(flow_families, number):
    rows = flow_families[:number]
    collector = Collector(100)
    for row in rows:
        collector.add(row)
    kept = set(ids(collector))
    assert len(kept) == number if number <= 90 else 80 <= len(kept) <= 90
    whole = {row.group_id for row in rows if row.sample_id in kept}
    assert kept == {row.sample_id for row in rows if row.group_id in whole}
    held = sum(len(entries) for entries in collector.kept[KEY].families.values())
    assert held == collector.kept[KEY].size <= 100


def test_places_survive_a_merge(flow_families):
    one, other = Collector(CAP), Collector(CAP)
    for collector, rows in ((one, flow_families[:20]), (other, flow_families[20:40])):
        collector.start_file()
        for place, row in enumerate(rows):
            collector.add(row, place)
    one.add(flow_families[40])
    one.merge(other)
    wanted = {row.sample_id: k % 20 for k, row in enumerate(flow_families[:40])} | {flow_families[40].sample_id: None}
    assert {row.sample.sample_id: row.place for row in one.rows(*KEY)} == wanted


def test_rows_of_no_crossing_are_counted_and_not_kept(anchors):
    gathering = Gathering.of(CAP)
    for row in anchors[:20]:
        gathering.add(row)
    assert gathering.counts.summary()["rows"] == 20
    assert not gathering.collector.kept


def test_bags_with_equal_hashes_are_told_apart():
    assert hash(-1.0) == hash(-2.0)
    view = ViewMatrix([{"#x": -1.0}, {"#x": -2.0}, {"#x": -1.0}])
    assert view.classes[0] == view.classes[2] != view.classes[1]
