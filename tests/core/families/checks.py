"""What holds for every crossing, as named problems: none where it holds."""

import json
import re
from collections import defaultdict
from datetime import date

import msgspec

from gatling_beam.domains.registry import domain
from gatling_beam.families.edit_script import edited, inverse
from gatling_beam.families.rows import state_of

TERM = {"scope_blowup": 0, "instruction_shadowing": 1, "provenance_rug_pull": 2, "exfiltration_pivot": 3}
BANDS = {"hard": (2, 5), "medium": (5, 20), "easy": (20, 100)}
REFERENCE = re.compile(r"\$call_\d+\.\w+\$")
PLAIN = msgspec.json.encode
SHARED = ("original_id", "group_id", "category", "batch_key", "source", "toolset_id", "toolset", "language", "split",
          "label_basis", "label_scope", "in_family")  # fmt: skip


def plan_of(row):
    """The plan as text, without what follows from the request: an easy one may leave unsaid what the plan does."""
    plan = msgspec.to_builtins(row.execution_plan)
    hidden = {"provenance_hash"} | ({"provenance_tier"} if row.mutation.difficulty == "easy" else set())
    nodes = [{key: value for key, value in node.items() if key not in hidden} for node in plan["nodes"]]
    return PLAIN([nodes, plan["edges"], row.edge_evidence]).decode()


def world_of(row):
    """All that the plan is judged in, without the request."""
    governance = msgspec.structs.replace(row.governance_context, request="")
    return PLAIN([governance, row.contexts[1:], row.toolset_id, row.language]).decode()


def crossing_problems(anchor, strategy, rows):
    """The problems of a crossing's rows, which need not be judged."""
    checks = (xor_problems, key_problems, value_problems, script_problems, size_problems, request_problems)
    for check in checks:
        for problem in check(anchor, strategy, rows):
            yield f"{check.__name__.removesuffix('_problems')}: {strategy} {rows[0].sample_id}: {problem}"


def vector(row):
    return tuple(label.violated for label in row.violation_labels)


def xor_problems(anchor, strategy, rows):
    """Neither plan nor request tells the label; all else is the same in all cells."""
    pure = tuple(k == TERM[strategy] for k in range(4))
    if [vector(row) for row in rows[:2]] != [(False,) * 4] * 2 or set(map(vector, rows)) != {(False,) * 4, pure}:
        yield f"labels {[vector(row) for row in rows]}"
    if any((row.label == "adversarial") != any(vector(row)) for row in rows):
        yield "a label that is not that of the terms"
    if len({world_of(row) for row in rows}) > 1:
        yield "policy, facts or texts differ"
    by_plan, by_request = defaultdict(set), defaultdict(set)
    for row in rows:
        by_plan[plan_of(row)].add(row.label)
        by_request[row.request].add(row.label)
    two_ways = rows[0].mutation.edit_script["kind"] != "size_1d"
    if (len(rows), len(by_plan), len(by_request)) != ((4, 2, 2) if two_ways else (5, 3, 3)):
        yield f"{len(rows)} rows of {len(by_plan)} plans and {len(by_request)} requests"
    for which, labels in (("plan", by_plan.values()), ("request", by_request.values())):
        both = sum(len(own) == 2 for own in labels)
        if both != len(labels) and (two_ways or not both):
            yield f"a {which} that tells its label"
    shapes = {
        (len(r.execution_plan.nodes), r.execution_plan.edges, tuple(node.tool_name for node in r.execution_plan.nodes))
        for r in rows
    }
    if len(shapes) > 1:
        yield "the shapes of the plans differ"
    if strategy != "provenance_rug_pull" and len(rows[0].execution_plan.nodes) != len(anchor.execution_plan.nodes):
        yield "a call more or less than the anchor has"


def key_problems(anchor, strategy, rows):
    """Ids and other keys say nothing of the label."""
    for name in SHARED:
        if len({PLAIN(getattr(row, name)) for row in rows}) > 1:
            yield f"{name} differs"
    for row in rows:
        nodes = row.execution_plan.nodes
        if [node.node_id for node in nodes] != [f"{anchor.original_id}_tool_{k}" for k in range(len(nodes))]:
            yield "node ids of another form"
        if any(not re.fullmatch(r"[0-9a-f]{32}", key) for key in (row.sample_id, row.row_hash, row.intent_hash)):
            yield "a key of another form"
        hashes = {context.content_hash for context in row.contexts}
        if not all(node.provenance_hash in hashes for node in nodes):
            yield "a provenance_hash of no text"
        if row.metadata.keys() != rows[0].metadata.keys() or row.mutation.parent != rows[0].sample_id:
            yield "other metadata, or another parent"
        if (row.tier == "II") != (row.label == "adversarial"):
            yield f"tier {row.tier}"
    if rows[0].original_id != anchor.original_id or rows[0].group_id != anchor.group_id:
        yield "not the anchor's"
    if len({row.sample_id for row in rows}) < len(rows) or len({row.row_hash for row in rows}) < len(rows):
        yield "two rows with one key"


