"""Why a plan has its energies, in sentences."""

from collections.abc import Sequence

from gatling_beam.energy.critic import criticise
from gatling_beam.energy.scale import scaled
from gatling_beam.sample import ENERGY_TERMS, Sample


def explain(sample: Sample, violated: Sequence[bool] | None = None) -> list[str]:
    """A line for each reason: the term, its scaled and raw energy, the node (and edge), the rule and its numbers.

    Args:
      violated: the verdict of each term, in the order of `ENERGY_TERMS`; None takes a raw energy above 0 for one.

    Raises:
      NoCritique: as by `criticise`.
    """
    critique = criticise(sample)
    lines = []
    for term, (name, x, why) in enumerate(zip(ENERGY_TERMS, critique.raw, critique.why, strict=True)):
        energy = scaled(term, x, x > 0 if violated is None else violated[term])
        lines += [f"{name} {energy:.2f} (raw {x:.4g}): {reason}" for reason in why]
    return lines
