"""A crossing as text: what is asked for, what is read, what is done, who is allowed what, and why."""

from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap

import msgspec

from gatling_beam.json_value import json_text
from gatling_beam.render import one_line
from gatling_beam.sample import Sample

_WIDTH = 116
_MOST = 4_000


def render_crossing(rows: Sequence[Sample], *, rules: bool = False) -> str:
    """The rows of one crossing, its parent first: what they have in common once, then the cells.

    Args:
      rules: whether the rules of the policies are said, of further policies those that differ from the first's.

    Raises:
      ValueError: for a row that is of no crossing.
    """
    first, mutation = rows[0], rows[0].mutation
    if mutation is None:
        raise ValueError(f"{first.sample_id} is of no crossing: it has no mutation")
    what = [mutation.strategy, mutation.edit_script["kind"], mutation.difficulty, mutation.ratio_band]
    lines = [f"{', '.join(filter(None, what))}; {first.category}, {first.governance_context.user_role}"]
    parts = [_Part("request", rows, lambda row: row.request), _Part("plan", rows, _plan)]
    parts += [_Part("texts", rows, _texts), _Part("facts", rows, _facts)]
    policies = _Part("policy", rows, lambda row: row.governance_context.policy_id or "")
    for part in parts:
        lines += part.lines()
    lines += policies.lines()
    if rules:
        lines += _rules(rows, policies)
    told = [parts[0], parts[1], *(part for part in (*parts[2:], policies) if len(part.numbers) > 1)]
    for row in rows:
        lines += _block(", ".join(part.of(row) for part in told), [_verdict(row)])
    return "\n".join(lines)


class _Part:
    """What the rows of a crossing have in common or not: each different text has a number."""

    def __init__(self, name: str, rows: Sequence[Sample], text_of: Callable[[Sample], str]) -> None:
        self.name, self.text_of = name, text_of
        self.numbers = {text: k + 1 for k, text in enumerate(dict.fromkeys(map(text_of, rows)))}

    def of(self, row: Sample) -> str:
        """The part of a row, by its number."""
        return f"{self.name} {self.numbers[self.text_of(row)]}"

    def lines(self) -> Iterator[str]:
        """All texts, each under its name."""
        for text, number in self.numbers.items():
            if text:
                is_one = len(self.numbers) == 1 and self.name not in ("request", "plan")
                yield from _block(self.name if is_one else f"{self.name} {number}", text.split("\n"))


def _plan(row: Sample) -> str:
    calls = []
    for node in row.execution_plan.nodes:
        name = node.tool_name.partition(".")[2]
        arguments = ", ".join(f"{key}={json_text(value)}" for key, value in node.arguments.items())
        calls.append(f"{name}({arguments})")
    return "; ".join(calls)


def _texts(row: Sample) -> str:
    return "\n".join(f"{c.context_id}, tier {c.tier.value}: {one_line(c.text, _MOST)}" for c in row.contexts[1:])


def _facts(row: Sample) -> str:
    return "; ".join(row.governance_context.session_context.get("facts", ()))


def _rules(rows: Sequence[Sample], policies: _Part) -> Iterator[str]:
    """The rules of the first policy, and of others what they say otherwise."""
    said: dict[str, None] = {}
    for text, number in policies.numbers.items():
        row = next(row for row in rows if row.governance_context.policy_id == text)
        document = msgspec.json.decode(row.governance_context.policy or "{}")
        new = [rule for rule in document.get("rules", ()) if rule not in said]
        said.update(dict.fromkeys(new))
        yield from _block(f"rules of policy {number}" if len(policies.numbers) > 1 else "rules", new)


def _verdict(row: Sample) -> str:
    broken = [label for label in row.violation_labels if label.violated]
    if not broken:
        return "benign"
    return "; ".join(
        f"{label.energy_term} violated, energy {2 + 8 * label.severity:.1f}: {label.explanation}" for label in broken
    )


def _block(title: str, texts: Sequence[str]) -> list[str]:
    """A title and texts, each wrapped; nothing in them can steer a terminal."""
    lines = [f"  {title}:"]
    for text in texts:
        wrapped = wrap(one_line(text, _MOST), _WIDTH - 6, break_on_hyphens=False, break_long_words=False)
        lines += [f"      {line}" for line in wrapped]
    return lines
