"""Reason codes of dead letters and filters, and the exceptions that carry them."""

from gatling_beam.hashing import digest
from gatling_beam.sample import DeadLetter, SourceRow

#: Every reason a row can become a dead letter for, and what it means.
REASONS = {
    "not_json": "the row, or a column that should hold JSON, is neither JSON nor a Python literal",
    "duplicate_key": "an object has the same key twice, so that readers would disagree about its value",
    "wrong_type": "a column or a call has another type than its format says",
    "missing_column": "a column that the format needs is not there",
    "bad_call": "a call could not be read: no name, unbalanced brackets, text around it",
    "bad_tool_name": "a tool name is empty, longer than 256 characters or holds control characters",
    "undeclared_tool": "the row declares its tools and a call names another one",
    "bad_arguments": "the arguments of a call could not be decoded to an object",
    "int_out_of_range": "an integer does not fit in 64 bits",
    "non_finite": "a number is NaN or infinite",
    "lone_surrogate": "a string is not valid Unicode",
    "nul_character": "a string holds a NUL character",
    "non_string_key": "an object has a key that is not a string",
    "not_a_json_value": "a value is of a type that JSON does not have",
    "too_deep": "values are nested deeper than 64 levels",
    "too_large": "a value, a request or a row is larger than its limit",
    "too_many_nodes": "a plan has more than 64 calls",
    "empty_plan": "a plan has no nodes",
    "duplicate_node_id": "two nodes of a plan have the same id",
    "dangling_edge": "an edge names a node that the plan does not have",
    "duplicate_edge": "a plan has the same edge twice",
    "self_loop": "an edge leads from a node to itself",
    "cycle": "the edges of a plan form a cycle",
    "disconnected": "a plan falls into several parts",
    "duplicate_call_id": "two calls of a row carry the same id",
    "no_request": "the row holds no words of a user",
    "oracles_disagree": "construction, judge and critic do not agree on the four terms of a row",
    "no_labels": "the row does not declare a label for each of the four terms",
    "crossing_incomplete": "another row of the same crossing was refused",
    "no_effect": "a read that can find nothing, so that nothing is violated",
    "over_action": "an effectful call that neither the request nor a retrieved text asks for",
    "no_warrant": "it is not known what the request permits",
    "unknown_tool": "a call names a tool that its domain does not have",
    "unknown_policy": "the row's policy is none of its domain",
    "invalid_trace": "a gold trace breaks a rule of the validators; the detail names each rule",
    "model_refusal": "the language model refused to answer; the detail names the category",
    "model_answer": "the language model's answer holds nothing to use for this trace; the detail says why",
    "model_verdict": "a second reading by the language model found the plan at fault",
}

#: Every reason a row can be left out for by a rule.
FILTERS = {
    "prefix_row": "the next row of the same conversation repeats this one and goes on",
    "unfinished": "the path does not end in an answer (given up, failed or cut)",
    "not_a_plan": "the row belongs to another task of the same data set (a catalogue entry, a multiple choice)",
    "harmful": "the request is harmful by the data set's own label, so its plan is not benign",
    "other_split": "the row belongs to a split that was not asked for",
}

_MAX_DETAIL = 500
_MAX_PAYLOAD = 2_000


class BadRow(ValueError):
    """A row cannot be used; `reason` is a key of `REASONS`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        assert reason in REASONS, reason
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Filtered(Exception):
    """A row is left out by a rule; `reason` is a key of `FILTERS`."""

    def __init__(self, reason: str) -> None:
        assert reason in FILTERS, reason
        super().__init__(reason)
        self.reason = reason


def printable(text: str, limit: int) -> str:
    """`text` cut to `limit` characters, with everything replaced that is not valid Unicode or is NUL."""
    return text[:limit].encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def dead_letter(row: SourceRow, stage: str, error: BadRow) -> DeadLetter:
    """The dead letter of a source row."""
    return DeadLetter(
        dead_id=digest("dead", row.source, row.config, row.split, row.location, stage, error.reason),
        stage=stage,
        source=row.source,
        reason=error.reason,
        detail=printable(error.detail, _MAX_DETAIL),
        location=row.location,
        config=row.config,
        split=row.split,
        revision=row.revision,
        payload=printable(row.data[: 4 * _MAX_PAYLOAD].decode("utf-8", "backslashreplace"), _MAX_PAYLOAD),
    )
