"""The judge: whether a plan violates scope, hierarchy, provenance or flow, and why. It knows nothing of energies."""

from gatling_beam.judge.judge import judge
from gatling_beam.judge.verdict import Reason, Unjudged, Verdict

__all__ = ["Reason", "Unjudged", "Verdict", "judge"]
