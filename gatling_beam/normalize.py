"""A source row becomes a plan: checked calls, edges with evidence, scope and provenance on every node."""

import re
from collections import Counter
from collections.abc import MutableMapping
from functools import lru_cache

from msgspec import UNSET

from gatling_beam.attribution import Wording, leaves
from gatling_beam.edges import Attributed, plan_edges
from gatling_beam.errors import BadRow, Filtered, dead_letter
from gatling_beam.graph import plan_problem
from gatling_beam.hashing import content_hash, digest
from gatling_beam.intent import canonical_call, hash_calls
from gatling_beam.json_value import check_text, json_value
from gatling_beam.plan import MAX_NODES, ExecutionPlan, ToolCallNode, TrustTier, node_id
from gatling_beam.sample import (
    ArgSource,
    Context,
    DeadLetter,
    Drop,
    GovernanceContext,
    RequestVariant,
    Sample,
    SourceRef,
    SourceRow,
)
from gatling_beam.scope import scope_of
from gatling_beam.sources import FORMATS, Call, Extracted, SourceSpec
from gatling_beam.sources.parsing import parse_row
from gatling_beam.toolset import OfferedTool, offered_tools, toolset_text

STAGE = "normalize"
#: A row above this is refused unread.
MAX_ROW_BYTES = 8_000_000
_MAX_NAME = 256
_MAX_ID = 128
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Notes = MutableMapping[str, int]


def normalize_row(row: SourceRow, spec: SourceSpec, notes: Notes | None = None) -> Sample | DeadLetter | Drop:
    """The plan of a source row, or why there is none.

    The plan is valid by construction: at most 64 nodes in source order, connected, without cycle, every argument a JSON
    value. A row that cannot be read is a DeadLetter with a reason code, a row that makes no call (`no_call`, or
    `no_intent` where the source holds no plans) or is left out by a rule (`filtered`) a Drop.

    Args:
      row: as its data set holds it.
      spec: the catalogue entry of its source.
      notes: counts of what was kept and looks odd (undeclared_argument, unknown_type_word) are added here.
    """
    try:
        if row.superseded:
            raise Filtered("prefix_row")
        if len(row.data) > MAX_ROW_BYTES:
            raise BadRow("too_large", f"a row of {len(row.data):,} bytes, at most {MAX_ROW_BYTES:,} are read")
        extracted = FORMATS[spec.format](parse_row(row.data), spec)
        if not extracted.calls:
            return Drop(spec.name, "no_call" if spec.role == "plans" else "no_intent")
        return to_sample(extracted, row, spec, notes if notes is not None else Counter())
    except Filtered as e:
        return Drop(spec.name, "filtered", e.args[0])
    except BadRow as e:
        return dead_letter(row, STAGE, e)


def to_sample(extracted: Extracted, row: SourceRow, spec: SourceSpec, notes: Notes) -> Sample:
    """The Sample of what an adapter has read.

    Raises:
      BadRow: where a call, a value or the graph is not acceptable.
    """
    calls = checked_calls(extracted)
    request = check_text(extracted.request, "the request")
    if not request.strip():
        raise BadRow("no_request", "the request is empty")
    offered = offered_tools(extracted.tools or ())
    toolset = check_text(toolset_text(offered), "the tool set") if offered else None
    tools = called_tools(calls, offered)
    note_oddities(calls, tools, notes)
    edges, attributed = plan_edges(calls, extracted, request)
    original_id = own_id(extracted.original_id) or row.location
    origin = content_hash(request)
    nodes = []
    for k, call in enumerate(calls):
        tool = tools.get(call.name)
        scope = scope_of(call.name, call.arguments, tool.scope_defaults if tool else None)
        nodes.append(
            ToolCallNode(
                call.name,
                call.arguments,
                TrustTier.USER,
                origin,
                scope.volume,
                scope.sensitivity,
                node_id(original_id, k),
            )
        )
    plan = ExecutionPlan(tuple(nodes), tuple([(nodes[a].node_id, nodes[b].node_id) for a, b, _ in edges]))
    if problem := plan_problem(plan):
        raise BadRow(*problem)

    canonical = [canonical_call(call.name, call.arguments) for call in calls]
    carrying = [(a, b) for a, b, evidence in edges if evidence != "order"]
    intent = hash_calls("intent", canonical, carrying)
    language = extracted.language or spec.language
    sample_id = digest("sample", spec.hub_id, row.config, row.split, original_id, row.location)
    return Sample(
        execution_plan=plan,
        label="benign",
        original_id=original_id,
        category=extracted.category or spec.category,
        metadata={"source": spec.hub_id, "query": request, "num_tools": len(calls)},
        sample_id=sample_id,
        group_id=sample_id,
        row_hash=digest("row", "", "user", origin, intent),
        intent_hash=intent,
        source=SourceRef(
            name=spec.name,
            dataset=spec.hub_id,
            config=row.config,
            split=extracted.split or row.split,
            revision=row.revision,
            row_id=row.location,
            licence=spec.licence,
            gated=spec.gated,
        ),
        split="test" if spec.benchmark else None,
        request=request,
        language=language,
        request_variants=tuple(
            RequestVariant(code, check_text(text, "a variant of the request"), spec.name)
            for code, text in extracted.variants
        ),
        governance_context=GovernanceContext(request=request),
        toolset_id=digest("toolset", *[tool.hash for tool in offered]) if toolset else None,
        toolset=toolset,
        contexts=(Context("request", "user", TrustTier.USER, origin, request),),
        edge_evidence=tuple([evidence for _, _, evidence in edges]),
        arg_sources=argument_sources(calls, nodes, attributed, tools, Wording(request), extracted.names_only),
    )


