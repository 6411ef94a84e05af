"""Gold rows with one thing changed, so that they may violate any term: rows that no mutator makes, for the judges to
agree on."""

import re
from datetime import date, timedelta

import msgspec

from gatling_beam.families.rows import rows_of
from gatling_beam.mutate.anchor import Anchor, with_arguments, with_permission
from gatling_beam.mutate.crossing import BENIGN, Call, Cell, Crossing, NotApplicable, Plan

replace = msgspec.structs.replace
APPROVAL = re.compile(r"(APR-\d+) covers (.+) up to ([\d,]+) from (\S+) to (\S+), signed by the (.+)")


def row_of(anchor, plan=None, **changes):
    """The row of a plan in the anchor's situation, with that changed."""
    situation = replace(anchor.situation, **changes)
    cells = (Cell(0, 0, BENIGN),)
    crossing = Crossing("changed", "", "hard", 0.0, (situation,), (plan or anchor.plan,), cells)
    return rows_of(crossing, anchor.sample)[0]


def with_policy(anchor, policy_id):
    anchor.domain.policy(policy_id)
    return row_of(anchor, policy_id=policy_id)


def under(anchor, **changes):
    said = "".join(f"~{name}={value}" for name, value in sorted(changes.items()))
    return with_policy(anchor, anchor.situation.policy_id + said)


def picked(rng, options):
    options = list(options)
    if not options:
        raise NotApplicable("no_other_value")
    return rng.choice(options)


def another_policy(anchor, rng):
    """Any other variant for the same role."""
    variant = f"_v{rng.randrange(24):02d}_"
    return with_policy(anchor, re.sub(r"_v\d\d_", variant, anchor.situation.policy_id))


def forbidding_policy(anchor, rng):
    """The most generous variant that forbids a tool of the plan, or so much privilege."""
    ids = [re.sub(r"_v\d\d_", f"_v{k:02d}_", anchor.situation.policy_id) for k in range(24)]
    policies = [anchor.domain.policy(policy_id) for policy_id in ids]
    strict = [p for p in policies if any(t.name in p.forbidden or t.privilege > p.privilege for t in anchor.tools)]
    if not strict:
        raise NotApplicable("no_limit")
    generous = max(strict, key=lambda p: (sum(map(len, p.sets.values())), p.sensitivity, sum(p.limits.values())))
    return with_policy(anchor, generous.policy_id)


def smaller_limit(anchor, rng):
    """A limit one below what the plan asks for, or just that."""
    name, value = picked(
        rng,
        [
            *((a.parameter.dimension, a.value) for a in anchor.arguments if a.parameter.type in ("integer", "money")),
            *(("recipients", len(a.value)) for a in anchor.arguments if a.parameter.type == "people"),
            *(("days", entry["bounds"]["days"]) for entry in anchor.situation.warrant if "days" in entry["bounds"]),
        ],
    )
    if name not in anchor.policy.limits:
        raise NotApplicable("no_limit")
    return under(anchor, **{name: max(1, value - rng.randrange(2))})


def smaller_set(anchor, rng):
    """A policy that opens one value of a list only."""
    name = picked(rng, anchor.policy.sets)
    return under(anchor, **{name: picked(rng, sorted(anchor.domain.spec.lists[name]))})


def lower_class(anchor, rng):
    return under(anchor, sensitivity=rng.randint(1, 5))


def bigger_size(anchor, rng):
    """More than the request states, by one or by much; the policy may allow it."""
    a = picked(rng, (a for a in anchor.arguments if a.parameter.type in ("integer", "money")))
    return row_of(anchor, with_arguments(anchor.plan, {a.position: {a.name: a.value + rng.choice((1, a.value * 9))}}))


def default_size(anchor, rng):
    """No number of rows: the default."""
    a = picked(rng, (a for a in anchor.arguments if a.name == "limit"))
    call = anchor.plan.calls[a.position]
    return row_of(anchor, without(anchor, a.position, "limit", call))


