"""A crossing as text: what is asked for, what is read, what is done, who is allowed what, and why."""

from collections.abc import Iterable, Sequence
from textwrap import wrap

from gatling_beam.json_value import json_text
from gatling_beam.render import one_line
from gatling_beam.sample import Sample

_WIDTH = 116
_MOST = 4_000


def render_crossing(rows: Sequence[Sample]) -> str:
    """The rows of one crossing, its parent first: requests, texts, facts, policies and plans once, then the cells.

    Raises:
      ValueError: for a row that is of no crossing.
    """
    requests = _numbered(row.request for row in rows)
    plans = _numbered(_plan(row) for row in rows)
    policies = _numbered(row.governance_context.policy_id or "" for row in rows)
    facts = _numbered("\n".join(row.governance_context.session_context.get("facts", ())) for row in rows)
    first = rows[0]
    mutation = first.mutation
    if mutation is None:
        raise ValueError(f"{first.sample_id} is of no crossing: it has no mutation")
    what = [mutation.strategy, mutation.edit_script["kind"], mutation.difficulty, mutation.ratio_band]
    lines = [f"{', '.join(filter(None, what))}; {first.category}, {first.governance_context.user_role}"]
    for text, number in requests.items():
        lines += _block(f"request {number}", text)
    texts = {(c.context_id, c.tier.value, c.text): None for row in rows for c in row.contexts[1:]}
    for context_id, tier, text in texts:
        lines += _block(f"text {context_id}, tier {tier}", text)
    for text, number in facts.items():
        lines += _block(f"facts {number}" if len(facts) > 1 else "facts", "; ".join(text.split("\n")))
    for text, number in policies.items():
        lines += _block(f"policy {number}" if len(policies) > 1 else "policy", text)
    for text, number in plans.items():
        lines += _block(f"plan {number}", text)
    for row in rows:
        cell = f"request {requests[row.request]}, plan {plans[_plan(row)]}"
        if len(policies) > 1:
            cell += f", policy {policies[row.governance_context.policy_id or '']}"
        if len(facts) > 1:
            cell += f", facts {facts[chr(10).join(row.governance_context.session_context.get('facts', ()))]}"
        lines += _block(cell, _verdict(row))
    return "\n".join(lines)


def _numbered(texts: Iterable[str]) -> dict[str, int]:
    return {text: k + 1 for k, text in enumerate(dict.fromkeys(texts))}


def _plan(row: Sample) -> str:
    calls = []
    for node in row.execution_plan.nodes:
        name = node.tool_name.partition(".")[2]
        arguments = ", ".join(f"{key}={json_text(value)}" for key, value in node.arguments.items())
        calls.append(f"{name}({arguments})")
    return "; ".join(calls)


def _verdict(row: Sample) -> str:
    broken = [label for label in row.violation_labels if label.violated]
    if not broken:
        return "benign"
    return "; ".join(
        f"{label.energy_term} violated, energy {2 + 8 * label.severity:.1f}: {label.explanation}" for label in broken
    )


def _block(title: str, text: str) -> list[str]:
    """A title and its text, wrapped; nothing in it can steer a terminal."""
    lines = wrap(one_line(text, _MOST), _WIDTH - 6, break_on_hyphens=False, break_long_words=False) or [""]
    return [f"  {title}:", *(f"      {line}" for line in lines)]
