"""Counts over all rows: labels, distinct plans, rows that are equal to a benign one, tools of each label."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from gatling_beam.audit.collect import ADVERSARIAL
from gatling_beam.audit.features import plan_key
from gatling_beam.plan import TrustTier
from gatling_beam.sample import Sample

_json = msgspec.json.Encoder(order="deterministic").encode


class Counts(msgspec.Struct):
    """Adds up rows; `summary()` gives the figures.

    Equal rows are found twice: by the stored `row_hash`, and by what a model reads (policy, role, facts, request,
    texts, plan), so that a stale hash hides nothing. A row leaves 24 bytes of hashes: among ten million rows two
    different ones are taken for equal with a probability of 3 in a million.
    """

    rows: dict[str, int] = {}
    family: dict[str, int] = {}
    tier3: dict[str, int] = {}
    source: dict[str, int] = {}
    language: dict[str, int] = {}
    plans: bytearray = bytearray()
    hashes: dict[str, bytearray] = {}
    contents: dict[str, bytearray] = {}
    tools: dict[str, set[str]] = {}

    def add(self, sample: Sample) -> None:
        """Takes a row."""
        label, plan = sample.label, plan_key(sample.execution_plan)
        _increase(self.rows, label)
        self.plans += _key(repr(plan))
        if not sample.in_family:
            return
        nodes = sample.execution_plan.nodes
        _increase(self.family, label)
        _increase(self.tier3, label, int(any(node.provenance_tier == TrustTier.UNVERIFIED_RAG for node in nodes)))
        _increase(self.source, f"{sample.source.name} {label}")
        _increase(self.language, f"{sample.language} {label}")
        self.hashes.setdefault(label, bytearray()).extend(_key(sample.row_hash))
        self.contents.setdefault(label, bytearray()).extend(_key(repr((plan, _read(sample)))))
        self.tools.setdefault(label, set()).update(node.tool_name for node in nodes)

    def merge(self, other: "Counts") -> None:
        """Takes the rows of other counts."""
        for name in ("rows", "family", "tier3", "source", "language"):
            for key, n in getattr(other, name).items():
                _increase(getattr(self, name), key, n)
        self.plans += other.plans
        for label, keys in other.hashes.items():
            self.hashes.setdefault(label, bytearray()).extend(keys)
        for label, keys in other.contents.items():
            self.contents.setdefault(label, bytearray()).extend(keys)
        for label, tools in other.tools.items():
            self.tools.setdefault(label, set()).update(tools)

    def summary(self) -> dict[str, Any]:
        """The figures, by name."""
        benign, adversarial = (self.rows.get(label, 0) for label in ("benign", ADVERSARIAL))
        rows, family = benign + adversarial, sum(self.family.get(label, 0) for label in ("benign", ADVERSARIAL))
        good, bad = (self.tools.get(label, set()) for label in ("benign", ADVERSARIAL))
        tier3 = sum(self.tier3.values())
        plans = len(_distinct(self.plans))
        return {
            "rows": rows,
            "rows_benign": benign,
            "rows_adversarial": adversarial,
            "family_rows": family,
            "distinct_plans": plans,
            "distinct_plans_share": _share(plans, rows),
            "equal_row_hash": _equal(self.hashes),
            "equal_content": _equal(self.contents),
            "tool_names_shared": _share(len(bad & good), len(bad)),
            "tools_only_adversarial": sorted(bad - good)[:20],
            "adversarial_share": _share(self.family.get(ADVERSARIAL, 0), family),
            "adversarial_given_tier3": _share(self.tier3.get(ADVERSARIAL, 0), tier3) if tier3 else None,
            "by_source": dict(sorted(self.source.items())),
            "by_language": dict(sorted(self.language.items())),
        }


def _read(sample: Sample) -> tuple[Any, ...]:
    """What a model reads beside the plan's calls."""
    governance = sample.governance_context
    at = {node.node_id: k for k, node in enumerate(sample.execution_plan.nodes)}
    texts = tuple((at.get(c.node_id or "", -1), int(c.tier), c.text) for c in sample.contexts)
    tiers = tuple(int(node.provenance_tier) for node in sample.execution_plan.nodes)
    facts = _json(governance.session_context)
    return sample.request, governance.policy_id, governance.policy, governance.user_role, facts, texts, tiers


def _increase(counts: dict[str, int], key: str, n: int = 1) -> None:
    counts[key] = counts.get(key, 0) + n


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _distinct(keys: bytearray) -> npt.NDArray[np.uint64]:
    return np.unique(np.frombuffer(bytes(keys), "<u8"))


def _equal(keys: Mapping[str, bytearray]) -> int:
    """How many of the adversarial keys are benign ones too."""
    good, bad = (_distinct(keys.get(label, bytearray())) for label in ("benign", ADVERSARIAL))
    return len(np.intersect1d(good, bad, assume_unique=True))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
