"""The audit as a page that works without a network: figures beside their ceilings, plots as inline SVG."""

import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Plot

from gatling_beam.audit.ceilings import PLAN_VIEWS
from gatling_beam.audit.figures import Figure
from gatling_beam.audit.result import AuditResult

_COLOURS = {"pass": "#2a7f4f", "fail": "#b3261e", "reported": "#6b7280"}
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1f2933}
table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.2rem .7rem;border-bottom:1px solid #e5e7eb;text-align:left}
td.n{text-align:right}.pass{color:#2a7f4f}.fail{color:#b3261e;font-weight:600}.reported{color:#6b7280}
svg{max-width:100%;height:auto}
"""
#: How the measures of the original are called on the page.
_ORIGINAL = {
    "plan_auc": "plan alone, all strategies (AUC)",
    "plan_auc_exfiltration": "plan alone, exfiltration (AUC)",
    "plan_auc_scope": "plan alone, scope (AUC)",
    "plan_auc_provenance": "plan alone, provenance (AUC)",
    "distinct_plans_share": "distinct plans a row",
    "unchanged_mutations_share": "one mutation that changes nothing (share)",
    "tool_names_shared": "tools of negatives that benign rows use too (share)",
}


def audit_html(result: AuditResult) -> bytes:
    """The content of `audit.html`: one file, all text of the data escaped."""
    verdict = "pass" if result.passed else "fail"
    benign = [figure for figure in result.figures if figure.comparison == "benign"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>Audit: {verdict}</title><style>{_STYLE}</style><h1>Audit: <span class={verdict}>{verdict}</span></h1>",
        _list(result.failures()),
        "<h2>Checks</h2>",
        _table(("check", "value", "limit", ""), ((c.name, c.value, c.limit, c.verdict) for c in result.checks)),
        "<h2>What the plan alone tells</h2>",
        _dots([f for f in benign if f.view == PLAN_VIEWS[0]]),
        "<h2>What each part of the row tells</h2>",
        _dots([f for f in benign if f.view not in PLAN_VIEWS and f.model != "tied"]),
        "<h2>Beside the original</h2>",
        _table(("measure", "original", "here"), _beside(result)),
        "<h2>The text-only judge</h2>",
        _table(
            ("strategy", "rows", "scope", "hierarchy", "provenance", "flow", "all four", "request blanked"),
            ((a.strategy or "all", a.rows, *a.terms, a.any_term, a.blanked) for a in result.reader),
        ),
        "<h2>The reference learner</h2>",
        _table(
            ("strategy", "difficulty", "rows", "AUC"),
            ((s.strategy, s.difficulty or "all", s.rows, s.auc) for s in result.learner),
        ),
        "<h2>All probes</h2>",
        _table(
            ("strategy", "kind", "difficulty", "against", "view", "negatives", "benign", "AUC", "bound", "ceiling",
             "floor", ""),
            (
                (f.strategy, f.kind, f.difficulty or "all", f.comparison, f.view, f.negatives, f.benign, f.auc, f.lower,
                 f.ceiling, f.floor, f.verdict)
                for f in result.figures
            ),
        ),
        "<h2>Marks that go with a label</h2>",
        _table(
            ("view", "mark", "rows", "adversarial", "bits"),
            ((m.view, m.name, m.rows, m.adversarial, m.pmi) for m in result.marks),
        ),
        "<h2>Counts</h2>",
        _table(("count", "value"), result.counts.items()),
    ]  # fmt: skip
    return "\n".join(parts).encode()


def _beside(result: AuditResult) -> Iterable[tuple[str, float, Any]]:
    here: dict[str, Any] = {name: result.counts.get(name) for name in result.original}
    own = {
        "plan_auc_exfiltration": "exfiltration_pivot",
        "plan_auc_scope": "scope_blowup",
        "plan_auc_provenance": "provenance_rug_pull",
    }
    plans = [f for f in result.figures if f.view == PLAN_VIEWS[0] and f.comparison == "benign"]
    here |= {name: max((f.distance for f in plans if f.strategy == own[name]), default=None) for name in own}
    here["plan_auc"] = max((f.distance for f in plans), default=None)
    rows = result.counts["rows_adversarial"]
    here["unchanged_mutations_share"] = round(result.counts["equal_content"] / rows, 4) if rows else None
    return ((_ORIGINAL[name], value, here[name]) for name, value in result.original.items())


def _dots(figures: Sequence[Figure]) -> str:
    """A dot and its bound a figure, with the ceiling as a bar; one line a figure."""
    if not figures:
        return "<p>No figures.</p>"
    plot = Plot(figsize=(9, 0.6 + 0.28 * len(figures)))
    FigureCanvasSVG(plot)
    axes = plot.add_subplot()
    for k, figure in enumerate(figures):
        colour = _COLOURS[figure.verdict]
        axes.plot([figure.lower, figure.distance], [k, k], color=colour, linewidth=2)
        axes.plot([figure.distance], [k], "o", color=colour, markersize=5)
        for value, mark in ((figure.ceiling, "#111827"), (figure.floor, "#9ca3af")):
            if value is not None:
                axes.plot([value, value], [k - 0.35, k + 0.35], color=mark, linewidth=1.5)
    axes.axvline(0.5, color="#d1d5db", linewidth=1, zorder=0)
    names = [" ".join(filter(None, (f.strategy, f.kind, f.difficulty, f.view))) for f in figures]
    # No text of the data is read as a formula.
    axes.set_yticks(range(len(figures)), [name.replace("$", r"\$") for name in names], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0.42, 1.02)
    axes.set_xlabel("|AUC - 0.5| + 0.5 with its lower bound; black: ceiling, grey: floor of the sizes", fontsize=8)
    plot.tight_layout()
    stream = io.StringIO()
    with rc_context({"svg.hashsalt": "audit"}):
        plot.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue().partition("\n<!DOCTYPE")[2].partition("\n")[2] or stream.getvalue()


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    cells = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr>{cells}</table>"


def _cell(value: Any) -> str:
    if isinstance(value, str) and value in _COLOURS:
        return f"<td class={value}>{value}</td>"
    text = "" if value is None else str(value)
    return f"<td{' class=n' if isinstance(value, int | float) else ''}>{escape(text)}</td>"


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li class=fail>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""