def own_id(original_id: str | None) -> str:
    """The row's own id where it can serve in node ids (1..128 characters, printable); else ""."""
    if original_id and len(original_id) <= _MAX_ID and original_id.isprintable():
        return check_text(original_id, "the row's id")
    return ""


def checked_calls(extracted: Extracted) -> list[Call]:
    """The calls with their arguments passed through the gate for JSON values.

    Raises:
      BadRow: bad_tool_name, undeclared_tool, duplicate_call_id, too_many_nodes, or a reason of `json_value`.
    """
    if len(extracted.calls) > MAX_NODES:
        raise BadRow("too_many_nodes", f"{len(extracted.calls)} calls, at most {MAX_NODES} are allowed")
    declared = {tool["name"] for tool in extracted.tools if type(tool.get("name")) is str} if extracted.tools else None
    calls, ids = [], set()
    for call in extracted.calls:
        name = checked_name(call.name)
        if declared is not None and name not in declared:
            raise BadRow("undeclared_tool", f"{name!r} is not among the {len(declared)} tools of the row")
        if call.call_id:
            if (call.turn, call.call_id) in ids:
                raise BadRow("duplicate_call_id", repr(call.call_id))
            ids.add((call.turn, call.call_id))
        arguments = json_value(call.arguments)
        same = arguments is call.arguments
        calls.append(call if same else Call(name, arguments, call.turn, call.label, call.call_id, call.result))
    return calls


@lru_cache(maxsize=1 << 14)
def checked_name(name: str) -> str:
    """A tool name, if it is 1..256 characters of text without control characters; else raises BadRow."""
    check_text(name, "a tool name")
    if not name.strip() or len(name) > _MAX_NAME or _CONTROL.search(name):
        raise BadRow("bad_tool_name", repr(name[:80]))
    return name


def called_tools(calls: list[Call], offered: list[OfferedTool]) -> dict[str, OfferedTool]:
    """The offered tool of each call by its name; of two that are offered under one name, the first."""
    if not offered:
        return {}
    by_name = {tool.name: tool for tool in reversed(offered)}
    return {call.name: by_name[call.name] for call in calls}


def note_oddities(calls: list[Call], tools: dict[str, OfferedTool], notes: Notes) -> None:
    """Counts what is kept and looks odd: arguments that the tool does not declare, type words that nobody knows."""
    if not tools:
        return
    for called in tools.values():
        if called.unknown_type_words:
            notes["unknown_type_word"] = notes.get("unknown_type_word", 0) + called.unknown_type_words
    for call in calls:
        if undeclared := call.arguments.keys() - tools[call.name].parameters.keys():
            notes["undeclared_argument"] = notes.get("undeclared_argument", 0) + len(undeclared)


def argument_sources(
    calls: list[Call],
    nodes: list[ToolCallNode],
    attributed: Attributed,
    tools: dict[str, OfferedTool],
    said: Wording,
    names_only: bool,
) -> tuple[ArgSource, ...]:
    """Where every argument value comes from: an edge, the words of the request, the schema's default, or unattributed.

    A row that names its tools only gets one `unattributed` entry a node, with the reference "names_only".
    """
    if names_only:
        return tuple(ArgSource(node.node_id, "", "unattributed", "names_only") for node in nodes)
    sources = []
    for k, call in enumerate(calls):
        own_id = nodes[k].node_id
        tool = tools.get(call.name)
        defaults = tool.defaults if tool else {}
        for pointer, value in leaves(call.arguments):
            if attributed and (origins := attributed.get((k, pointer))):
                sources += [ArgSource(own_id, pointer, "edge", nodes[origin].node_id) for origin in origins]
            elif said.holds(value):
                sources.append(ArgSource(own_id, pointer, "request"))
            elif defaults and value == defaults.get(pointer[1:], UNSET):
                sources.append(ArgSource(own_id, pointer, "default"))
            elif pointer:
                sources.append(ArgSource(own_id, pointer, "unattributed"))
    return tuple(sources)
