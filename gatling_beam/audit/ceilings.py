"""How far a probe may tell the labels apart, and whether a family of rows keeps to it."""

from typing import Literal

Comparison = Literal["twin", "benign", "touched"]
Verdict = Literal["pass", "fail", "reported"]

#: A figure with fewer rows of a label is reported, not judged.
MIN_ROWS = 5_000
#: Rows of one probe, and rows held of each strategy and kind. A third of the rows of a limit's crossing are negatives.
MAX_ROWS, CAP = 16_000, 80_000

PLAN_VIEWS = ("plan_with_tiers", "plan_without_tiers")
INPUT_VIEWS = ("request", "governance", "contexts", "toolset")
BLIND_VIEWS = ("ids", "language", "source", "order")
TIER3 = ("numeric_edge", "numeric_near", "temporal_overflow", "access_boundary", "approval_bypass", "sensitivity_creep")
#: Crossings along an order of few classes: the least plan is always allowed, the least limit forbids most. As with
#: sizes in one dimension that can be moved from the plan to the policy and back, not removed, so it is reported.
ORDERED = ("sensitivity_creep",)
#: Kinds of three rows and of four in one strategy: else it would tell which of them a row is of.
MIXED = ("approval_bypass",)

_BLIND = 0.52
_CROSSED_TWIN, _CROSSED = 0.53, 0.55
_TIER3 = 0.55
_ARG_SOURCES = 0.55
#: Size in one dimension has a floor of its own (`gatling_beam.audit.floor`).
_SIZE_1D = {"hard": 0.60, "medium": 0.68, "easy": 0.76}
_POOLED_SCOPE = 0.60


def ceiling(strategy: str, kind: str, difficulty: str, comparison: Comparison, view: str) -> float | None:
    """The highest AUC, in either direction, that a view may reach; None where nothing is asked.

    `kind` is that of `collect.strategy_of`; an empty `kind` of scope means all its kinds pooled, an empty
    `difficulty` all difficulties.
    """
    if comparison == "touched":
        return None
    # What an ordered plan tells, its metadata tell too (how many tools there are).
    if strategy in ORDERED and comparison == "benign" and view not in ("order", "language", "source"):
        return None
    if view in BLIND_VIEWS:
        return _BLIND
    if view == "arg_sources":
        return _ARG_SOURCES
    if comparison == "twin":
        if view not in PLAN_VIEWS:
            return None  # where two requests share a plan, the requests must differ
        return _TIER3 if strategy in TIER3 else _CROSSED_TWIN
    if strategy == "scope_blowup":
        if kind == "size_1d":
            return _SIZE_1D.get(difficulty)
        if not kind:
            return _POOLED_SCOPE
    return _TIER3 if strategy in TIER3 else _CROSSED


def verdict(lower: float, limit: float | None, rows: int, min_rows: int) -> Verdict:
    """`fail` if the lower bound exceeds the ceiling; `reported` without a ceiling, or with fewer than `min_rows`.

    `rows` counts the smaller label.
    """
    if limit is None or rows < min_rows:
        return "reported"
    return "fail" if lower > limit else "pass"


def check_options(min_rows: int, max_rows: int, cap: int) -> None:
    """Raises TypeError or ValueError for options that are no whole numbers, or out of range."""
    for name, value in (("min_rows", min_rows), ("max_rows", max_rows), ("cap", cap)):
        if type(value) is not int:
            raise TypeError(f"{name}={value!r} is not a whole number")
    if min_rows < 2 or max_rows < 2 * min_rows or cap < max_rows:
        raise ValueError(
            f"min_rows={min_rows}, max_rows={max_rows}, cap={cap}: use 2 <= min_rows, 2 * min_rows <= max_rows <= cap"
        )
