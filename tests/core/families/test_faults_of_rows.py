"""Faults planted in the mutators and in what makes rows: each is found by a named check."""

import random
import re

from msgspec.structs import replace

from gatling_beam.domains.dice import Dice
from gatling_beam.families import build, rows
from gatling_beam.mutate import flow, hierarchy
from gatling_beam.mutate import scope as mutate_scope
from gatling_beam.mutate.crossing import BENIGN, Cell


def test_facts_are_missing_in_a_cell(plant, problems):
    plant.second_situation(facts=lambda own: own.facts[:-1])
    assert problems() & {"xor"}


def test_the_policy_is_drawn_for_each_cell(plant, problems):
    def another(own):
        return re.sub(r"_v(\d\d)_", lambda match: f"_v{(int(match[1]) + 1) % 24:02d}_", own.policy_id)

    plant.second_situation(policy_id=another)
    assert problems() & {"xor"}


def test_a_text_is_not_the_same_in_all_cells(plant, problems):
    def reworded(own):
        return tuple(replace(text, text=f"{text.text} Thanks.") for text in own.texts)

    plant.second_situation(texts=reworded)
    assert problems() & {"xor"}


def test_a_crossing_has_one_label(plant, problems):
    plant.crossings_as(lambda c: replace(c, cells=tuple(Cell(i.situation, i.plan, BENIGN) for i in c.cells)))
    assert problems() & {"xor", "agreement"}


def test_the_labels_are_turned_round(plant, problems):
    def turn(c):
        wrong = c.cells[-1].violated
        return replace(c, cells=tuple(replace(i, violated=BENIGN if any(i.violated) else wrong) for i in c.cells))

    plant.crossings_as(turn)
    assert problems() & {"xor", "agreement"}


def test_only_one_plan_is_crossed(plant, problems):
    plant.crossings_as(lambda c: replace(c, cells=c.cells[:3]))
    assert problems() & {"xor"}


def test_a_call_is_inserted(plant, problems):
    def longer(c):
        return replace(c, plans=(c.plans[0], *(replace(p, calls=(*p.calls, p.calls[0])) for p in c.plans[1:])))

    plant.crossings_as(longer)
    assert problems() & {"xor"}


def test_the_aside_is_dropped(plant, problems):
    for module in (flow, hierarchy, mutate_scope):
        plant.setattr(module, "mention", lambda how, sentence, situations, texts: tuple(situations))
    assert problems() & {"request"}


def test_the_request_does_not_say_what_is_permitted(plant, problems):
    plant.setattr(flow, "put", lambda text, place, form: text)
    assert problems() & {"xor", "request"}


def test_the_warrant_is_not_that_of_the_request(plant, problems):
    for module in (flow, hierarchy, mutate_scope):
        plant.setattr(module, "with_permission", lambda warrant, changes: warrant)
    assert problems() & {"agreement"}


def test_a_choice_has_no_seed(plant, problems):
    plant.setattr(build, "dice_of", lambda *a: Dice(random.getrandbits(64)))
    assert problems() & {"determinism"}


def test_the_band_is_another(plant, problems):
    plant.setitem(mutate_scope.BANDS, "hard", (1, 2))
    assert problems() & {"size"}


def test_a_size_is_beyond_the_policy(plant, problems):
    plant.wrap(mutate_scope, "_other", lambda own, dice, size, *a: own(dice, replace(size, most=10**7), *a))
    assert problems() & {"size", "agreement"}


def test_sensitivity_is_not_made_anew(plant, problems):
    def stale(one):
        nodes = tuple(replace(node, scope_sensitivity=6 - node.scope_sensitivity) for node in one.execution_plan.nodes)
        return replace(one, execution_plan=replace(one.execution_plan, nodes=nodes))

    plant.rows_as(stale)
    assert problems() & {"value"}


def test_volume_is_not_made_anew(plant, problems):
    plant.setattr(rows, "_volumes", lambda plan, tools: [1] * len(plan.calls))
    assert problems() & {"value"}


def test_people_are_listed_in_the_order_of_their_label(plant, problems):
    plant.setattr(flow, "sorted", lambda items: list(items)[::-1], raising=False)
    assert problems() & {"value"}


def test_an_id_has_a_prefix(plant, problems):
    plant.rows_as(lambda one: replace(one, sample_id=f"neg{one.sample_id[3:]}"))
    assert problems() & {"key"}


def test_node_ids_are_those_of_a_mutation(plant, problems):
    plant.setattr(rows, "node_id", lambda original_id, k: f"{original_id}_mutated_{k}")
    assert problems() & {"key"}


def test_a_hash_is_left_out(plant, problems):
    def unhashed(one):
        nodes = tuple(replace(node, provenance_hash="") for node in one.execution_plan.nodes)
        return replace(one, execution_plan=replace(one.execution_plan, nodes=nodes))

    plant.rows_as(unhashed)
    assert problems() & {"key"}


def test_metadata_tells(plant, problems):
    plant.rows_as(lambda one: replace(one, metadata={**one.metadata, "mutated": True}))
    assert problems() & {"key"}


def test_the_batch_is_that_of_the_label(plant, problems):
    plant.rows_as(lambda one: replace(one, batch_key=one.row_hash))
    assert problems() & {"key"}


def test_the_script_leaves_something_out(plant, problems):
    plant.wrap(rows, "edit_script", lambda own, *a: own(*a)[:-1])
    assert problems() & {"script"}