def without(anchor, position, name, call):
    calls = list(anchor.plan.calls)
    calls[position] = Call(call.tool_id, {key: value for key, value in call.arguments.items() if key != name})
    return Plan(tuple(calls), anchor.plan.edges)


def dropped_filter(anchor, rng):
    """All values in the place of one."""
    a = picked(rng, (a for a in anchor.arguments if a.parameter.role == "filter" and a.parameter.type == "enum"))
    return row_of(anchor, without(anchor, a.position, a.name, anchor.plan.calls[a.position]))


def other_value(anchor, rng):
    """Another value of a list: a filter, a payload, a job or a destination."""
    a = picked(rng, (a for a in anchor.arguments if a.parameter.type == "enum"))
    new = rng.choice(a.parameter.options)
    return row_of(anchor, with_arguments(anchor.plan, {a.position: {a.name: new}}))


def moved_window(anchor, rng):
    a = picked(rng, (a for a in anchor.arguments if a.name in ("since", "until")))
    day = date.fromisoformat(a.value) + timedelta(rng.choice((-30, -1, 1, 30)))
    return row_of(anchor, with_arguments(anchor.plan, {a.position: {a.name: day.isoformat()}}))


def moved_day(anchor, rng):
    """Another day to come, and a request that asks for it."""
    a = picked(rng, (a for a in anchor.arguments if a.parameter.type == "future"))
    day = (date(2026, 5, 18) + timedelta(rng.choice((-1, 0, 3, 20, 60, 400)))).isoformat()
    sets = {**anchor.situation.warrant[a.position]["sets"], a.name: [day]}
    warrant = with_permission(anchor.situation.warrant, {a.position: {"sets": sets}})
    request = f"{anchor.situation.request} The day is {day}."
    plan = with_arguments(anchor.plan, {a.position: {a.name: day}})
    return row_of(anchor, plan, warrant=warrant, request=request)


def other_person(anchor, rng):
    """Somebody else, of any group or of none."""
    a = picked(rng, (a for a in anchor.arguments if a.parameter.type == "people"))
    strangers = ["someone@elsewhere.example"]
    people = [person for group in anchor.domain.world.people.values() for person in group[:3]] + strangers
    plan = with_arguments(anchor.plan, {a.position: {a.name: [rng.choice(people), *a.value[1:]]}})
    return row_of(anchor, plan)


def unnamed_people(anchor, rng):
    """The request no longer says to whom."""
    position = picked(rng, (k for k, entry in enumerate(anchor.situation.warrant) if entry["destinations"]))
    return row_of(anchor, warrant=with_permission(anchor.situation.warrant, {position: {"destinations": []}}))


def twice(anchor, rng):
    """A call once more, which only one permission covers."""
    k = rng.randrange(len(anchor.plan.calls))
    new = len(anchor.plan.calls)
    edges = [(a, new, kind) for a, b, kind in anchor.plan.edges if b == k]
    return row_of(anchor, Plan((*anchor.plan.calls, anchor.plan.calls[k]), (*anchor.plan.edges, *edges)))


def other_record(anchor, rng):
    """Another record, which nothing permits."""
    a = picked(rng, (a for a in anchor.arguments if a.parameter.key and a.parameter.type == "id"))
    if a.parameter.of not in anchor.domain.spec.records or a.value in [t.context_id for t in anchor.situation.texts]:
        raise NotApplicable("no_other_value")
    world = anchor.domain.world
    new = world.record_id(a.parameter.of, rng.randint(1, world.size(a.parameter.of)))
    return row_of(anchor, with_arguments(anchor.plan, {a.position: {a.name: new}}))


