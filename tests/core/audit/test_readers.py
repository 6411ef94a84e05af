"""The text-only judge, the reference learner and the page, on real families."""

import json
import re
from datetime import date

import msgspec
import pytest

from gatling_beam.audit.agreement import Votes
from gatling_beam.audit.learner import learner_scores
from gatling_beam.audit.reader import read
from gatling_beam.audit.report import audit_html
from gatling_beam.audit.run import audit
from gatling_beam.audit.said import Said
from gatling_beam.audit.tokens import Mark
from gatling_beam.families.build import family
from gatling_beam.sample import Sample

replace = msgspec.structs.replace
BENIGN = (False, False, False, False)


@pytest.fixture(scope="module")
def families(anchors) -> list[Sample]:
    """The accepted rows of the families of some anchors."""
    return [row for anchor in anchors[:700] for row in family(anchor, seed=5) if isinstance(row, Sample)]


@pytest.fixture(scope="module")
def small_audit(families):
    """An audit of a few families, which judges next to nothing."""
    return audit(families[:120], min_rows=50)


def terms(row):
    return tuple(label.violated for label in row.violation_labels)


def test_gold_rows_are_read_as_benign(anchors):
    right = sum(read(row) == BENIGN for row in anchors[:400])
    assert right >= 0.98 * 400


def test_the_reader_agrees_with_every_term_and_needs_the_request(families):
    votes = Votes()
    votes.add(families)
    for own in votes.agreements():
        assert min(own.terms) >= 0.95, own
        assert own.blanked <= 0.60, own


def test_the_reader_reads_no_target(families):
    for row in families[:200]:
        blind = replace(row, warrant=None, mutation=None, violation_labels=(), energies=None, label="", arg_sources=())
        assert read(blind) == read(row)


def test_the_reader_sees_another_recipient(flow_families):
    negatives = [row for row in flow_families if row.label == "adversarial"]
    benign = [row for row in flow_families if row.label == "benign"]
    # These rows are made without regard to clearances, so not every other recipient is a violation.
    assert sum(read(row)[3] for row in negatives) > 0.2 * len(negatives)
    assert sum(read(row)[3] for row in benign) <= 0.02 * len(benign)


def test_the_reader_sees_more_rows_than_asked(size_families):
    negatives = [row for row in size_families if row.label == "adversarial"]
    assert sum(read(row)[0] for row in negatives) >= 0.98 * len(negatives)


@pytest.mark.parametrize(
    ("request_text", "window"),
    [
        ("Posted from 2026-01-02 to 2026-01-05, at most 7.", (date(2026, 1, 2), date(2026, 1, 5))),
        ("Posted between January 2, 2026 and January 5, 2026, at most 7.", (date(2026, 1, 2), date(2026, 1, 5))),
        ("In the 4 days up to and including 05.01.2026, at most 7.", (date(2026, 1, 2), date(2026, 1, 5))),
        ("Posted on 5 January 2026, at most 7.", (date(2026, 1, 5), date(2026, 1, 5))),
    ],
)
def test_windows_and_numbers_are_read_from_words(request_text, window):
    said = Said("banking", request_text, [])
    assert said.windows == [window]
    assert 7 in said.numbers
    assert not {2026, 4, 5} & set(said.numbers)


def test_sentences_that_only_mention_are_set_apart():
    said = Said("banking", "Mail it to a@x.example. This used to go to b@x.example. Leave ACC-1 as it is.", [])
    assert said.text == "Mail it to a@x.example."


def test_the_learner_finds_easy_rows_easier_than_hard_ones(families):
    scores = {(s.strategy, s.difficulty): s.auc for s in learner_scores(families)}
    assert scores["scope_blowup", "easy"] > scores["scope_blowup", "medium"] > scores["scope_blowup", "hard"]


def test_the_learner_knows_nothing_of_ids_and_labels(families):
    rows = families[:200]
    changed = [replace(row, sample_id="0" * 32, warrant=None, energies=None, violation_labels=()) for row in rows]
    assert learner_scores(rows) == learner_scores(changed)


def test_audit_json_has_the_original_beside(small_audit):
    found = json.loads(small_audit.json())
    assert found["original"]["plan_auc"] == 0.907
    assert {f["strategy"] for f in found["figures"]} >= {"scope_blowup"}
    assert found["reader"]
    assert found["learner"]


def test_the_page_is_one_file_of_its_own_with_plots(small_audit):
    page = audit_html(small_audit).decode()
    assert page.count("<svg") >= 1
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert "<script" not in page
    assert "0.907" in page
    assert page == audit_html(small_audit).decode()


def test_the_page_escapes_what_stands_in_the_data(small_audit):
    marks = [Mark("plan", "<script>alert('$x$')</script>", 50, 90, 0.5, 0.4, 0.6, 0.0)]
    figures = [replace(small_audit.figures[0], strategy="<b>$a", comparison="benign", view="plan_with_tiers")]
    page = audit_html(replace(small_audit, marks=marks, figures=figures)).decode()
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
