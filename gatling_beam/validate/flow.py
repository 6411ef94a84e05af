"""What reaches a call from the calls before it: field classes, texts that were read, and objects passed on."""

import re
from functools import cached_property, lru_cache
from typing import Any

from gatling_beam.attribution import Wording
from gatling_beam.domains.registry import Domain
from gatling_beam.graph import topological_order
from gatling_beam.oracle.trace import GoldTrace, ToolCall
from gatling_beam.validate.schema import REFERENCE, tool_of

LEAST_TRUSTED = 3
_NO_TEXTS: frozenset[str] = frozenset()


class Flow:
    """The calls of a trace, each after those it depends on, with what reaches them.

    By call id: `fed` is the highest field class that reaches a call (0 for none), `taken` the arguments that take
    results of other calls, with the ids of these, and `texts` the ids of the calls whose texts its own result rests on,
    through any number of references.
    """

    def __init__(self, which: Domain, trace: GoldTrace) -> None:
        self._which, self._trace = which, trace
        self.calls = _ordered(trace.graph.calls)
        self.fed: dict[str, int] = {}
        self.taken: dict[str, dict[str, list[str]]] = {}
        self.texts: dict[str, frozenset[str]] = {}
        reach: dict[str, int] = {}
        for call in self.calls:
            tool = tool_of(which, call.tool_id)
            if tool is None:
                continue
            own = tool.worst_sensitivity if tool.cls == "read" else 0
            fed = max([reach.get(name, 0) for name in call.dependencies]) if call.dependencies else 0
            self.fed[call.call_id] = fed
            reach[call.call_id] = max(own, fed)
            taken = self.taken[call.call_id] = _taken(call.arguments)
            texts = self.rests_on([name for names in taken.values() for name in names]) if taken else _NO_TEXTS
            self.texts[call.call_id] = texts | {call.call_id} if tool.archetype == "read" else texts

    def rests_on(self, sources: list[str]) -> frozenset[str]:
        """The calls whose texts the results of `sources` rest on."""
        return frozenset().union(*(self.texts.get(source, _NO_TEXTS) for source in sources))

    def tier(self, call_id: str) -> int:
        """The trust tier 1..3 of the text that a call reads; the least trusted where the trace tells of none.

        A channel that the domain knows is never trusted more than the domain says.
        """
        read = self._by_id[call_id]
        tool = tool_of(self._which, read.tool_id)
        channels = self._which.spec.records[tool.record].channels if tool and tool.record else {}
        tiers = []
        for context in self._contexts(call_id):
            said, known = context.get("tier"), channels.get(str(context.get("channel")), LEAST_TRUSTED)
            tiers.append(max(said, known) if said in (1, 2, LEAST_TRUSTED) else LEAST_TRUSTED)
        return max(tiers, default=LEAST_TRUSTED)

    def is_named(self, call_id: str) -> bool:
        """Whether the request says which text is read, by its id or its channel."""
        said = [value for value in self._by_id[call_id].arguments.values() if not _sources(value)]
        said += [str(context.get("channel", "")) for context in self._contexts(call_id)]
        return any(self._request.holds(value) for value in said)

    def object_of(self, kind: str, value: Any) -> str | None:
        """The id of the record of a kind that an argument means, through references; None if that cannot be told.

        A record that another call creates has no id yet; the name of the field that will hold it stands for it.
        """
        for _ in range(len(self.calls) + 1):
            match = REFERENCE.fullmatch(value) if type(value) is str else None
            if match is None:
                return value if type(value) is str else None
            source, field = self._by_id.get(match[1]), match[2]
            tool = tool_of(self._which, source.tool_id) if source else None
            if source is None or tool is None:
                return None
            if tool.archetype == "read":
                return self._about(source.call_id, kind)
            if field != f"{kind}_id" or tool.returns.get(field) != "id":
                return None
            if field not in source.arguments:
                return field
            value = source.arguments[field]
        return None

    def _about(self, call_id: str, kind: str) -> str | None:
        pattern = _id_pattern(self._which.spec.records[kind].id)
        found = {own_id for context in self._contexts(call_id) for own_id in pattern.findall(str(context.get("text")))}
        return found.pop() if len(found) == 1 else None

    def _contexts(self, call_id: str) -> list[dict[str, Any]]:
        """The texts that the trace says the call reads, if the call asks for them."""
        asked = list(self._by_id[call_id].arguments.values())
        contexts = self._trace.metadata.get("contexts") or ()
        return [one for one in contexts if one.get("node_id") == call_id and one.get("context_id") in asked]

    @cached_property
    def _by_id(self) -> dict[str, ToolCall]:
        return {call.call_id: call for call in self.calls}

    @cached_property
    def _request(self) -> Wording:
        return Wording(self._trace.request.text)


def _taken(arguments: dict[str, Any]) -> dict[str, list[str]]:
    return {
        name: sources
        for name, value in arguments.items()
        if (type(value) is list or (type(value) is str and value[:1] == "$")) and (sources := _sources(value))
    }


def _sources(value: Any) -> list[str]:
    """The ids of the calls whose results an argument value takes."""
    if type(value) is str:
        return [match[1]] if value[:1] == "$" and (match := REFERENCE.fullmatch(value)) else []
    return [source for item in value for source in _sources(item)] if type(value) is list else []


def _ordered(calls: tuple[ToolCall, ...]) -> tuple[ToolCall, ...]:
    """The calls, each after those it depends on; the listed order where that is one, or where there is a cycle."""
    seen: set[str] = set()
    for call in calls:
        if not seen.issuperset(call.dependencies):
            break
        seen.add(call.call_id)
    else:
        return calls
    at = {call.call_id: k for k, call in enumerate(calls)}
    edges = [(at[name], k) for k, call in enumerate(calls) for name in call.dependencies if name in at]
    order = topological_order(len(calls), edges)
    return tuple(calls[k] for k in order) if order else calls


@lru_cache(maxsize=1 << 10)
def _id_pattern(form: str) -> re.Pattern[str]:
    prefix, digits = form.rstrip("#"), form.count("#")
    return re.compile(rf"(?<!\w){re.escape(prefix)}[0-9]{{{digits}}}(?!\w)")
