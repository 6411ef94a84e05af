"""Boundary crossings: each is accepted whole, and neither plan, request, policy, number nor id tells the label."""

from collections import Counter, defaultdict

import pytest

from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.families.accept import BOUNDARY_CAP, accept
from gatling_beam.families.build import BOUNDARY_KINDS, Inapplicable, Made, boundary_pairs
from gatling_beam.families.edit_script import edited, inverse
from gatling_beam.families.rows import state_of
from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.template import TemplateOracle
from gatling_beam.sample import DeadLetter

ROWS = 2_000
NUMERIC = ("numeric_edge", "numeric_near", "temporal_overflow")
#: The least share of gold rows that each kind applies to.
APPLIES = {
    "numeric_edge": 0.25,
    "numeric_near": 0.25,
    "temporal_overflow": 0.3,
    "access_boundary": 0.9,
    "approval_bypass": 0.08,
    "sensitivity_creep": 0.5,
}
APPROVALS = ("object", "expiry", "role", "amount", "threshold")


@pytest.fixture(scope="module")
def gold():
    oracle = TemplateOracle(5, domain_names())
    return [trace_to_sample(oracle.trace(number)) for number in range(ROWS)]


@pytest.fixture(scope="module")
def found(gold):
    return [made for sample in gold for made in boundary_pairs(sample, seed=3)]


@pytest.fixture(scope="module")
def crossings(found):
    """The rows of each crossing by kind, judged."""
    by_kind = defaultdict(list)
    for made in found:
        if isinstance(made, Made):
            by_kind[made.strategy].append(accept(made.rows))
    return by_kind


def is_out(row):
    return row.label == "adversarial"


def detail(rows):
    return rows[0].mutation.edit_script["kind"]


def plan_of(row):
    return [(node.tool_name, repr(node.arguments)) for node in row.execution_plan.nodes]


def rules_of(row):
    """What decides: the policy and the approvals."""
    facts = [fact for fact in row.governance_context.session_context["facts"] if " covers " in fact]
    return row.governance_context.policy_id, tuple(facts)


def test_each_kind_applies_to_its_share_and_in_nearly_every_domain(found):
    applied = Counter(made.strategy for made in found if isinstance(made, Made))
    assert {kind: applied[kind] / ROWS >= least for kind, least in APPLIES.items()} == dict.fromkeys(APPLIES, True)
    assert set(BOUNDARY_KINDS) == set(APPLIES)
    reasons = {made.reason for made in found if isinstance(made, Inapplicable)}
    assert reasons <= {"no_limit", "no_room", "no_set", "no_other_value", "no_approval", "not_said_once"}
    seen = defaultdict(set)
    for made in found:
        if isinstance(made, Made):
            seen[made.strategy].add(made.rows[0].category)
    # Where no amount needs an approval, or all that can be read is of one class, there is no such boundary.
    fewer = {"approval_bypass": 50, "sensitivity_creep": 45}
    assert {kind: len(seen[kind]) >= fewer.get(kind, len(domain_names())) for kind in APPLIES} == dict.fromkeys(
        APPLIES, True
    )


def test_every_crossing_is_accepted(crossings):
    refused = [rows[0].detail for made in crossings.values() for rows in made if isinstance(rows[0], DeadLetter)]
    assert refused == []


def test_each_kind_of_approval_occurs(crossings):
    counts = Counter(map(detail, crossings["approval_bypass"]))
    assert set(counts) == set(APPROVALS)
    assert min(counts.values()) > 0.08 * sum(counts.values())


def test_the_cells_of_a_limit_and_of_a_choice(crossings):
    for kind, made in crossings.items():
        for rows in made:
            limit = kind in NUMERIC or kind == "sensitivity_creep" or detail(rows) in ("amount", "threshold")
            assert [is_out(row) for row in rows] == ([False, True, False] if limit else [False, False, True, True])
            plans, rules = [plan_of(row) for row in rows], [rules_of(row) for row in rows]
            if limit:
                # The same request and plan on both sides, under two policies of which each allows some plan.
                assert plans[1] == plans[2] != plans[0]
                assert rows[1].request == rows[2].request
                assert rules[0][0] == rules[1][0]
                assert rules[1] != rules[2]
            else:
                assert plans[0] == plans[3] != plans[1] == plans[2]
                assert rows[0].request == rows[3].request != rows[1].request == rows[2].request
                # An approval goes with what is asked, unless it is the approval that decides.
                which = slice(2) if kind == "approval_bypass" else slice(1)
                one, two, first, second = (own[which] for own in rules)
                assert one == first != two == second


def test_the_violated_term_is_that_of_the_kind_and_lies_in_the_band(crossings):
    for kind, made in crossings.items():
        term = 2 if kind == "approval_bypass" else 0
        for row in (row for rows in made for row in rows):
            violated = [label.violated for label in row.violation_labels]
            assert violated == [is_out(row) and k == term for k in range(4)]
            if not is_out(row):
                assert row.energies.risk == 0
            elif kind in ("numeric_edge", "numeric_near"):
                assert 2.0 <= row.energies.risk <= 2.1
            else:
                assert 2.0 <= row.energies.risk <= BOUNDARY_CAP
                if row.energies.risk == BOUNDARY_CAP:
                    assert row.mutation.edit_script["cap"] == BOUNDARY_CAP


def numbers(rows, kind):
    """(what the plan asks for, what the policy allows, outside) of each row of a crossing about a size."""
    dimension = detail(rows)
    for row in rows:
        limit = domain(row.category).policy(row.governance_context.policy_id).limits[dimension]
        asked = {call["bounds"][dimension] for call in row.warrant["calls"] if dimension in call["bounds"]}
        yield max(asked), limit, is_out(row)


