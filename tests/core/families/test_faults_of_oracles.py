"""Faults planted in the judge and the critic: each is found by a named check."""

from datetime import date

from msgspec.structs import replace

from gatling_beam.energy import critic, reading, scale
from gatling_beam.energy import matching as critic_matching
from gatling_beam.energy import provenance as critic_provenance
from gatling_beam.energy import scope as critic_scope
from gatling_beam.families import accept
from gatling_beam.judge import Reason, Verdict, matching, provenance, row, scope
from gatling_beam.judge import flow as judge_flow


def test_without_a_fault_nothing_is_found(sound_build, problems):
    assert len(sound_build.anchors) >= 35
    assert len(sound_build.read_twice) >= 300
    assert problems() == set()


def test_judge_ignores_unmatched_reads(plant, problems):
    plant.without_rules("unmatched_read")
    assert problems() & {"changed rows: judge"}


def test_judge_drops_the_check_of_sets(plant, problems):
    plant.setattr(scope, "_sets", lambda *a: iter(()))
    assert problems() & {"agreement", "changed rows: judge"}


def test_judge_does_not_check_windows(plant, problems):
    plant.without_rules("window")
    assert problems() & {"agreement", "changed rows: judge"}


def test_judge_does_not_check_owners(plant, problems):
    plant.setattr(scope, "_owners", lambda *a: iter(()))
    assert problems() & {"changed rows: judge"}


def test_judge_ignores_forbidden_tools(plant, problems):
    plant.without_rules("operation")
    assert problems() & {"changed rows: judge"}


def test_judge_ignores_sensitivity(plant, problems):
    plant.without_rules("sensitivity")
    assert problems() & {"changed rows: judge"}


def test_judge_ignores_what_the_request_bounds(plant, problems):
    plant.wrap(scope, "_allowed", lambda own, one, name, entry: own(one, name, replace(entry, bounds={})))
    assert problems() & {"agreement"}


def test_judge_ignores_what_the_policy_bounds(plant, problems):
    plant.setattr(scope, "_allowed", lambda one, name, entry: (entry.bounds.get(name), "the request"))
    assert problems() & {"changed rows: judge"}


def test_judge_flips_a_sign(plant, problems):
    def less(one, call, effect, entry):
        for name, dimension, value in effect.sizes:
            most = entry.bounds.get(dimension)
            if most is not None and value < most:
                yield Reason(dimension, call.node_id, name)

    plant.setattr(scope, "_sizes", less)
    assert problems() & {"agreement"}


def test_judge_swaps_the_ceilings(plant, problems, faults):
    plant.policy_as(row, lambda policy: replace(policy, ceilings=faults.turned(policy.ceilings)))
    assert problems() & {"agreement"}


def test_judge_swaps_the_clearances(plant, problems, faults):
    plant.policy_as(row, lambda policy: replace(policy, clearance=faults.turned(policy.clearance)))
    assert problems() & {"agreement"}


def test_judge_ignores_the_tier_of_texts(plant, problems):
    plant.setattr(row.Row, "worst_influence", lambda self, position: (1, ""))
    assert problems() & {"agreement"}


def test_judge_counts_order_as_influence(plant, problems):
    def add_edges(own, self):
        evidence = tuple("turn" if kind == "order" else kind for kind in self.sample.edge_evidence)
        self.sample = replace(self.sample, edge_evidence=evidence)
        own(self)

    plant.wrap(row.Row, "_add_edges", add_edges)
    assert problems() & {"changed rows: judge"}


def test_judge_lets_no_data_flow(plant, problems):
    plant.setattr(judge_flow, "_reaching", lambda *a: (0, ""))
    assert problems() & {"agreement"}


def test_judge_ignores_when_an_approval_expires(plant, problems):
    plant.lax_facts(provenance, first=date.min, last=date.max)
    assert problems() & {"changed rows: judge"}


def test_judge_ignores_what_an_approval_is_for(plant, problems):
    plant.wrap(provenance, "_lacks", lambda own, fact, rule, subject, *a: own(fact, rule, fact.subject, *a))
    assert problems() & {"changed rows: judge"}


def test_judge_ignores_how_much_an_approval_covers(plant, problems):
    plant.lax_facts(provenance, amount=10**12)
    assert problems() & {"changed rows: judge"}


def test_judge_matches_any_object(plant, problems):
    plant.setattr(matching._Warrant, "permits", lambda *a: True)
    assert problems() & {"agreement"}


def test_judge_says_benign_of_all(plant, problems):
    plant.setattr(accept, "judge", lambda one: Verdict())
    assert problems() & {"agreement"}


def test_critic_flips_a_sign(plant, problems):
    plant.wrap(critic, "scope_excess", lambda own, *a: -own(*a))
    assert problems() & {"agreement"}


def test_critic_weighs_tier_two_with_nothing(plant, problems):
    plant.wrap(critic, "hierarchy_excess", lambda own, one, call, why: own(one, call, why) * (one.instructed(call) > 2))
    assert problems() & {"agreement"}


def test_critic_ignores_unmatched_reads(plant, problems):
    plant.setattr(critic, "UNMATCHED_READ", 0.0)
    assert problems() & {"changed rows: critic"}


def test_critic_swaps_the_clearances(plant, problems, faults):
    plant.policy_as(reading, lambda policy: replace(policy, clearance=faults.turned(policy.clearance)))
    assert problems() & {"agreement"}


def test_critic_swaps_the_ceilings(plant, problems, faults):
    plant.policy_as(reading, lambda policy: replace(policy, ceilings=faults.turned(policy.ceilings)))
    assert problems() & {"agreement"}


def test_critic_does_not_check_windows(plant, problems):
    plant.setattr(critic_scope, "_outside_window", lambda *a: iter(()))
    assert problems() & {"agreement"}


def test_critic_ignores_when_an_approval_expires(plant, problems):
    plant.lax_facts(critic_provenance, first=date.min, last=date.max)
    assert problems() & {"changed rows: critic"}


def test_critic_matches_any_object(plant, problems):
    plant.wrap(critic_matching, "_fits", lambda own, one, call, entry: call.node.tool_name in entry.tools)
    plant.setattr(critic_matching, "_as_written", lambda call, entry: call.node.tool_name in entry.tools)
    assert problems() & {"agreement"}


def test_critic_has_no_margin(plant, problems):
    plant.setattr(scale, "BETA", 0.0)
    assert problems() & {"labels"}


def test_labels_are_not_explained(plant, problems):
    plant.wrap(accept, "ViolationLabel", lambda own, *a: own(*a[:4], ""))
    assert problems() & {"labels"}


def test_critic_counts_order_as_influence(plant, problems):
    plant.setattr(reading, "_INFLUENCE", ("data", "turn", "control", "order"))
    assert problems() & {"changed rows: critic"}


def test_critic_ignores_the_tier_of_texts(plant, problems):
    plant.setattr(reading.Row, "instructed", lambda self, call: 1)
    assert problems() & {"agreement"}


def test_judge_ignores_who_has_signed(plant, problems):
    plant.wrap(provenance, "_lacks", lambda own, fact, rule, *a: own(replace(fact, signer=rule.approvers[0]), rule, *a))
    assert problems() & {"changed rows: judge"}


def test_judge_takes_the_first_day_of_a_window_for_any(plant, problems):
    plant.wrap(
        scope, "_days", lambda own, one, call, effect, entry: own(one, call, replace(effect, since=date.max), entry)
    )
    assert problems() & {"agreement"}
