"""Where the literals of a plan stand: in the request, in other words or the same, in the session, or nowhere."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from gatling_beam.attribution import Wording, leaves, wording_of
from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.domains.speech import day_forms
from gatling_beam.domains.tools import Parameter, Tool
from gatling_beam.scope import iso_date

#: (JSON Pointer, kind of `sample.ARGUMENT_SOURCES`, call id for the kind `edge`, else "")
Source = tuple[str, str, str]

#: A reference to what an earlier call returns, `$call_1.rows$`; groups: call id, field.
REFERENCE = re.compile(r"\$(\w+)\.(\w+)\$")
_WORD = re.compile(r"[^\W\d_]{3,}")


class Grounding:
    """What a request and the facts of a session say about the values of a domain's calls."""

    def __init__(self, domain_name: str, request: str, facts: Iterable[str]) -> None:
        self.domain, self.text = domain_name, request
        self.words = wording_of(request)
        self.facts = wording_of("\n".join(facts))

    def sources(self, tool_id: str, arguments: dict[str, Any], texts: Sequence[Wording] = ()) -> Iterator[Source]:
        """The source of each value of a call's arguments; `texts` are those that were read before it."""
        tool = tool_by_id(self.domain, tool_id)
        for pointer, value in leaves(arguments) if arguments else ():
            if type(value) is str and "$" in value and (match := REFERENCE.fullmatch(value)):
                yield pointer, "edge", match.group(1)
            else:
                kind = self.kind(tool, parameter_at(tool, pointer), arguments, value)
                if kind == "unattributed" and any(text.holds(value) for text in texts):
                    kind = "context"
                yield pointer, kind, ""

    def kind(self, tool: Tool | None, parameter: Parameter | None, arguments: dict[str, Any], value: Any) -> str:
        """Where a literal stands: request, default, session or unattributed."""
        if self.words.holds(value):
            return "request"
        if tool and parameter:
            if type(value) is str and self._in_other_words(arguments, tool, parameter, value):
                return "request"
            if value == parameter.default or parameter.options == (value,):
                return "default"
        return "session" if self.facts.holds(value) else "unattributed"

    def _in_other_words(self, arguments: dict[str, Any], tool: Tool, parameter: Parameter, value: str) -> bool:
        """Whether the request says the value otherwise than it is passed."""
        if parameter.type in ("date", "future"):
            return self._date(value) or (parameter.name == "since" and self._counted_back(arguments))
        if parameter.type == "enum":
            word = domain(self.domain).spec.lists.get(parameter.of, {}).get(value)
            return word is not None and self.words.holds(word)
        if parameter.type == "field":
            # In any inflection: "debited" says the field `debit`.
            return any(stem.search(self.text) for stem in _stems(self.domain, tool.record, value))
        return False

    def _date(self, value: Any) -> bool:
        return any(self.words.holds(form) for form in _forms(value))

    def _counted_back(self, arguments: dict[str, Any]) -> bool:
        """Whether `since` is said as the number of days up to and including an `until` that is said."""
        until = arguments.get("until")
        since, last = iso_date(arguments.get("since")), iso_date(until)
        if since is None or last is None or not self._date(until):
            return False
        days = (last - since).days + 1
        return self.words.holds(f"{days} days") or self.words.holds(f"{days:,} days")


@lru_cache(maxsize=1 << 14)
def tool_by_id(domain_name: str, tool_id: str) -> Tool | None:
    """The tool of an id `<domain>.<tool>`; None if the domain has none, or there is no such domain."""
    if domain_name not in domain_names():
        return None
    prefix, _, name = tool_id.partition(".")
    return domain(domain_name).tools.get(name) if prefix == domain_name else None


def parameter_at(tool: Tool | None, pointer: str) -> Parameter | None:
    """The parameter that the value at a JSON Pointer into the arguments belongs to; None if the tool has none."""
    return tool.parameters.get(pointer[1:].partition("/")[0]) if tool else None


@lru_cache(maxsize=1 << 14)
def _forms(value: Any) -> tuple[str, ...]:
    day = iso_date(value)
    return day_forms(day) if day else ()


@lru_cache(maxsize=1 << 12)
def _stems(domain_name: str, record: str, field: str) -> tuple[re.Pattern[str], ...]:
    """The beginnings of the words of a field's name."""
    spec = domain(domain_name).spec.records.get(record)
    says = spec.fields[field].says if spec and field in spec.fields else ""
    words = _WORD.findall(f"{says} {field}".replace("_", " "))
    return tuple(re.compile(rf"\b{word}", re.IGNORECASE) for word in dict.fromkeys(words))