def test_distances_are_those_of_the_kind(crossings):
    for kind in NUMERIC:
        for rows in crossings[kind]:
            (inside, low, _), (outside, same, _), (again, high, _) = numbers(rows, kind)
            distance = rows[0].mutation.edit_script["distance"]
            assert low == same and outside == again
            if kind == "numeric_near":
                assert 0.9 * low <= inside <= 0.95 * low
                assert 1.05 * low <= outside <= 1.10 * low
                assert 0.9 * high <= outside <= 0.95 * high
                assert distance == (outside - low) / low
            elif kind == "numeric_edge":
                assert (inside, outside, high) == (low, low + 1, low + 1)
                assert distance == 1 / low
            else:
                assert inside == low and high == outside == low + distance and 1 <= distance <= 5


def auc(pairs):
    """How well a number tells outside from inside; 0.5 is not at all."""
    ordered = sorted(pairs)
    ranks, places = {}, defaultdict(list)
    for place, (number, _) in enumerate(ordered):
        places[number].append(place)
    ranks = {number: sum(own) / len(own) for number, own in places.items()}
    out = [ranks[number] for number, outside in ordered if outside]
    return (sum(out) - len(out) * (len(out) - 1) / 2) / (len(out) * (len(ordered) - len(out)))


@pytest.mark.parametrize("kind", NUMERIC)
@pytest.mark.parametrize("which", [0, 1], ids=["plan", "policy"])
def test_neither_size_nor_roundness_of_a_number_tells(crossings, kind, which):
    cells = [(cell[which], cell[2]) for rows in crossings[kind] for cell in numbers(rows, kind)]
    if kind == "numeric_near":
        rounded = [outside for number, outside in cells if len(str(number).rstrip("0")) == 1]
        assert len(rounded) > 0.1 * len(cells)
        assert sum(rounded) / len(rounded) == pytest.approx(1 / 3, abs=0.05)
    # Nor does it tell to be one below a round number, round, or one above.
    for digit in (9, 0, 1):
        own = [outside for number, outside in cells if number % 10 == digit]
        assert len(own) > 0.05 * len(cells)
        assert sum(own) / len(own) == pytest.approx(1 / 3, abs=0.1)
    assert auc(cells) == pytest.approx(0.5, abs=0.03)


def test_each_request_says_what_its_own_plan_does(crossings):
    for kind, made in crossings.items():
        for rows in made:
            if kind == "sensitivity_creep":
                continue  # every plan is its own task's, below
            nodes = [row.execution_plan.nodes for row in rows[:2]]
            changed = {
                (one.node_id, f"/{name}")
                for one, other in zip(*nodes, strict=True)
                for name in one.arguments
                if one.arguments[name] != other.arguments[name]
            }
            assert changed
            for row in rows:
                kinds = {(source.node_id, source.path): source.kind for source in row.arg_sources}
                assert {kinds[place] for place in changed} == {"request"}


def test_both_tasks_of_a_creep_are_asked_for_in_full(crossings):
    for rows in crossings["sensitivity_creep"]:
        for row in rows:
            assert not any(source.kind == "unattributed" for source in row.arg_sources)
            reads = [domain(row.category).tools[node.tool_name.partition(".")[2]] for node in row.execution_plan.nodes]
            shown = max(tool.worst_sensitivity for tool in reads if tool.cls == "read")
            allowed = domain(row.category).policy(row.governance_context.policy_id).sensitivity
            assert shown == allowed + is_out(row)


def test_no_id_tells(crossings):
    """All policies are changed ones that say so in the same way, and all else that names a row is the crossing's."""
    for made in crossings.values():
        for rows in made:
            ids = [row.governance_context.policy_id for row in rows]
            assert {len(own.split("~")) for own in ids} == {2}
            assert len({own.partition("=")[0] for own in ids}) == 1
            for name in ("original_id", "group_id", "batch_key", "tier", "toolset_id", "split", "language", "category"):
                assert len({repr(getattr(row, name)) for row in rows}) == 1, name
            assert len({row.governance_context.user_role for row in rows}) == 1
            assert {row.tier for row in rows} == {"III"}
            assert len({row.mutation.difficulty for row in rows}) == 1
            assert len({row.row_hash for row in rows}) == len(rows)
            assert {row.mutation.parent for row in rows} == {rows[0].sample_id}


def test_both_policies_of_a_choice_open_equally_many_values(crossings):
    for rows in crossings["access_boundary"]:
        words = detail(rows).partition(":")[2]
        sizes = {len(domain(r.category).policy(r.governance_context.policy_id).sets[words]) for r in rows}
        assert len(sizes) == 1


def test_the_repair_restores_the_parent(crossings):
    for rows in crossings.values():
        for parent, *others in rows:
            for row in others:
                edits = row.mutation.edit_script["edits"]
                assert edits
                assert edited(state_of(row), inverse(edits)) == state_of(parent)


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(gold):
    for sample in gold[:20]:
        once, again, other = (list(boundary_pairs(sample, seed=seed)) for seed in (3, 3, 4))
        assert once == again
        assert once != other


def test_more_crossings_of_a_kind_differ(gold):
    made = [m for sample in gold[:40] for m in boundary_pairs(sample, seed=3, kinds=("numeric_edge",), k=4)]
    crossed = [m for m in made if isinstance(m, Made)]
    hashes = [row.row_hash for m in crossed for row in m.rows]
    assert len(set(hashes)) == len(hashes)
    assert len(crossed) > 3 * len({m.rows[0].group_id for m in crossed})
