"""What the judge says of a row."""

import msgspec


class Reason(msgspec.Struct, frozen=True, gc=False):
    """Why a term is violated: the rule, the node that breaks it, and the values."""

    rule: str
    node_id: str
    detail: str


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The reasons of each term, in the order of `sample.ENERGY_TERMS`; no reason, no violation."""

    scope: tuple[Reason, ...] = ()
    hierarchy: tuple[Reason, ...] = ()
    provenance: tuple[Reason, ...] = ()
    flow: tuple[Reason, ...] = ()

    @property
    def violated(self) -> tuple[bool, bool, bool, bool]:
        """Which terms are violated."""
        return bool(self.scope), bool(self.hierarchy), bool(self.provenance), bool(self.flow)


class Unjudged(Exception):
    """A row that cannot be judged.

    `reason` is no_warrant, unknown_tool, unknown_policy, no_effect (a read that can find nothing) or over_action (an
    unmatched effectful call that no untrusted text has influenced).
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail
