"""Plans as graphs: nodes with `<node-j>` references, and links that name tools (TaskBench)."""

import re
from typing import Any

from gatling_beam.errors import BadRow
from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import as_object, as_text, column, decoded, decoded_list, row_id
from gatling_beam.sources.spec import SourceSpec

_NODE = re.compile(r"<node-(\d{1,9})>")
_NAMED = re.compile(r"<(?:output of )?([^<>]{1,200})>", re.I)


def plan_graph(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """The columns carry one of two sets of names: those of the Hub, or those of the authors' repository."""
    nodes = _nodes(_either(row, "tool_nodes", "task_nodes"))
    links = decoded_list(_either(row, "tool_links", "task_links"), "tool_links")
    sampled = [as_object(tool, "a sampled node") for tool in decoded_list(row.get("sampled_nodes"), "sampled_nodes")]
    names = [name for name, _ in nodes]
    references = [
        (int(j), k) for k, (_, listed) in enumerate(nodes) for text in _texts(listed) for j in _NODE.findall(text)
    ]
    base = _base(references)
    edges = {(j - base, k): "data" for j, k in references if 0 <= j - base < k}
    for name, k in _name_references(nodes):
        _add(edges, _nearest(name, k, names), k, "data")
    # Links of everyday services say what happens first; those of models hand over a file or a text.
    evidence = "control" if any(isinstance(item, dict) for _, listed in nodes for item in listed) else "data"
    for link in links:
        _add_link(edges, as_object(link, "a link"), names, evidence)
    return Extracted(
        request=as_text(_either(row, "instruction", "user_request"), "instruction"),
        calls=[Call(name, _arguments(listed), label=str(k + base)) for k, (name, listed) in enumerate(nodes)],
        tools=[{**tool, "name": tool.get("task")} for tool in sampled] if "sampled_nodes" in row else None,
        original_id=row_id(row),
        references="node",
        edges=sorted((source, target, why) for (source, target), why in edges.items()),
    )


def _either(row: dict[str, Any], name: str, other: str) -> Any:
    return row[name] if name in row else column(row, other)


def _nodes(value: Any) -> list[tuple[str, list[Any]]]:
    """The nodes as (tool, arguments as listed)."""
    nodes = decoded(value, "tool_nodes")
    if not isinstance(nodes, list):
        raise BadRow("wrong_type", f"tool_nodes is of type {type(nodes).__name__}, not a list")
    found = []
    for node in nodes:
        name = as_object(node, "a node").get("task")
        if not isinstance(name, str) or not name:
            raise BadRow("bad_call", "a node without a task")
        listed = node.get("arguments")
        if isinstance(listed, dict):
            listed = [{"name": key, "value": member} for key, member in listed.items()]
        if listed is not None and not isinstance(listed, list):
            raise BadRow("bad_arguments", f"arguments of type {type(listed).__name__}")
        found.append((name, listed or []))
    return found


def _arguments(listed: list[Any]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for k, item in enumerate(listed):
        is_named = isinstance(item, dict) and isinstance(item.get("name"), str)
        name = item["name"] if is_named else f"_{k}"
        if name in arguments:
            raise BadRow("bad_arguments", f"the argument {name[:100]!r} is given twice")
        arguments[name] = item.get("value", item.get("from")) if is_named else item
    return arguments


def _texts(listed: list[Any]) -> list[str]:
    values = [item.get("value") if isinstance(item, dict) else item for item in listed]
    return [value for value in values if isinstance(value, str)]


def _base(references: list[tuple[int, int]]) -> int:
    """Positions count from 0, but in some rows from 1: there a node would refer to itself, and none to position 0."""
    counts_from_one = all(1 <= j <= k for j, k in references) and any(j == k for j, k in references)
    return 1 if counts_from_one else 0


def _name_references(nodes: list[tuple[str, list[Any]]]) -> list[tuple[str, int]]:
    """References by the name of a tool, as (name, referring node): `<Tool>`, `<output of Tool>`, `{"from": Tool}`."""
    found = []
    for k, (_, listed) in enumerate(nodes):
        found += [(name, k) for text in _texts(listed) for name in _NAMED.findall(text)]
        origins = [item.get("from") for item in listed if isinstance(item, dict)]
        found += [(origin, k) for origin in origins if isinstance(origin, str)]
    return found


def _nearest(name: str, k: int, names: list[str]) -> int | None:
    """The last node before `k` whose tool is called `name`; blanks may be written as underscores."""
    wanted = _plain(name)
    return next((j for j in range(k - 1, -1, -1) if _plain(names[j]) == wanted), None)


def _plain(name: str) -> str:
    return name.replace("_", " ").strip().casefold()


def _add(edges: dict[tuple[int, int], str], source: int | None, target: int, evidence: str) -> None:
    if source is not None:
        edges.setdefault((source, target), evidence)


def _add_link(edges: dict[tuple[int, int], str], link: dict[str, Any], names: list[str], evidence: str) -> None:
    """Adds the edge of a link between tools. Where a tool is used twice the nearest pair in order counts, unless a
    reference has settled the link already.
    """
    source, target = column(link, "source"), column(link, "target")
    pairs = [
        (a, b) for b, name in enumerate(names) if name == target for a in range(b - 1, -1, -1) if names[a] == source
    ]
    if pairs and not any(pair in edges for pair in pairs):
        edges[pairs[0]] = evidence
