"""What every column of a stored row means, in three groups: key, input and target."""

from typing import Literal

Group = Literal["key", "input", "target"]

#: (group, meaning) of every field of `Sample`, in the order of the columns.
COLUMNS: dict[str, tuple[Group, str]] = {
    "execution_plan": ("input", "the plan: tool calls as nodes, edges from cause to effect"),
    "label": ("target", "benign or adversarial"),
    "original_id": ("key", "the row's id in its data set"),
    "category": ("key", "the kind of source"),
    "metadata": ("key", "what the source says beside the plan; `query` is the request"),
    "sample_id": ("key", "content hash that names the row; made without label or strategy"),
    "group_id": ("key", "the family: an anchor and all rows made from it share it"),
    "row_hash": ("key", "hash of plan, request and context"),
    "intent_hash": ("key", "hash of what the plan does; equal for duplicates"),
    "source": ("key", "data set, config, split, revision, row and licence the row comes from"),
    "tier": ("key", "I benign, II adversarial, III boundary"),
    "split": ("key", "train, validation or test; null where none is assigned"),
    "in_family": ("key", "whether other rows were made from the same anchor"),
    "label_basis": ("key", "why the label holds: constructed, annotated or extracted"),
    "label_scope": ("key", "how far the label reaches"),
    "batch_key": ("key", "rows that belong in one training batch share it"),
    "request": ("input", "the user's words"),
    "language": ("input", "language of the request (BCP 47)"),
    "request_variants": ("input", "the same request in other words or languages"),
    "governance_context": ("input", "policy, role, session and request, as the governance encoder reads them"),
    "toolset_id": ("input", "id of the tools that were offered"),
    "toolset": ("input", "the tools that were offered, as JSON"),
    "contexts": ("input", "the request and every retrieved text, with its trust tier"),
    "edge_evidence": ("input", "why each edge is there: data, turn, control or order"),
    "arg_sources": ("input", "where each argument value comes from"),
    "warrant": ("target", "what the request permits"),
    "minimal_scope": ("target", "the least scope that serves the request"),
    "violation_labels": ("target", "a verdict for each of the four energy terms"),
    "energies": ("target", "the four scaled energies, the risk and the composite"),
    "energies_original": ("target", "the same by the original formulas, for comparison; never a label"),
    "mutation": ("target", "how the row was made from its parent, with the edit script"),
}
