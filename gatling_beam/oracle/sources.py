"""Where the argument values of a trace's calls come from, and how far the worst of these sources is trusted."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from gatling_beam.attribution import Wording, leaves
from gatling_beam.domains.loader import domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.domains.tools import Parameter, Tool
from gatling_beam.oracle.speech import date_forms
from gatling_beam.oracle.trace import GoldTrace, ToolCall
from gatling_beam.plan import TrustTier, tier_of_source_type
from gatling_beam.scope import iso_date
from gatling_beam.validate.schema import REFERENCE, tool_of

_WORD = re.compile(r"[^\W\d_]{3,}")

#: (JSON Pointer, kind of `sample.ARGUMENT_SOURCES`, call id for the kind `edge`, else "")
Source = tuple[str, str, str]
#: A trust tier with the content hash of the text that has it.
Origin = tuple[TrustTier, str]
#: (from position, to position, evidence)
Edge = tuple[int, int, str]


def sources_of(trace: GoldTrace) -> list[list[Source]]:
    """For each call, the source of each value of its arguments.

    A reference is an `edge`. A literal is of the `request` if its words stand there (as it is, or as a list, a date or
    a field is said), else the `default` of its parameter or the only value that it takes, else of the `session` if a
    fact holds it, else `unattributed`.
    """
    said = _Said(trace)
    return [list(said.sources(call)) for call in trace.graph.calls]


class _Said:
    """What the request of a trace and the facts of its session say."""

    def __init__(self, trace: GoldTrace) -> None:
        self.domain = trace.request.domain
        self.text = trace.request.text
        self.words = Wording(self.text)
        self.facts = Wording("\n".join(trace.metadata.get("session", ())))

    def sources(self, call: ToolCall) -> Iterator[Source]:
        """The sources of a call's values."""
        tool = tool_by_id(self.domain, call.tool_id)
        for pointer, value in leaves(call.arguments) if call.arguments else ():
            if type(value) is str and "$" in value and (match := REFERENCE.fullmatch(value)):
                yield pointer, "edge", match.group(1)
            else:
                yield pointer, self._kind(call, tool, parameter_at(tool, pointer), value), ""

    def _kind(self, call: ToolCall, tool: Tool | None, parameter: Parameter | None, value: Any) -> str:
        if self.words.holds(value):
            return "request"
        if tool and parameter:
            if type(value) is str and self._in_other_words(call, tool, parameter, value):
                return "request"
            if value == parameter.default or parameter.options == (value,):
                return "default"
        return "session" if self.facts.holds(value) else "unattributed"

    def _in_other_words(self, call: ToolCall, tool: Tool, parameter: Parameter, value: str) -> bool:
        """Whether the request says the value otherwise than it is passed."""
        if parameter.type in ("date", "future"):
            return self._date(value) or (parameter.name == "since" and self._counted_back(call))
        if parameter.type == "enum":
            word = domain(self.domain).spec.lists.get(parameter.of, {}).get(value)
            return word is not None and self.words.holds(word)
        if parameter.type == "field":
            # In any inflection: "debited" says the field `debit`.
            return any(stem.search(self.text) for stem in _stems(self.domain, tool.record, value))
        return False

    def _date(self, value: Any) -> bool:
        return any(self.words.holds(form) for form in _forms(value))

    def _counted_back(self, call: ToolCall) -> bool:
        """Whether `since` is said as the number of days up to and including an `until` that is said."""
        until = call.arguments.get("until")
        since, last = iso_date(call.arguments.get("since")), iso_date(until)
        if since is None or last is None or not self._date(until):
            return False
        days = (last - since).days + 1
        return self.words.holds(f"{days} days") or self.words.holds(f"{days:,} days")


@lru_cache(maxsize=1 << 14)
def tool_by_id(domain_name: str, tool_id: str) -> Tool | None:
    """The tool of an id `<domain>.<tool>`; None if the domain has none, or there is no such domain."""
    return tool_of(domain(domain_name), tool_id) if domain_name in domain_names() else None


def parameter_at(tool: Tool | None, pointer: str) -> Parameter | None:
    """The parameter that the value at a JSON Pointer into the arguments belongs to; None if the tool has none."""
    return tool.parameters.get(pointer[1:].partition("/")[0]) if tool else None


@lru_cache(maxsize=1 << 14)
def _forms(value: Any) -> tuple[str, ...]:
    day = iso_date(value)
    return date_forms(day) if day else ()


@lru_cache(maxsize=1 << 12)
def _stems(domain_name: str, record: str, field: str) -> tuple[re.Pattern[str], ...]:
    """The beginnings of the words of a field's name."""
    spec = domain(domain_name).spec.records.get(record)
    says = spec.fields[field].says if spec and field in spec.fields else ""
    words = _WORD.findall(f"{says} {field}".replace("_", " "))
    return tuple(re.compile(rf"\b{word}", re.IGNORECASE) for word in dict.fromkeys(words))


def origins_of(trace: GoldTrace, sources: list[list[Source]], edges: list[Edge], request: str) -> list[Origin]:
    """For each call, the worst tier that decides about it, and the content hash of the text that has it.

    A call is decided by who asked for it, by the text that it reads, and by the sources of its authority arguments: the
    worst tier among the call that a reference names and all that this one was made from by references. A literal that
    comes from nowhere may come from any text read before, along edges that carry influence.

    Args:
      trace: with dependencies that form no cycle, and an execution order that respects them.
      sources: of its calls, as by `sources_of`.
      edges: of its calls.
      request: the content hash of the request.
    """
    calls = trace.graph.calls
    at = {call.call_id: k for k, call in enumerate(calls)}
    asked = [(tier_of_source_type(call.provenance.source_type), request) for call in calls]
    read = {
        at[context["node_id"]]: (TrustTier(context["tier"]), context["content_hash"])
        for context in trace.metadata.get("contexts", ())
    }
    if not read and all(tier == TrustTier.USER for tier, _ in asked):
        return asked
    own = [_worst([read[k], origin]) if k in read else origin for k, origin in enumerate(asked)]
    decided, carried, influence = list(own), list(own), list(own)
    for call_id in trace.graph.execution_order:
        k = at[call_id]
        tool = tool_by_id(trace.request.domain, calls[k].tool_id)
        before = [influence[source] for source, target, evidence in edges if target == k and evidence != "order"]
        for pointer, kind, ref in sources[k]:
            parameter = parameter_at(tool, pointer)
            decides = parameter is None or parameter.role == "authority"
            if kind == "edge" and ref in at:
                carried[k] = _worst([carried[k], carried[at[ref]]])
                if decides:
                    decided[k] = _worst([decided[k], carried[at[ref]]])
            elif kind == "unattributed" and decides:
                decided[k] = _worst([decided[k], *before])
        influence[k] = _worst([influence[k], *before])
    return decided


def _worst(origins: list[Origin]) -> Origin:
    """The first of the least trusted."""
    return max(origins, key=lambda origin: origin[0])
