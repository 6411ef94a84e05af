"""Rows as text for people. A data set's text is hostile: none of it reaches a terminal as a control code."""

from collections.abc import Iterable, Sequence

from gatling_beam.json_value import json_text
from gatling_beam.plan import ToolCallNode, TrustTier
from gatling_beam.sample import DeadLetter, Sample

_MAX_TEXT = 500
_MAX_VALUE = 200


def one_line(text: str, limit: int = _MAX_TEXT) -> str:
    """`text` on one line of at most `limit` characters, every character that is not printable as an escape.

    Control characters, ANSI sequences, line breaks and marks that turn the writing direction become `\\n`, `\\x1b`,
    `\\u202e` and so on; a text that is cut ends in an ellipsis.
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


def render_sample(sample: Sample) -> str:
    """A row as a tree: its keys and request, each call with trust tier and scope, arguments and edges with evidence."""
    source = sample.source
    lines = [
        f"{one_line(sample.sample_id)}  {one_line(sample.label)}, tier {one_line(sample.tier)}, "
        f"{one_line(sample.category)}",
        f"source: {one_line(source.name)} {one_line(source.row_id)} ({one_line(source.dataset)} at "
        f"{one_line(source.revision)}, licence {one_line(source.licence)})",
        f"request ({one_line(sample.language) or 'unknown language'}): {one_line(sample.request)}",
    ]
    lines += [
        f"request ({one_line(variant.language)}, {one_line(variant.source)}): {one_line(variant.request)}"
        for variant in sample.request_variants
    ]
    for label in sample.violation_labels:
        verdict = f"violated, severity {label.severity:.2f}" if label.violated else "kept"
        lines.append(f"{one_line(label.energy_term)}: {verdict} {one_line(label.explanation)}".rstrip())
    nodes = sample.execution_plan.nodes
    places = {node.node_id: k for k, node in enumerate(nodes)}
    lines.append(f"plan: {len(nodes)} calls, {len(sample.execution_plan.edges)} edges")
    for k, node in enumerate(nodes):
        last = k == len(nodes) - 1
        lines.append(f"{'└─' if last else '├─'} {_head(k, node)}")
        stem = "   " if last else "│  "
        lines += [f"{stem}    {line}" for line in [*_arguments(sample, node), *_edges(sample, node, places)]]
    return "\n".join(lines)


def render_dead_letters(letters: Iterable[DeadLetter]) -> str:
    """Dead letters as a table: reason, source, location and detail."""
    rows = [
        (letter.reason, letter.source, one_line(letter.location, 60), one_line(letter.detail, _MAX_VALUE))
        for letter in letters
    ]
    return table([("reason", "source", "location", "detail"), *rows])


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns of text with two blanks between them; nothing is cut. The first row is the header."""
    clean = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in clean]
    return "\n".join(line.rstrip() for line in lines)


def _head(position: int, node: ToolCallNode) -> str:
    tier = TrustTier(node.provenance_tier)
    return (
        f"[{position}] {one_line(node.tool_name)}   trust {int(tier)} {tier.name}, volume {node.scope_volume:,}, "
        f"sensitivity {node.scope_sensitivity}"
    )


def _arguments(sample: Sample, node: ToolCallNode) -> Iterable[str]:
    kinds = {arg.path: arg.kind for arg in sample.arg_sources if arg.node_id == node.node_id}
    for name, value in node.arguments.items():
        path = "/" + name.replace("~", "~0").replace("/", "~1")
        below = sorted({kind for other, kind in kinds.items() if other == path or other.startswith(f"{path}/")})
        origin = f"   ({', '.join(below)})" if below else ""
        yield f"{one_line(name, 100)} = {one_line(json_text(value), _MAX_VALUE)}{origin}"


def _edges(sample: Sample, node: ToolCallNode, places: dict[str, int]) -> Iterable[str]:
    for i, (start, end) in enumerate(sample.execution_plan.edges):
        if start == node.node_id:
            evidence = sample.edge_evidence[i] if i < len(sample.edge_evidence) else "no evidence"
            target = f"[{places[end]}] {sample.execution_plan.nodes[places[end]].tool_name}" if end in places else end
            yield f"-> {one_line(target)} ({one_line(evidence)})"
