"""Benchmark rows whose answers list, for each argument, the values that count as right (BFCL)."""

from typing import Any

from gatling_beam.errors import BadRow
from gatling_beam.json_value import MAX_DEPTH
from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import as_list, as_object, row_id
from gatling_beam.sources.python_text import python_calls
from gatling_beam.sources.session import Session, messages_of, text_of
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.sources.tools import tools_of


def accepted_values(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """`question` holds a list of turns, each a list of messages; `ground_truth` one object a call, or a list of Python
    calls for each turn. The first accepted value of an argument counts; one that accepts only "" is left out.
    """
    session = Session()
    for turn in as_list(row.get("question") or [], "question"):
        for role, message in messages_of(turn if isinstance(turn, list) else [turn], "question"):
            if role == "user":
                session.user(text_of(message))
    request, _ = session.finish()
    calls: list[Call] = []
    for turn_number, answer in enumerate(as_list(row.get("ground_truth") or [], "ground_truth")):
        if isinstance(answer, list):
            calls += _python_turn(answer, turn_number)
        else:
            calls += _accepted_call(as_object(answer, "an answer"))
    return Extracted(request=request, calls=calls, tools=tools_of(row.get("function")), original_id=row_id(row))


def _python_turn(texts: list[Any], turn: int) -> list[Call]:
    if not all(isinstance(text, str) for text in texts):
        raise BadRow("wrong_type", "a turn of the ground truth is not a list of strings")
    return [Call(name, arguments, turn) for text in texts for name, arguments in python_calls(text)]


def _accepted_call(answer: dict[str, Any]) -> list[Call]:
    return [Call(name, _first_accepted(as_object(accepted, "arguments"), 0)) for name, accepted in answer.items()]


def _first_accepted(accepted: dict[str, Any], depth: int) -> dict[str, Any]:
    """An object of lists of accepted values as an object of values, objects inside likewise."""
    if depth > MAX_DEPTH:
        raise BadRow("too_deep", f"more than {MAX_DEPTH} levels")
    arguments = {}
    for name, values in accepted.items():
        values = [value for value in values if value != ""] if isinstance(values, list) else [values]
        if values:
            arguments[name] = _plain(values[0], depth)
    return arguments


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return _first_accepted(value, depth + 1)
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return [_first_accepted(item, depth + 1) for item in value]
    return value
