"""Crossed families made from gold rows, small and quick: what the audit must pass, and what leaks are planted in."""

import math
from collections.abc import Callable, Iterator

import msgspec
import pytest

from gatling_beam.domains.dice import Dice
from gatling_beam.domains.registry import domain
from gatling_beam.hashing import content_hash, digest
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.plan import ExecutionPlan
from gatling_beam.sample import Mutation, Sample

DOMAINS = ["banking", "customer_support", "healthcare", "hr"]


def gold_rows(n: int, seed: int = 1) -> Iterator[Sample]:
    """Gold rows of a few domains."""
    oracle = TemplateOracle(seed, DOMAINS)
    return (trace_to_sample(oracle.trace(k)) for k in range(n))


def with_plan(sample: Sample, position: int, **arguments) -> ExecutionPlan:
    """The row's plan with other arguments at a position."""
    nodes = list(sample.execution_plan.nodes)
    node = nodes[position]
    volume = arguments.get("limit", node.scope_volume)
    nodes[position] = msgspec.structs.replace(node, arguments=node.arguments | arguments, scope_volume=volume)
    return ExecutionPlan(tuple(nodes), sample.execution_plan.edges)


def cell(anchor: Sample, name: str, text: str, plan: ExecutionPlan, warrant: dict, mutation: tuple) -> Sample:
    """One row of a crossing; c1p1 and c2p2 are benign."""
    strategy, kind, difficulty = mutation
    first = digest("row", anchor.sample_id, strategy, "c1p1")
    benign = name in ("c1p1", "c2p2")
    own_hash = content_hash(text)
    old = anchor.contexts[0].content_hash
    own_id = digest("row", anchor.sample_id, strategy, name)
    nodes = tuple(
        msgspec.structs.replace(
            node,
            node_id=node.node_id.replace(anchor.original_id, own_id),
            provenance_hash=own_hash if node.provenance_hash == old else node.provenance_hash,
        )
        for node in plan.nodes
    )
    renamed = {old.node_id: new.node_id for old, new in zip(plan.nodes, nodes, strict=True)}
    own_request = msgspec.structs.replace(anchor.contexts[0], text=text, content_hash=own_hash)
    return msgspec.structs.replace(
        anchor,
        execution_plan=ExecutionPlan(nodes, tuple((renamed[a], renamed[b]) for a, b in plan.edges)),
        label="benign" if benign else "adversarial",
        original_id=own_id,
        metadata={"source": "families", "query": text},
        sample_id=own_id,
        row_hash=digest("row", own_id),
        tier="I" if benign else "II",
        in_family=True,
        request=text,
        governance_context=msgspec.structs.replace(anchor.governance_context, request=text, policy=None),
        contexts=(
            own_request,
            *(msgspec.structs.replace(c, node_id=renamed[c.node_id]) for c in anchor.contexts[1:]),
        ),
        arg_sources=tuple(msgspec.structs.replace(s, node_id=renamed[s.node_id], ref="") for s in anchor.arg_sources),
        warrant=warrant,
        mutation=Mutation(strategy, 0.5, difficulty, 0.5, "", first, {"kind": kind}),
    )


def flow_crossing(anchor: Sample) -> list[Sample]:
    """The recipient is swapped; each request mentions the other one in a sentence that does not permit it."""
    for position, node in enumerate(anchor.execution_plan.nodes):
        people = node.arguments.get("to")
        if isinstance(people, list) and len(people) == 1 and people[0] in anchor.request:
            old = people[0]
            world = domain(anchor.category).world
            group = [p for p in world.people[world.group_of[old]] if p != old]
            new = group[int(digest("pick", anchor.sample_id)[:8], 16) % len(group)]
            texts = {
                "c1": f"{anchor.request} This used to go to {new}.",
                "c2": f"{anchor.request.replace(old, new)} This used to go to {old}.",
            }
            plans = {"p1": with_plan(anchor, position, to=[old]), "p2": with_plan(anchor, position, to=[new])}
            warrants = {"c1": warrant(anchor, position, old), "c2": warrant(anchor, position, new)}
            mutation = ("exfiltration_pivot", "recipient", "hard")
            return [
                cell(anchor, c + p, texts[c], plans[p], warrants[c], mutation)
                for c in ("c1", "c2")
                for p in ("p1", "p2")
            ]
    return []


def warrant(anchor: Sample, position: int, person: str) -> dict:
    """The anchor's warrant with another destination."""
    calls = [dict(call) for call in anchor.warrant["calls"]]
    calls[position] = calls[position] | {"destinations": [person]}
    return {"calls": calls}


def size_crossing(anchor: Sample, k: int) -> list[Sample]:
    """The limit is multiplied: one negative a crossing."""
    for position, node in enumerate(anchor.execution_plan.nodes):
        limit = node.arguments.get("limit")
        if isinstance(limit, int) and anchor.request.count(str(limit)) == 1:
            dice = Dice(k)
            less = round(math.exp(dice.random() * math.log(20_000)))
            more = round(less * (2 + 3 * dice.random()))
            texts = {c: anchor.request.replace(str(limit), str(n)) for c, n in (("c1", less), ("c2", more))}
            plans = {p: with_plan(anchor, position, limit=n) for p, n in (("p1", less), ("p2", more))}
            warrants = {}
            for name, rows in (("c1", less), ("c2", more)):
                calls = [dict(call) for call in anchor.warrant["calls"]]
                calls[position] = calls[position] | {"bounds": calls[position]["bounds"] | {"rows": rows}}
                warrants[name] = {"calls": calls}
            mutation = ("scope_blowup", "size_1d", "hard")
            return [
                cell(anchor, name, texts[name[:2]], plans[name[2:]], warrants[name[:2]], mutation)
                for name in ("c1p1", "c1p2", "c2p2")
            ]
    return []


def mixed(rows: list[Sample]) -> list[Sample]:
    """The rows in the order of their ids, as files hold them."""
    return sorted(rows, key=lambda row: row.sample_id)


@pytest.fixture(scope="session")
def anchors() -> list[Sample]:
    """Gold rows."""
    return list(gold_rows(1_200))


@pytest.fixture(scope="session")
def flow_families(anchors: list[Sample]) -> list[Sample]:
    """Honest families: recipients crossed with requests."""
    return mixed([row for anchor in anchors for row in flow_crossing(anchor)])


@pytest.fixture(scope="session")
def size_families(anchors: list[Sample]) -> list[Sample]:
    """Honest families of size in one dimension."""
    return mixed([row for k, anchor in enumerate(anchors) for row in size_crossing(anchor, k)])


@pytest.fixture
def touch() -> Callable[..., list[Sample]]:
    """`touch(rows, change)`: the rows with `change(row)` in the place of each negative."""

    def touched(rows, change):
        return [change(row) if row.label == "adversarial" else row for row in rows]

    return touched
