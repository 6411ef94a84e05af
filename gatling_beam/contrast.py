"""Contrast sets: a family as a small matrix of contexts and plans, with the judged relation of every cell there is.

A set is a family, not a crossing: its crossings share contexts and plans, so that two sets of one family in a batch
would be taken for each other's negatives. A cell that is not listed is unknown: it is no negative.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from gatling_beam.columns import StructColumns
from gatling_beam.dedup import source_counts
from gatling_beam.families.edit_script import edit_script, plan_state
from gatling_beam.ordering import in_total_order
from gatling_beam.plan import ExecutionPlan
from gatling_beam.sample import Context, Energies, GovernanceContext, Sample, Tally
from gatling_beam.shards import Format, ShardFile, shard_name, write_shard

STAGE = "contrast"
#: Why a row is not in the output itself: it is a cell of a set, or belongs to no family, or is not judged.
CELL, NO_FAMILY, UNJUDGED = "cell", "no_family", "not_judged"

_ROWS = StructColumns(Sample)


class Situation(msgspec.Struct, frozen=True):
    """What plans are judged in: policy, role and session, the request, and the texts that are read."""

    governance: GovernanceContext
    request: str
    contexts: tuple[Context, ...]


class Candidate(msgspec.Struct, frozen=True):
    """A plan. The `provenance_hash` of a node that goes back to the request alone is "": that is the context's."""

    execution_plan: ExecutionPlan
    edge_evidence: tuple[str, ...]


class Relation(msgspec.Struct, frozen=True):
    """A cell: plan `p` in context `c`, both 0-based, with verdicts, energies and severities by `ENERGY_TERMS`."""

    c: int
    p: int
    label: str
    V: tuple[bool, bool, bool, bool]
    E: tuple[float, float, float, float]
    severity: tuple[float, float, float, float]
    difficulty: str
    strategy: str
    row_hash: str


class Repair(msgspec.Struct, frozen=True):
    """The edits (see `families.edit_script`) of `{"plan", "edge_evidence"}` that turn plan `from_p` into `to_p`, which
    is benign in context `c`; `script` is {"edits": [...]}."""

    c: int
    from_p: int
    to_p: int
    script: dict[str, Any]


class ContrastSet(msgspec.Struct, frozen=True):
    """A family as a matrix; `source` is that of its anchor."""

    group_id: str
    batch_key: str
    split: str | None
    source: str
    contexts_of: tuple[Situation, ...]
    plans: tuple[Candidate, ...]
    relation: tuple[Relation, ...]
    repairs: tuple[Repair, ...]


def contrast_set(rows: Sequence[Sample]) -> ContrastSet:
    """The set of a family; the order of `rows` does not matter. Rows of equal `row_hash` are one cell.

    Args:
      rows: of one `group_id`, judged, each with a mutation.

    Raises:
      ValueError: where rows are of several families, not judged, or disagree about a cell.
    """
    if len({row.group_id for row in rows}) != 1:
        raise ValueError(f"a contrast set is one family, not {len({row.group_id for row in rows})}: give rows of one")
    situations: dict[bytes, Situation] = {}
    plans: dict[bytes, Candidate] = {}
    cells: dict[tuple[int, int], Relation] = {}
    benign: dict[tuple[str, int], int] = {}
    wrong: list[tuple[str, int, int]] = []
    for row in sorted(rows, key=lambda row: (row.row_hash, row.sample_id)):
        if why := unfit(row):
            raise ValueError(f"row {row.sample_id} is {why}: give rows of tier2 or tier3")
        c, p = _place(situations, _situation(row)), _place(plans, _candidate(row))
        relation = _relation(row, c, p)
        known = cells.setdefault((c, p), relation)
        if known.V != relation.V:
            raise ValueError(f"rows {known.row_hash} and {row.row_hash} are the same cell with other verdicts")
        crossing = row.mutation.parent if row.mutation else ""
        if row.label == "benign":
            benign.setdefault((crossing, c), p)
        else:
            wrong.append((crossing, c, p))
    candidates = tuple(plans.values())
    repairs = {
        (c, p, benign[crossing, c]): _repair(candidates, c, p, benign[crossing, c])
        for crossing, c, p in wrong
        if (crossing, c) in benign
    }
    first = min(rows, key=lambda row: row.sample_id)
    return ContrastSet(
        group_id=first.group_id,
        batch_key=min(row.batch_key or "" for row in rows),
        split=first.split,
        source=first.source.name,
        contexts_of=tuple(situations.values()),
        plans=candidates,
        relation=tuple(cells[place] for place in sorted(cells)),
        repairs=tuple(repairs[place] for place in sorted(repairs)),
    )


