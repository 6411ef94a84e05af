"""Contrast sets as text for people."""

from gatling_beam.contrast import ContrastSet
from gatling_beam.render import one_line, table

_MAX_REQUEST = 160


def render_contrast_set(found: ContrastSet) -> str:
    """A set as a matrix of contexts and plans: + benign, - adversarial, . unknown; and what each of them is."""
    labels = {(cell.c, cell.p): "+" if cell.label == "benign" else "-" for cell in found.relation}
    plans = [f"p{p}" for p in range(len(found.plans))]
    matrix = [("", *plans)]
    matrix += [
        (f"c{c}", *(labels.get((c, p), ".") for p in range(len(found.plans)))) for c in range(len(found.contexts_of))
    ]
    lines = [f"{one_line(found.group_id)}  family of {len(found.relation)} cells (+ benign, - adversarial, . unknown)"]
    lines.append(table(matrix))
    lines += [f"c{c}: {one_line(one.request, _MAX_REQUEST)}" for c, one in enumerate(found.contexts_of)]
    for p, plan in enumerate(found.plans):
        calls = " -> ".join(node.tool_name for node in plan.execution_plan.nodes)
        lines.append(f"p{p}: {one_line(calls)}")
    return "\n".join(lines)