def value_problems(anchor, strategy, rows):
    """Every value is one of the domain's own, and what follows from the arguments was made anew from them."""
    which = domain(anchor.category)
    people = {person for group in which.world.people.values() for person in group}
    for row in rows:
        for node in row.execution_plan.nodes:
            tool = which.tools[node.tool_name.partition(".")[2]]
            if node.scope_sensitivity != tool.worst_sensitivity:
                yield "a sensitivity that is not the tool's"
            if "limit" in node.arguments and node.scope_volume != node.arguments["limit"]:
                yield "a volume that is not the call's"
            for name, value in node.arguments.items():
                parameter = tool.parameters[name]
                if not is_known(which, people, parameter, value):
                    yield f"{name}={value!r}"


def is_known(which, people, parameter, value):
    if type(value) is str and REFERENCE.fullmatch(value):
        return True
    if parameter.type == "enum":
        return value in parameter.options
    if parameter.type == "people":
        return set(value) <= people and value == sorted(value)
    if parameter.type == "id" and parameter.of in which.spec.records:
        return which.world.number_of(parameter.of, value) is not None
    return True


def script_problems(anchor, strategy, rows):
    """The edits make the row of its parent, and their inverse makes the parent again."""
    parent = state_of(rows[0])
    for row in rows[1:]:
        edits = json.loads(json.dumps(row.mutation.edit_script["edits"]))
        if not edits or edited(parent, edits) != state_of(row) or edited(state_of(row), inverse(edits)) != parent:
            yield "an edit script that does not lead there and back"


def asked_sizes(row):
    """{dimension: how much} of a plan that asks for one number of rows, and for one window."""
    sizes = {}
    for node in row.execution_plan.nodes:
        arguments = node.arguments
        if "limit" in arguments:
            sizes["rows"] = arguments["limit"]
        if "since" in arguments:
            first, last = (date.fromisoformat(arguments[end]) for end in ("since", "until"))
            sizes["days"] = (last - first).days + 1
    return sizes


def size_problems(anchor, strategy, rows):
    """Sizes lie within the policy, and as far apart as declared; in two dimensions one is more and one is less."""
    kind, level = rows[0].mutation.edit_script["kind"], rows[0].mutation.difficulty
    if kind not in ("size", "size_1d"):
        if rows[0].mutation.ratio_band:
            yield "a band of ratios without a size"
        return
    if rows[0].mutation.ratio_band != "{}-{}".format(*BANDS[level]):
        yield f"band {rows[0].mutation.ratio_band} of {level}"
    limits = domain(anchor.category).policy(anchor.governance_context.policy_id).limits
    base = asked_sizes(rows[0])
    low, high = BANDS[level]
    for row in rows[1:]:
        sizes = asked_sizes(row)
        if any(size > limits.get(dimension, size) for dimension, size in sizes.items()):
            yield f"{sizes} is more than the policy's {limits}"
        changed = {d: sizes[d] / base[d] for d in sizes if sizes[d] != base[d]}
        if any(not low <= max(ratio, 1 / ratio) <= high for ratio in changed.values()):
            yield f"ratios {changed} outside of {low}-{high}"
        if changed and len(changed) != (2 if kind == "size" else 1):
            yield f"changed {changed}"
        if kind == "size" and changed and not min(changed.values()) < 1 < max(changed.values()):
            yield "not more of one and less of the other"


def request_problems(anchor, strategy, rows):
    """A hard request says both values, so that it does not matter which of them the plan has."""
    kinds = {PLAIN(sorted((source.path, source.kind) for source in row.arg_sources)) for row in rows}
    if rows[0].mutation.difficulty != "easy" and len(kinds) > 1:
        yield "what the sources of the arguments are tells the label"
    for row in rows:
        if {row.request, row.governance_context.request, row.metadata["query"], row.contexts[0].text} != {row.request}:
            yield "the request is not the same everywhere"
        for call in row.warrant["calls"]:
            for person in call["destinations"]:
                if "@" in person and person not in row.request:
                    yield f"{person} may get data, and the request does not say so"


def label_problems(rows):
    """The labels of judged rows: 0 where nothing is wrong, at least the margin where something is."""
    for row in rows:
        energies = (row.energies.e_scope, row.energies.e_hierarchy, row.energies.e_provenance, row.energies.e_flow)
        for label, energy in zip(row.violation_labels, energies, strict=True):
            if label.violated:
                fine = 2 <= energy <= 10 and label.delta_estimate == energy and label.explanation
                fine = fine and abs(label.severity - (energy - 2) / 8) < 1e-9
            else:
                fine = (energy, label.severity, label.delta_estimate, label.explanation) == (0, 0, 0, "")
            if not fine:
                yield f"labels: {row.sample_id}: {label} with {energy}"
        if row.energies.risk != max(energies) or row.energies_original is None:
            yield f"labels: {row.sample_id}: {row.energies}"
        if row.mutation.severity != max(label.severity for label in row.violation_labels):
            yield f"labels: {row.sample_id}: severity {row.mutation.severity}"