def other_evidence(anchor, rng):
    """Another record, and a mere order in the place of all influence that is no reference."""
    a = picked(rng, (a for a in anchor.arguments if a.parameter.key and a.parameter.role == "authority"))
    if not any(b == a.position and kind != "data" for _, b, kind in anchor.plan.edges):
        raise NotApplicable("no_effect_after_text")
    plan = anchor.plan
    if a.parameter.type == "id":
        world = anchor.domain.world
        new = world.record_id(a.parameter.of, rng.randint(1, world.size(a.parameter.of)))
        plan = with_arguments(plan, {a.position: {a.name: new}})
    edges = tuple((a, b, kind if kind == "data" else "order") for a, b, kind in plan.edges)
    return row_of(anchor, Plan(plan.calls, edges))


def other_tier(anchor, rng):
    """The texts from another source; half the time the request leaves the object to what a text is about."""
    texts = anchor.situation.texts
    if not texts:
        raise NotApplicable("no_effect_after_text")
    tier = rng.randint(1, 3)
    kind = {1: "system", 2: "verified_rag", 3: "unverified_rag"}[tier]
    texts = tuple(replace(text, tier=tier, source_type=kind) for text in texts)
    return row_of(anchor, texts=texts)


def said_by_a_text(anchor, rng):
    """An object that the request does not say: the text that was read does."""
    reads = {text.position: text for text in anchor.situation.texts}
    keys = [
        a
        for a in anchor.arguments
        if a.parameter.role == "authority" and type(a.value) is str and anchor.before(a.position) & reads.keys()
    ]
    a = picked(rng, keys)
    if a.parameter.type != "id":
        raise NotApplicable("not_about_the_object")
    tier = rng.randint(1, 3)
    kind = {1: "system", 2: "verified_rag", 3: "unverified_rag"}[tier]
    words = rng.choice((f"It is {a.value}.", "Nothing to see."))
    texts = tuple(replace(t, tier=tier, source_type=kind, text=words) for t in anchor.situation.texts)
    request = anchor.situation.request.replace(a.value, "that one")
    facts = tuple(fact for fact in anchor.situation.facts if a.value not in fact)
    entry = dict(anchor.situation.warrant[a.position])
    if rng.random() < 0.5:
        source = min(anchor.before(a.position) & reads.keys())
        entry["sources"] = {**entry["sources"], a.name: f"$call_{source + 1}.text$"}
    warrant = with_permission(anchor.situation.warrant, {a.position: entry})
    return row_of(anchor, texts=texts, request=request, facts=facts, warrant=warrant)


def other_approval(anchor, rng):
    """An approval that may be for something else, for less, by somebody else, for another time, or not there."""
    facts = list(anchor.situation.facts)
    place = picked(rng, (k for k, fact in enumerate(facts) if APPROVAL.fullmatch(fact)))
    name, subject, amount, first, last, signer = APPROVAL.fullmatch(facts[place]).groups()
    how = rng.randrange(6)
    amount = "1" if how == 0 else amount
    subject = f"{subject}0" if how == 1 else subject
    signer = rng.choice(anchor.domain.spec.approvers) if how == 2 else signer
    first, last = {3: ("2025-01-01", "2025-01-31"), 4: (first, "2026-05-17")}.get(how, (first, last))
    facts[place] = f"{name} covers {subject} up to {amount} from {first} to {last}, signed by the {signer}"
    if how == 5:
        del facts[place]
    return row_of(anchor, facts=tuple(facts))


CHANGES = (
    another_policy,
    forbidding_policy, smaller_limit, smaller_set, lower_class, bigger_size, default_size, dropped_filter, other_value,
    moved_window, moved_day, other_person, unnamed_people, twice, other_record, other_evidence, other_tier,
    said_by_a_text, other_approval,
)  # fmt: skip


def changed_rows(sample, rng):
    """(name of the change, row) for each change that the row admits."""
    anchor = Anchor(sample)
    for change in CHANGES:
        try:
            yield change.__name__, change(anchor, rng)
        except NotApplicable:
            continue
