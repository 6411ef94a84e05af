"""Scaled energies 0..10: a violation starts at the margin and grows with its size."""

from collections.abc import Sequence
from math import exp

from gatling_beam.energy.critic import Critique
from gatling_beam.sample import Energies

#: The least scaled energy of a violation: the security margin.
BETA = 2.0
_TOP = 10.0
_SPREAD = (4.0, 8.0, 6.0, 8.0)
#: Weights of scope, hierarchy, provenance and flow in the composite.
WEIGHTS = (0.5, 1.0, 2.0, 1.5)


def scaled(term: int, x: float, violated: bool) -> float:
    """The scaled energy of a raw one; `term` is 0..3 in the order of `sample.ENERGY_TERMS`. 0, or 2..10."""
    return BETA + (_TOP - BETA) * (1.0 - exp(-x / _SPREAD[term])) if violated else 0.0


def severity(energy: float) -> float:
    """The severity 0..1 of a scaled energy."""
    return max(0.0, (energy - BETA) / (_TOP - BETA))


def energies(critique: Critique, violated: Sequence[bool]) -> Energies:
    """The scaled terms; `risk` is the highest of them, `composite` their weighted sum."""
    terms = [scaled(k, x, violated[k]) for k, x in enumerate(critique.raw)]
    return combined(terms)


def combined(terms: Sequence[float]) -> Energies:
    """Four terms with their maximum and their weighted sum."""
    scope, hierarchy, provenance, flow = terms
    composite = sum(weight * term for weight, term in zip(WEIGHTS, terms, strict=True))
    return Energies(scope, hierarchy, provenance, flow, max(terms), composite)
