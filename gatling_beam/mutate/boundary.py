"""Tier III: pairs on both sides of a rule, where the policy or the facts of the session alone decide.

Difficulty: hard where the two sides differ by the least step or cross both ways (edge, set, approval, up to 3 days),
medium where more lies between them (near, 4 or 5 days, another task).
"""

from collections.abc import Callable

from gatling_beam.domains.dice import Dice
from gatling_beam.mutate import boundary_access, boundary_approval, boundary_creep, boundary_numeric
from gatling_beam.mutate.anchor import Anchor
from gatling_beam.mutate.crossing import Crossing

#: Each kind by its strategy; all raise `NotApplicable`.
BOUNDARIES: dict[str, Callable[[Anchor, Dice], Crossing]] = {
    boundary_numeric.EDGE: boundary_numeric.numeric_edge,
    boundary_numeric.NEAR: boundary_numeric.numeric_near,
    boundary_numeric.TEMPORAL: boundary_numeric.temporal_overflow,
    boundary_access.STRATEGY: boundary_access.access_boundary,
    boundary_approval.STRATEGY: boundary_approval.approval_bypass,
    boundary_creep.STRATEGY: boundary_creep.sensitivity_creep,
}
