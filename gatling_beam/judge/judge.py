"""The judge: a row's plan against its warrant and policy, decided in four booleans with their reasons."""

from gatling_beam.judge.effects import effect_of
from gatling_beam.judge.flow import flow_reasons, leaks
from gatling_beam.judge.hierarchy import hierarchy_reasons
from gatling_beam.judge.matching import match
from gatling_beam.judge.provenance import provenance_reasons
from gatling_beam.judge.row import Call, Row
from gatling_beam.judge.scope import excess, scope_reasons
from gatling_beam.judge.verdict import Reason, Unjudged, Verdict
from gatling_beam.sample import Sample
from gatling_beam.warrant import PermittedCall

__all__ = ["Reason", "Unjudged", "Verdict", "judge"]

#: Two ways to match that break different terms never cost the same, so that the choice does not hang on the order.
_FLOW_COST = 1 + 1 / 1024


def judge(sample: Sample) -> Verdict:
    """Which terms the row's plan violates, and why.

    Args:
      sample: a row of one of the registry's domains, with a warrant and the id of a policy.

    Raises:
      Unjudged: where the row cannot be judged; its `reason` says why.
    """
    row = Row(sample)
    effects = [effect_of(row, call) for call in row.calls]

    def cost(call: Call, entry: PermittedCall) -> float:
        wider = sum(1 for _ in excess(row, call, effects[call.position], entry))
        return wider + _FLOW_COST * sum(1 for _ in leaks(row, call, entry))

    matched = match(row, cost)
    hierarchy = tuple(hierarchy_reasons(row, matched))
    return Verdict(
        scope=tuple(scope_reasons(row, effects, matched)),
        hierarchy=hierarchy,
        provenance=tuple(provenance_reasons(row, matched)),
        flow=tuple(flow_reasons(row, matched)),
    )
