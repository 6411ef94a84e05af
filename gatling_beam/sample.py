"""The row: `Sample` flows between all transforms and is what is stored; `DeadLetter` and `Tally` travel beside it."""

from typing import Any

import msgspec

from gatling_beam.plan import ExecutionPlan, TrustTier

ENERGY_TERMS = ("E_SCOPE", "E_HIERARCHY", "E_PROVENANCE", "E_FLOW")
EDGE_EVIDENCE = ("data", "turn", "control", "order")
ARGUMENT_SOURCES = ("request", "context", "session", "edge", "default", "unattributed")


class SourceRef(msgspec.Struct, frozen=True, gc=False):
    """Where a row comes from. `name` is the source's short name, `dataset` its Hub id, `row_id` its place there."""

    name: str
    dataset: str
    config: str = ""
    split: str = ""
    revision: str = ""
    row_id: str = ""
    licence: str = ""
    gated: bool = False


class RequestVariant(msgspec.Struct, frozen=True, gc=False):
    """The same request in other words: a translation, or the wording of a duplicate in another language."""

    language: str
    request: str
    source: str = ""


class GovernanceContext(msgspec.Struct, frozen=True, gc=False):
    """What a governance encoder reads. `policy` is JSON text; in flight it is empty and `policy_id` stands for it."""

    policy_id: str | None = None
    policy: str | None = None
    user_role: str = "user"
    session_context: dict[str, Any] = {}
    request: str = ""


class Context(msgspec.Struct, frozen=True, gc=False):
    """A text the agent has seen: the request itself (user, tier 1) or a retrieved one, with the node that reads it."""

    context_id: str
    source_type: str
    tier: TrustTier
    content_hash: str
    text: str
    node_id: str | None = None


class ArgSource(msgspec.Struct, frozen=True, gc=False):
    """Where the value at `path` of a node's arguments comes from: one of `ARGUMENT_SOURCES`, and a reference.

    `path` is a JSON Pointer (RFC 6901); "" is the whole argument object. `ref` is the node id for `edge`.
    """

    node_id: str
    path: str
    kind: str
    ref: str = ""


class MinimalScope(msgspec.Struct, frozen=True, gc=False):
    """The least scope that serves the request; `pinned` names the fields that the request states, with their spans."""

    limit: int
    date_range_days: int
    max_depth: int
    include_sensitive: bool
    pinned: tuple[str, ...] = ()
    spans: tuple[str, ...] = ()


class ViolationLabel(msgspec.Struct, frozen=True, gc=False):
    """One energy term's verdict; `severity` is 0..1, `delta_estimate` the rise of the scaled energy."""

    energy_term: str
    violated: bool
    severity: float = 0.0
    delta_estimate: float = 0.0
    explanation: str = ""


class Energies(msgspec.Struct, frozen=True, gc=False):
    """The four terms, their maximum (`risk`) and the weighted composite."""

    e_scope: float
    e_hierarchy: float
    e_provenance: float
    e_flow: float
    risk: float
    composite: float


class Mutation(msgspec.Struct, frozen=True, gc=False):
    """How a row was made from its parent; `edit_script` is machine readable and its inverse is the repair."""

    strategy: str
    severity: float
    difficulty: str
    difficulty_score: float
    ratio_band: str
    parent: str
    edit_script: dict[str, Any]


class Sample(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One row: a plan with its label, its inputs, its targets and its keys.

    The first five fields are the form that existing consumers read; all others stand beside them. Fields that a later
    tier fills are None or empty until then.
    """

    execution_plan: ExecutionPlan
    label: str
    original_id: str
    category: str
    metadata: dict[str, Any]
    # keys
    sample_id: str
    group_id: str
    row_hash: str
    intent_hash: str
    source: SourceRef
    tier: str = "I"
    split: str | None = None
    in_family: bool = False
    label_basis: str = "extracted"
    label_scope: str = "no_known_harm"
    batch_key: str | None = None
    # inputs
    request: str = ""
    language: str = ""
    request_variants: tuple[RequestVariant, ...] = ()
    governance_context: GovernanceContext = GovernanceContext()
    toolset_id: str | None = None
    toolset: str | None = None
    contexts: tuple[Context, ...] = ()
    edge_evidence: tuple[str, ...] = ()
    arg_sources: tuple[ArgSource, ...] = ()
    # targets
    warrant: dict[str, Any] | None = None
    minimal_scope: MinimalScope | None = None
    violation_labels: tuple[ViolationLabel, ...] = ()
    energies: Energies | None = None
    energies_original: Energies | None = None
    mutation: Mutation | None = None


class SourceRow(msgspec.Struct, frozen=True, gc=False):
    """A row as its data set holds it, not yet understood.

    `data` is the row as JSON text (bytes, UTF-8). `location` is its place in the data set: `<file>:<row>` in a Parquet
    file, `<file>:<byte offset>` in a file of lines, so that it depends on neither the unit size nor the runner.
    `superseded` says that the next row of the file repeats this one and goes on (data sets of conversation prefixes).
    """

    source: str
    data: bytes
    location: str
    config: str = ""
    split: str = ""
    revision: str = ""
    superseded: bool = False


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """A row that cannot be used, with the reason code (`gatling_beam.errors.REASONS`) and what was seen.

    `detail` and `payload` are cut to 500 and 2,000 characters; `location` says where the whole row stands.
    """

    dead_id: str
    stage: str
    source: str
    reason: str
    detail: str
    location: str
    config: str = ""
    split: str = ""
    revision: str = ""
    payload: str = ""


class Tally(msgspec.Struct, frozen=True, gc=False):
    """A count that travels as data: `n` rows of `source` were `kind` in `stage`.

    `kind` is one of in, expanded, out, no_call, no_intent, filtered, duplicate, not_selected, dead, note. `reason`
    refines it: the code of a dead letter or filter, the surviving source of a duplicate. Notes stand outside the
    balance.
    """

    stage: str
    source: str
    kind: str
    n: int
    reason: str = ""


class Drop(msgspec.Struct, frozen=True, gc=False):
    """A row that is left out on purpose, by a rule that is counted: `kind` as in `Tally`."""

    source: str
    kind: str
    reason: str = ""