def unfit(row: Sample) -> str:
    """Why a row can be no cell: `NO_FAMILY`, `UNJUDGED`; "" if it can."""
    if row.mutation is None or not row.in_family:
        return NO_FAMILY
    return "" if row.energies is not None and len(row.violation_labels) == 4 else UNJUDGED


class ContrastShard(msgspec.Struct, frozen=True):
    """Merges a bucket of rows, whole families, into a file of contrast sets, sorted by group_id; and its counts."""

    directory: str
    format: Format
    shards: int

    def __call__(self, index: int, table: pa.Table) -> Iterator[ShardFile | Tally]:
        counts = source_counts(table)
        rows = in_total_order(table.select(_ROWS.schema.names), ["group_id"], Sample)
        left: dict[tuple[str, str], int] = {}
        sets = list(_sets(_ROWS.decode(rows), left))
        for source, n in sorted(counts.items()):
            yield Tally(STAGE, source, "in", n)
        for (source, reason), n in sorted(left.items()):
            yield Tally(STAGE, source, "not_selected", n, reason)
        for one in sets:
            yield Tally(STAGE, one.source, "expanded", 1)
            yield Tally(STAGE, one.source, "out", 1)
        made = StructColumns(ContrastSet).encode(sets)
        yield write_shard(self.directory, shard_name(index, self.shards, self.format), made, self.format, ContrastSet)


def _sets(rows: Iterable[Sample], left: dict[tuple[str, str], int]) -> Iterator[ContrastSet]:
    """The sets of rows in the order of their families; `left` counts the rows by source and what they are."""
    family: list[Sample] = []
    for row in rows:
        why = unfit(row)
        left[row.source.name, why or CELL] = left.get((row.source.name, why or CELL), 0) + 1
        if why:
            continue
        if family and family[0].group_id != row.group_id:
            yield contrast_set(family)
            family = []
        family.append(row)
    if family:
        yield contrast_set(family)


def _place(known: dict[bytes, Any], value: Any) -> int:
    """The place of a value among those that are known; a new one comes last."""
    key = msgspec.msgpack.encode(value, order="deterministic")
    if key not in known:
        known[key] = value
    return list(known).index(key)


def _situation(row: Sample) -> Situation:
    return Situation(row.governance_context, row.request, row.contexts)


def _candidate(row: Sample) -> Candidate:
    request = row.contexts[0].content_hash
    nodes = tuple(
        msgspec.structs.replace(node, provenance_hash="") if node.provenance_hash == request else node
        for node in row.execution_plan.nodes
    )
    return Candidate(ExecutionPlan(nodes, row.execution_plan.edges), row.edge_evidence)


def _relation(row: Sample, c: int, p: int) -> Relation:
    energies, mutation = row.energies, row.mutation
    assert isinstance(energies, Energies) and mutation is not None
    v1, v2, v3, v4 = (label.violated for label in row.violation_labels)
    s1, s2, s3, s4 = (label.severity for label in row.violation_labels)
    return Relation(
        c,
        p,
        row.label,
        (v1, v2, v3, v4),
        (energies.e_scope, energies.e_hierarchy, energies.e_provenance, energies.e_flow),
        (s1, s2, s3, s4),
        mutation.difficulty,
        mutation.strategy,
        row.row_hash,
    )


def _repair(plans: Sequence[Candidate], c: int, wrong: int, right: int) -> Repair:
    return Repair(c, wrong, right, {"edits": edit_script(state_of(plans[wrong]), state_of(plans[right]))})


def state_of(plan: Candidate) -> dict[str, Any]:
    """What a repair edits, as JSON values."""
    return {"plan": plan_state(plan.execution_plan), "edge_evidence": list(plan.edge_evidence)}
