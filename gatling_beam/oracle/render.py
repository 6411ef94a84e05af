"""A gold trace as text for people: policy, session, what was read, and the plan."""

from gatling_beam.oracle.convert import trace_to_sample
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.render import one_line, render_sample


def render_trace(trace: GoldTrace) -> str:
    """The request under its policy, the facts of the session, the texts that the plan reads, and the plan as a tree."""
    metadata = trace.metadata
    pattern = one_line(metadata.get("pattern", "no pattern"))
    lines = [
        f"{one_line(trace.trace_id)}  {one_line(trace.request.intent_category)}, {pattern}",
        f"policy {one_line(trace.policy.policy_id)}: {one_line(trace.policy.description)}",
        *(f"  {one_line(rule)}" for rule in trace.policy.rules),
        f"session: {one_line('; '.join(metadata.get('session', ())))}",
    ]
    for context in metadata.get("contexts", ()):
        channel = one_line(context.get("channel", "no channel"))
        lines.append(
            f"reads {one_line(context['context_id'])} ({channel}, tier {context['tier']}): {one_line(context['text'])}"
        )
    plan = render_sample(trace_to_sample(trace)).splitlines()
    return "\n".join([*lines, *plan[2:]])
