"""Where the argument values of a trace's calls come from, and how far the worst of these sources is trusted."""

from gatling_beam.grounding import Grounding, Source
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.plan import TrustTier, tier_of_source_type
from gatling_beam.provenance import Edge, Origin, decided_by


def sources_of(trace: GoldTrace) -> list[list[Source]]:
    """For each call, the source of each value of its arguments.

    A reference is an `edge`. A literal is of the `request` if its words stand there (as it is, or as a list, a date or
    a field is said), else the `default` of its parameter or the only value that it takes, else of the `session` if a
    fact holds it, else `unattributed`.
    """
    said = Grounding(trace.request.domain, trace.request.text, trace.metadata.get("session", ()))
    return [list(said.sources(call.tool_id, call.arguments)) for call in trace.graph.calls]


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
    return decided_by(
        trace.request.domain,
        [call.tool_id for call in calls],
        [at[call_id] for call_id in trace.graph.execution_order],
        edges,
        [[(pointer, kind, at.get(ref)) for pointer, kind, ref in own] for own in sources],
        asked,
        read,
    )
