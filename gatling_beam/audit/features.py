"""Views of a row, one an input group: what a model that sees nothing else could go by.

A view maps a row to named features: tokens with their counts (`word=refund`) and numbers (`#rows`, log of the value).
No view holds an index, so that rows with equal inputs are tied. Targets (warrant, labels, energies, mutation, tier of
the release) are in no view.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from gatling_beam.attribution import leaves
from gatling_beam.plan import ExecutionPlan
from gatling_beam.sample import Sample

Bag = dict[str, float]
Counts = defaultdict[str, float]

_WORD = re.compile(r"[^\W\d_]+|\d[\d,.]*\d|\d")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_PIECE = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d")
_SENTENCE = re.compile(r"[.!?](?:\s|$)")
_KEYS = ("sample_id", "group_id", "row_hash", "intent_hash")
_TARGETS = frozenset("label warrant minimal_scope violation_labels energies energies_original mutation tier".split())


def plan_with_tiers(sample: Sample) -> Bag:
    """The plan as it is stored, with the trust tier and the origin of every call."""
    bag = defaultdict(float, plan_without_tiers(sample))
    texts = {context.content_hash: context.source_type for context in sample.contexts}
    for node in sample.execution_plan.nodes:
        tier = int(node.provenance_tier)
        origin = texts.get(node.provenance_hash, "nowhere") if node.provenance_hash else "none"
        _count(bag, (f"tier={tier}", f"tier={tier}@{node.tool_name}", f"origin={origin}", f"origin={origin}/{tier}"))
    bag["#worst_tier"] = max((int(node.provenance_tier) for node in sample.execution_plan.nodes), default=0)
    return dict(bag)


def plan_without_tiers(sample: Sample) -> Bag:
    """Tools, arguments, volumes, sensitivities, shape and evidence of the plan."""
    plan = sample.execution_plan
    bag: Counts = defaultdict(float)
    at = {node.node_id: k for k, node in enumerate(plan.nodes)}
    for k, node in enumerate(plan.nodes):
        _count(bag, (f"tool={node.tool_name}", f"tool{k}={node.tool_name}", f"sensitivity={node.scope_sensitivity}"))
        for pointer, value in leaves(node.arguments) if node.arguments else ():
            _argument(bag, node.tool_name, pointer, value)
    for (source, target), evidence in zip(plan.edges, sample.edge_evidence or [""] * len(plan.edges), strict=False):
        _count(bag, (f"edge={at.get(source)}>{at.get(target)}", f"evidence={evidence}"))
    _count(bag, (f"after={a.tool_name}>{b.tool_name}" for a, b in pairwise(plan.nodes)))
    volumes = [node.scope_volume for node in plan.nodes]
    bag["#nodes"], bag["#edges"] = len(plan.nodes), len(plan.edges)
    bag["#volume"], bag["#total"] = _log(max(volumes, default=0)), _log(sum(volumes))
    return dict(bag)


def request(sample: Sample) -> Bag:
    """The words of the request."""
    return dict(_text(sample.request))


def governance(sample: Sample) -> Bag:
    """Policy, role and session."""
    context = sample.governance_context
    bag = _counted(f"policy={piece}" for piece in _PIECE.findall(context.policy_id or "none"))
    _count(bag, (f"said={word}" for word in _words(context.policy or "")))
    _count(bag, (f"role={context.user_role}", f"keys={sorted(context.session_context)}"))
    facts = context.session_context.get("facts", [])
    for fact in facts if isinstance(facts, list) else [facts]:
        _add(bag, _text(str(fact)))
    bag["#facts"] = len(facts)
    bag["#same_request"] = float(context.request == sample.request)
    return dict(bag)


def contexts(sample: Sample) -> Bag:
    """The retrieved texts with their sources and places."""
    bag: Counts = defaultdict(float)
    at = {node.node_id: k for k, node in enumerate(sample.execution_plan.nodes)}
    for k, context in enumerate(sample.contexts[1:]):
        kind = f"{context.source_type}/{int(context.tier)}"
        _count(bag, (f"kind={kind}", f"place={k}:{kind}", f"node={at.get(context.node_id or '')}"))
        _add(bag, _text(context.text))
    bag["#contexts"] = len(sample.contexts)
    return dict(bag)


def toolset(sample: Sample) -> Bag:
    """The tools that were offered."""
    bag = _counted(f"word={word}" for word in _words(sample.toolset or ""))
    _count(bag, (f"id={sample.toolset_id}", f"given={sample.toolset is not None}"))
    bag["#length"] = _log(len(sample.toolset or ""))
    return dict(bag)


def arg_sources(sample: Sample) -> Bag:
    """Where the values of the arguments come from, by kind."""
    tools = {node.node_id: node.tool_name for node in sample.execution_plan.nodes}
    bag: Counts = defaultdict(float)
    for source in sample.arg_sources:
        name = _parameter(source.path)
        tool = tools.get(source.node_id, "")
        _count(bag, (f"kind={source.kind}", f"{name}={source.kind}", f"{tool}.{name}={source.kind}"))
        if source.kind != "edge" and source.ref:
            bag[f"ref={source.ref}"] += 1
    bag["#sources"] = len(sample.arg_sources)
    return dict(bag)


def ids(sample: Sample) -> Bag:
    """Ids with their digits masked, metadata, and which columns are filled."""
    bag = _counted(f"id={piece}" for piece in _masked(sample.original_id))
    for node in sample.execution_plan.nodes:
        own = node.node_id.replace(sample.original_id, "", 1)
        _count(bag, (f"node={_DIGITS.sub('0', own)}", f"hash={len(node.provenance_hash or '')}"))
    for name in _KEYS:
        value = getattr(sample, name)
        _count(bag, (f"{name}={len(value)}", f"{name}:{value[:1]}"))
    for field in sample.__struct_fields__:
        if field not in _TARGETS:
            value = getattr(sample, field)
            bag[f"{field}:{'null' if value is None else 'filled' if value else 'empty'}"] += 1
    _count(bag, (f"{name}={getattr(sample, name)}" for name in ("label_basis", "label_scope", "split", "in_family")))
    _count(bag, (f"meta={key}" for key in _keys(sample.metadata)))
    _count(bag, (f"meta={key}={value}" for key, value in sample.metadata.items() if key != "query" and _short(value)))
    return dict(bag)


def language(sample: Sample) -> Bag:
    """The language of the request, and those of its variants."""
    return dict(_counted([f"own={sample.language}", *(f"other={v.language}" for v in sample.request_variants)]))


def source(sample: Sample) -> Bag:
    """The data set that a row comes from."""
    ref = sample.source
    parts = (ref.name, ref.dataset, ref.config, ref.split, ref.revision, ref.licence, ref.gated, sample.category)
    return {f"{k}={part}": 1.0 for k, part in enumerate(parts)}


def order(place: int | None) -> Bag:
    """The place of a row in a file that holds both labels; nothing for any other."""
    if place is None:
        return {}
    return {"#place": float(place), f"two={place % 2}": 1.0, f"three={place % 3}": 1.0, f"four={place % 4}": 1.0}


#: The views by name; `order` is made from a row's place and stands apart.
VIEWS: dict[str, Callable[[Sample], Bag]] = {
    view.__name__: view
    for view in (
        plan_with_tiers, plan_without_tiers, request, governance, contexts, toolset, arg_sources, ids, language, source
    )
}  # fmt: skip


def plan_key(plan: ExecutionPlan) -> tuple[Any, ...]:
    """What two plans share that make the same calls: tools, arguments and edges, without ids and tiers."""
    at = {node.node_id: k for k, node in enumerate(plan.nodes)}
    calls = tuple((node.tool_name, tuple(sorted(leaves(node.arguments), key=_first))) for node in plan.nodes)
    return calls, tuple(sorted((at.get(a, -1), at.get(b, -1)) for a, b in plan.edges))


def _first(leaf: tuple[str, Any]) -> str:
    return leaf[0]


def _argument(bag: Counts, tool: str, pointer: str, value: Any) -> None:
    name = _parameter(pointer)
    _count(bag, (f"has={name}", f"has={tool}.{pointer}"))
    if type(value) is str:
        if len(value) <= 80:
            _count(bag, (f"value={value}", f"{name}={value}"))
        if "@" in value:
            bag[f"host={value.rpartition('@')[2]}"] += 1
        _count(bag, (f"word={word}" for word in _words(value)))
        bag[f"form={name}={_DIGITS.sub('0', ''.join(c for c in value if not c.isalpha()))[:20]}"] += 1
    elif type(value) in (int, float):
        bag[f"#{name}"] = max(bag[f"#{name}"], _log(value))
        bag[f"#{tool}.{name}"] = max(bag[f"#{tool}.{name}"], _log(value))
        bag["#largest"] = max(bag["#largest"], _log(value))
        bag[f"round={_round(str(value))}"] += 1
    else:
        bag[f"{name}={value}"] += 1


def _text(text: str) -> Counts:
    words = _words(text)
    bag = _counted(f"word={word}" for word in words)
    _count(bag, (f"pair={a} {b}" for a, b in pairwise(words)))
    numbers = [number.replace(",", "") for number in _NUMBER.findall(text)]
    _count(bag, (f"round={_round(number)}" for number in numbers))
    bag["#numbers"] += len(numbers)
    bag["#largest"] = max([bag["#largest"], *(_log(float(n)) for n in numbers if len(n) < 15)])
    bag["#length"] += _log(len(text))
    bag["#sentences"] += len(_SENTENCE.findall(text))
    return bag


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _masked(value: str) -> list[str]:
    return _PIECE.findall(_DIGITS.sub("0", value))


def _counted(names: Iterable[str]) -> Counts:
    bag: Counts = defaultdict(float)
    _count(bag, names)
    return bag


def _add(bag: Counts, other: Bag) -> None:
    for name, value in other.items():
        bag[name] += value


def _count(bag: Counts, names: Iterable[str]) -> None:
    for name in names:
        bag[name] += 1


def _keys(value: Any, prefix: str = "") -> Iterable[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield f"{prefix}/{key}"
            yield from _keys(member, f"{prefix}/{key}")


def _short(value: Any) -> bool:
    return isinstance(value, str | bool | int) and len(str(value)) <= 40


def _parameter(pointer: str) -> str:
    return pointer[1:].partition("/")[0]


def _log(value: float) -> float:
    return math.copysign(math.log1p(abs(value)), value)


def _round(number: str) -> int:
    """The number of zeros at the end, at most 6."""
    return min(len(number) - len(number.rstrip("0")), 6)
