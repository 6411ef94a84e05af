"""Structure: a non-empty directed acyclic graph of calls with unique ids, and an order that respects it."""

from collections.abc import Iterator

from gatling_beam.graph import topological_order
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.plan import MAX_NODES
from gatling_beam.validate.problem import Problem


def structure_problems(trace: GoldTrace) -> Iterator[Problem]:
    """Faults of the rules empty_graph, too_many_calls, duplicate_call_id, unknown_dependency, self_dependency,
    duplicate_dependency, cycle, order_incomplete, order_wrong, empty_request and wrong_domain."""
    calls = trace.graph.calls
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
