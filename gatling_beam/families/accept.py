"""Acceptance: a row leaves only where its construction, the judge and the critic agree on all four terms."""

from collections.abc import Sequence

import msgspec

from gatling_beam.energy import NoCritique, criticise, energies, original, severity
from gatling_beam.energy.scale import combined
from gatling_beam.errors import REASONS, printable
from gatling_beam.hashing import digest
from gatling_beam.json_value import json_text
from gatling_beam.judge import Reason, Unjudged, Verdict, judge
from gatling_beam.sample import ENERGY_TERMS, DeadLetter, Energies, Sample, ViolationLabel

STAGE = "accept"
_MAX_DETAIL = 500
_MAX_PAYLOAD = 2_000
#: The highest scaled energy of a row of tier III; where it cuts one, the row's edit script says so as `cap`.
BOUNDARY_CAP = 6.0

#: The labels of terms that are kept.
_KEPT = tuple(ViolationLabel(term, False) for term in ENERGY_TERMS)


class Refused(Exception):
    """A row that is not accepted; `reason` is a key of `errors.REASONS`."""

    def __init__(self, reason: str, detail: str) -> None:
        assert reason in REASONS, reason
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


def judged(sample: Sample, parent: Energies | None = None) -> Sample:
    """The row with its four labels, its energies and the original's, if all three oracles agree.

    Args:
      sample: a row whose `violation_labels` declare what its construction makes of it.
      parent: the energies of the benign row that it was made from, for `delta_estimate`; None for zeros.

    Raises:
      Refused: oracles_disagree, or what keeps the judge or the critic from an opinion.
    """
    declared = tuple(label.violated for label in sample.violation_labels)
    if len(declared) != len(ENERGY_TERMS):
        raise Refused(
            "no_labels", f"{len(declared)} labels are declared, not one for each of {', '.join(ENERGY_TERMS)}"
        )
    try:
        verdict, critique = judge(sample), criticise(sample)
    except Unjudged as e:
        raise Refused(e.reason, e.detail) from None
    except NoCritique as e:
        raise Refused("no_warrant", str(e)) from None
    exceeded = tuple(x > 0 for x in critique.raw)
    if not declared == verdict.violated == exceeded:
        raise Refused("oracles_disagree", _disagreement(declared, verdict, exceeded, critique.why))
    made = energies(critique, declared)
    mutation = sample.mutation
    if mutation and sample.tier == "III" and made.risk > BOUNDARY_CAP:
        terms = (made.e_scope, made.e_hierarchy, made.e_provenance, made.e_flow)
        made = combined([min(energy, BOUNDARY_CAP) for energy in terms])
        mutation = msgspec.structs.replace(mutation, edit_script={**mutation.edit_script, "cap": BOUNDARY_CAP})
    own = (made.e_scope, made.e_hierarchy, made.e_provenance, made.e_flow)
    before = (parent.e_scope, parent.e_hierarchy, parent.e_provenance, parent.e_flow) if parent else (0.0,) * 4
    reasons = (verdict.scope, verdict.hierarchy, verdict.provenance, verdict.flow)
    return msgspec.structs.replace(
        sample,
        violation_labels=tuple(
            [
                _violated(term, energy, energy - was, why) if is_violated else kept
                for term, kept, is_violated, energy, was, why in zip(
                    ENERGY_TERMS, _KEPT, declared, own, before, reasons, strict=True
                )
            ]
        ),
        energies=made,
        energies_original=original(sample),
        mutation=msgspec.structs.replace(mutation, severity=severity(made.risk)) if mutation else None,
    )


def _violated(term: str, energy: float, rise: float, why: Sequence[Reason]) -> ViolationLabel:
    said = dict.fromkeys(f"{reason.rule}: {reason.detail}" for reason in why)
    return ViolationLabel(term, True, severity(energy), rise, "; ".join(said))


def accept(rows: Sequence[Sample]) -> list[Sample] | list[DeadLetter]:
    """The rows of a crossing, judged; or, if one of them is refused, a dead letter for each: a crossing is whole or it
    is nothing."""
    accepted: list[Sample] = []
    refused: dict[int, Refused] = {}
    for k, row in enumerate(rows):
        try:
            accepted.append(judged(row, accepted[0].energies if accepted else None))
        except Refused as e:
            refused[k] = e
    if not refused:
        return accepted
    first = next(iter(refused.values()))
    left = Refused("crossing_incomplete", f"another row of the crossing: {first}")
    return [refusal(row, refused.get(k, left)) for k, row in enumerate(rows)]


def refusal(sample: Sample, error: Refused) -> DeadLetter:
    """The dead letter of a row that was made and not accepted."""
    strategy = sample.mutation.strategy if sample.mutation else ""
    return DeadLetter(
        dead_id=digest("dead", STAGE, sample.sample_id, strategy, error.reason),
        stage=STAGE,
        source=sample.source.name,
        reason=error.reason,
        detail=printable(f"{strategy}: {error.detail}", _MAX_DETAIL),
        location=sample.original_id,
        revision=sample.source.revision,
        payload=printable(
            json_text({"request": sample.request, "plan": msgspec.to_builtins(sample.execution_plan)}), _MAX_PAYLOAD
        ),
    )


def _disagreement(
    declared: tuple[bool, ...], verdict: Verdict, exceeded: tuple[bool, ...], why: Sequence[Sequence[str]]
) -> str:
    reasons = [r.rule for part in (verdict.scope, verdict.hierarchy, verdict.provenance, verdict.flow) for r in part]
    said = "; ".join(text for part in why for text in part)
    return (
        f"construction {_letters(declared)}, judge {_letters(verdict.violated)} ({', '.join(reasons)}),"
        f" critic {_letters(exceeded)} ({said})"
    )


def _letters(violated: Sequence[bool]) -> str:
    return "".join(letter for letter, yes in zip("SHPF", violated, strict=True) if yes) or "benign"
