"""Structure: fields of the right types, a non-empty directed acyclic graph of calls with unique ids, and an order that
respects it."""

from collections.abc import Iterator

import msgspec

from gatling_beam.graph import topological_order
from gatling_beam.oracle.trace import GoldTrace, SystemPolicy, ToolCallGraph, UserRequest
from gatling_beam.plan import MAX_NODES
from gatling_beam.validate.declared import Declared, shape_problems
from gatling_beam.validate.problem import Problem

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(GoldTrace)
_UNUSABLE = (TypeError, ValueError, OverflowError, RecursionError)


class _Typed(msgspec.Struct, gc=False):
    """A gold trace, as far as types are to be looked at, with the types of its metadata."""

    trace_id: str
    request: UserRequest
    policy: SystemPolicy
    graph: ToolCallGraph
    metadata: Declared
    created_at: str


_TYPED = msgspec.msgpack.Decoder(_Typed)


def structure_problems(trace: GoldTrace) -> Iterator[Problem]:
    """Faults of the rules malformed, empty_id, metadata_missing, metadata_invalid, empty_graph, too_many_calls,
    duplicate_call_id, unknown_dependency, self_dependency, duplicate_dependency, cycle, order_incomplete, order_wrong,
    empty_request and wrong_domain."""
    if problems := list(_type_problems(trace)):
        yield from problems
        return
    calls = trace.graph.calls
    ids = (("trace_id", trace.trace_id), ("request_id", trace.request.request_id), ("graph_id", trace.graph.graph_id))
    for name, own_id in ids:
        if not own_id.strip():
            yield Problem("empty_id", "", f"{name} is {own_id!r}")
    if not trace.request.text.strip():
        yield Problem("empty_request", "", "the request has no words")
    if trace.request.domain != trace.policy.domain:
        yield Problem("wrong_domain", "", f"{trace.request.domain}, but the policy is for {trace.policy.domain}")
    if not calls:
        yield Problem("empty_graph", "", "the graph has no calls")
        return
    if len(calls) > MAX_NODES:
        yield Problem("too_many_calls", "", f"{len(calls)} calls, at most {MAX_NODES}")
    at: dict[str, int] = {}
    for k, call in enumerate(calls):
        if at.setdefault(call.call_id, k) != k:
            yield Problem("duplicate_call_id", call.call_id, f"calls {at[call.call_id]} and {k}")
    edges = []
    for k, call in enumerate(calls):
        seen = set()
        for dependency in call.dependencies:
            if dependency not in at:
                yield Problem("unknown_dependency", call.call_id, f"there is no call {dependency!r}")
            elif dependency == call.call_id:
                yield Problem("self_dependency", call.call_id, "it depends on itself")
            elif dependency in seen:
                yield Problem("duplicate_dependency", call.call_id, f"{dependency!r} twice")
            else:
                edges.append((at[dependency], k))
            seen.add(dependency)
    if topological_order(len(calls), edges) is None:
        yield Problem("cycle", "", "the dependencies form a cycle")
    order = trace.graph.execution_order
    if sorted(order) != sorted(at):
        yield Problem("order_incomplete", "", f"execution_order is {list(order)}, the calls are {list(at)}")
    else:
        place = {call_id: k for k, call_id in enumerate(order)}
        for source, target in edges:
            if place[calls[source].call_id] >= place[calls[target].call_id]:
                yield Problem("order_wrong", calls[target].call_id, f"made before {calls[source].call_id!r}")


def _type_problems(trace: GoldTrace) -> Iterator[Problem]:
    """The types of a Struct's fields are only looked at when it is decoded; what is no Unicode fails as well."""
    try:
        data = _ENCODER.encode(trace)
    except _UNUSABLE as e:
        yield Problem("malformed", "", str(e))
        return
    try:
        _TYPED.decode(data)
    except _UNUSABLE as error:
        try:
            problems = list(shape_problems(_DECODER.decode(data).metadata))
        except _UNUSABLE:
            problems = []
        yield from problems or [Problem("malformed", "", str(error))]
