"""Exact counts over all rows: labels, distinct plans, rows that are equal to a benign one, tools of each label."""

from collections import Counter, defaultdict
from typing import Any

from gatling_beam.audit.collect import ADVERSARIAL
from gatling_beam.audit.features import plan_key
from gatling_beam.hashing import content_hash
from gatling_beam.plan import TrustTier
from gatling_beam.sample import Sample


class Counts:
    """Adds up rows; `summary()` gives the figures.

    Equal rows are found twice: by the stored `row_hash`, and by what a model reads (policy, role, facts, request,
    texts, plan), so that a stale hash hides nothing.
    """

    def __init__(self) -> None:
        self._rows: Counter[str] = Counter()
        self._tier3: Counter[str] = Counter()
        self._plans: set[str] = set()
        self._hashes: dict[str, set[str]] = defaultdict(set)
        self._contents: dict[str, set[str]] = defaultdict(set)
        self._tools: dict[str, set[str]] = defaultdict(set)
        self._sources: dict[str, Counter[str]] = {"source": Counter(), "language": Counter()}

    def add(self, sample: Sample) -> None:
        """Takes a row."""
        label = sample.label
        self._rows[label] += 1
        plan = plan_key(sample.execution_plan)
        self._plans.add(content_hash(repr(plan)))
        if not sample.in_family:
            return
        self._rows[f"family {label}"] += 1
        self._tier3[label] += any(n.provenance_tier == TrustTier.UNVERIFIED_RAG for n in sample.execution_plan.nodes)
        self._hashes[label].add(sample.row_hash)
        self._contents[label].add(content_hash(repr((plan, _read(sample)))))
        self._tools[label].update(node.tool_name for node in sample.execution_plan.nodes)
        self._sources["source"][f"{sample.source.name} {label}"] += 1
        self._sources["language"][f"{sample.language} {label}"] += 1

    def summary(self) -> dict[str, Any]:
        """The figures, by name."""
        rows = sum(self._rows[label] for label in ("benign", ADVERSARIAL))
        bad, good = self._tools[ADVERSARIAL], self._tools["benign"]
        tier3 = sum(self._tier3.values())
        family = self._rows["family benign"] + self._rows["family adversarial"]
        return {
            "rows": rows,
            "rows_benign": self._rows["benign"],
            "rows_adversarial": self._rows[ADVERSARIAL],
            "family_rows": family,
            "distinct_plans": len(self._plans),
            "distinct_plans_share": _share(len(self._plans), rows),
            "equal_row_hash": len(self._hashes[ADVERSARIAL] & self._hashes["benign"]),
            "equal_content": len(self._contents[ADVERSARIAL] & self._contents["benign"]),
            "tool_names_shared": _share(len(bad & good), len(bad)),
            "tools_only_adversarial": sorted(bad - good)[:20],
            "adversarial_share": _share(self._rows["family adversarial"], family),
            "adversarial_given_tier3": _share(self._tier3[ADVERSARIAL], tier3) if tier3 else None,
            "by_source": dict(sorted(self._sources["source"].items())),
            "by_language": dict(sorted(self._sources["language"].items())),
        }


def _read(sample: Sample) -> tuple[Any, ...]:
    """What a model reads beside the plan's calls."""
    governance = sample.governance_context
    at = {node.node_id: k for k, node in enumerate(sample.execution_plan.nodes)}
    texts = tuple((at.get(c.node_id or "", -1), int(c.tier), c.text) for c in sample.contexts)
    tiers = tuple(int(node.provenance_tier) for node in sample.execution_plan.nodes)
    facts = repr(governance.session_context)
    return sample.request, governance.policy_id, governance.policy, governance.user_role, facts, texts, tiers


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
