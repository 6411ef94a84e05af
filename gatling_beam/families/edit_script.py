"""Edit scripts: the difference between two JSON values as replacements, and their inverse.

An edit is {"path": JSON Pointer, "old": value, "new": value}; the absent side of an added or removed key or item is
left out. Lists of different lengths are replaced whole.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from gatling_beam.plan import ExecutionPlan, ToolCallNode

_ABSENT = object()


def edit_script(old: Any, new: Any) -> list[dict[str, Any]]:
    """The edits that make `new` of `old`, both JSON values, in the order of their paths in `old`."""
    return list(_edits("", old, new))


def _edits(path: str, old: Any, new: Any) -> Iterator[dict[str, Any]]:
    if type(old) is dict and type(new) is dict:
        for key in (*old, *(key for key in new if key not in old)):
            one, other = old.get(key, _ABSENT), new.get(key, _ABSENT)
            if not _is_same(one, other):
                step = key.replace("~", "~0").replace("/", "~1")
                yield from _edits(f"{path}/{step}", one, other)
    elif type(old) is list and type(new) is list and len(old) == len(new):
        for k, (one, other) in enumerate(zip(old, new, strict=True)):
            if not _is_same(one, other):
                yield from _edits(f"{path}/{k}", one, other)
    elif not _is_same(old, new):
        edit = {"path": path}
        if old is not _ABSENT:
            edit["old"] = old
        if new is not _ABSENT:
            edit["new"] = new
        yield edit


def _is_same(old: Any, new: Any) -> bool:
    """Whether two values are the same JSON: 1 == True, but they are not."""
    if old is new:
        return True
    if type(old) is str or old != new:
        return bool(old == new)
    return msgspec.json.encode(old) == msgspec.json.encode(new)


def plan_state(plan: ExecutionPlan) -> dict[str, Any]:
    """A plan as JSON values, with lists where it has tuples, so that edits reach into its nodes."""
    return {"nodes": [_node_state(node) for node in plan.nodes], "edges": [list(edge) for edge in plan.edges]}


def _node_state(node: ToolCallNode) -> dict[str, Any]:
    # The arguments as they are: those that two plans share need not be compared.
    return msgspec.structs.asdict(node) | {"provenance_tier": int(node.provenance_tier)}


def inverse(edits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The edits that undo `edits`: the repair."""
    turned = {"old": "new", "new": "old", "path": "path"}
    return [{turned[key]: value for key, value in edit.items()} for edit in reversed(edits)]


def edited(value: Any, edits: list[dict[str, Any]]) -> Any:
    """`value` with the edits made; `value` itself is left as it is.

    Raises:
      ValueError: where a path leads nowhere, or something else than the edit's `old` stands there.
    """
    for edit in edits:
        value = _edited(
            value, [step.replace("~1", "/").replace("~0", "~") for step in edit["path"].split("/")[1:]], edit
        )
    return value


def _edited(value: Any, steps: list[str], edit: dict[str, Any]) -> Any:
    if not steps:
        if value != edit.get("old", _ABSENT):
            raise ValueError(f"{edit['path']}: the value is not {edit.get('old', 'absent')!r}")
        return edit.get("new", _ABSENT)
    step, rest = steps[0], steps[1:]
    if type(value) is list and step.isdigit() and int(step) < len(value):
        place = int(step)
        return [*value[:place], _edited(value[place], rest, edit), *value[place + 1 :]]
    if type(value) is not dict:
        raise ValueError(f"{edit['path']} leads nowhere")
    member = _edited(value.get(step, _ABSENT), rest, edit)
    if member is _ABSENT:
        return {key: item for key, item in value.items() if key != step}
    return {**value, step: member}
