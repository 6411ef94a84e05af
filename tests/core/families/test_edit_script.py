"""Edit scripts lead from one JSON value to another, and their inverse back again."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatling_beam.families.edit_script import edit_script, edited, inverse

KEYS = st.text(st.sampled_from("ab/~01 é"), max_size=3)
LEAVES = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | st.text("a~/", max_size=2)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)


def exact(value):
    return json.dumps(value, sort_keys=True)


@given(old=VALUES, new=VALUES)
def test_there_and_back_again(old, new):
    before = copy.deepcopy((old, new))
    edits = json.loads(json.dumps(edit_script(old, new)))
    assert exact(edited(old, edits)) == exact(new)
    assert exact(edited(new, inverse(edits))) == exact(old)
    assert exact([old, new]) == exact(before)
    assert inverse(inverse(edits)) == edits
    assert (edits == []) == (exact(old) == exact(new))


@given(value=st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), data=st.data())
def test_one_change_is_one_edit(value, data):
    key = data.draw(st.sampled_from(sorted(value)))
    new = {**value, key: [value[key]]}
    edits = edit_script(value, new)
    step = key.replace("~", "~0").replace("/", "~1")
    if isinstance(value[key], list) and len(value[key]) == 1:
        return
    assert edits == [{"path": f"/{step}", "old": value[key], "new": [value[key]]}]


def test_golden():
    old = {"plan": [{"to": ["a", "b"], "n": 1}], "facts": ["x"], "gone": 0, "same": {"a/b": [True]}}
    new = {"plan": [{"to": ["a", "c"], "n": True}], "facts": ["x", "y"], "new": None, "same": {"a/b": [1]}}
    assert edit_script(old, new) == [
        {"path": "/plan/0/to/1", "old": "b", "new": "c"},
        {"path": "/plan/0/n", "old": 1, "new": True},
        {"path": "/facts", "old": ["x"], "new": ["x", "y"]},
        {"path": "/gone", "old": 0},
        {"path": "/same/a~1b/0", "old": True, "new": 1},
        {"path": "/new", "new": None},
    ]


@pytest.mark.parametrize("path", ["/b", "/a/1", "/a/x", "/a/0/0", ""])
def test_a_script_for_another_value_is_refused(path):
    with pytest.raises(ValueError, match=r"leads nowhere|is not"):
        edited({"a": [1]}, [{"path": path, "old": 2, "new": 3}])
