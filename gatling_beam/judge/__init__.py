"""The judge: whether a plan violates scope, hierarchy, provenance or flow, and why. It knows nothing of energies."""
