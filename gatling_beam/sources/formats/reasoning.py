"""Problems with worked answers. Calculations that the text marks (`<<48/2=24>>`) are calls of a calculator."""

import re
from typing import Any

from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import as_text, column, row_id
from gatling_beam.sources.spec import SourceSpec

_MARK = re.compile(r"<<([^<>=]{1,500})=([^<>=]{1,100})>>")
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")


def reasoning(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Options: `problem`, `solution` and `id` (column names), `calculator` (the answer marks its calculations).

    A number of a calculation comes from the latest earlier calculation with that result, unless the problem states the
    same number: then nobody can tell.
    """
    options = spec.options
    problem = as_text(column(row, options["problem"]), options["problem"])
    extracted = Extracted(request=problem, calls=[], original_id=row_id(row, options.get("id", "id")))
    if options.get("calculator"):
        solution = as_text(column(row, options["solution"]), options["solution"])
        _add_calculations(extracted, solution, stated=_numbers(problem))
    return extracted


def _add_calculations(extracted: Extracted, solution: str, stated: set[str]) -> None:
    made_by: dict[str, int] = {}
    for k, (expression, result) in enumerate(_MARK.findall(solution)):
        extracted.calls.append(Call("calculator", {"expression": expression.strip()}, turn=k, result=result.strip()))
        sources = {made_by[number] for number in _numbers(expression) - stated if number in made_by}
        extracted.edges += [(source, k, "data") for source in sorted(sources)]
        for number in _numbers(result):
            made_by[number] = k


def _numbers(text: str) -> set[str]:
    """The numbers of `text`, written one way: no thousands commas, no needless zeros."""
    found = _NUMBER.findall(re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))
    return {(number.rstrip("0").rstrip(".") if "." in number else number).lstrip("0") or "0" for number in found}
