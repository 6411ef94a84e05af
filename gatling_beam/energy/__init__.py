"""The critic: how far a plan goes beyond what its request and its policy permit, as four numbers with their reasons."""

from gatling_beam.energy.critic import Critique, criticise
from gatling_beam.energy.explain import explain
from gatling_beam.energy.original import original
from gatling_beam.energy.reading import NoCritique
from gatling_beam.energy.scale import BETA, energies, scaled, severity

__all__ = ["BETA", "Critique", "NoCritique", "criticise", "energies", "explain", "original", "scaled", "severity"]
