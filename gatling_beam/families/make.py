"""What becomes of an anchor in a stage of families: its rows, their dead letters, and counts."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, Literal, get_args

import msgspec

from gatling_beam.families.accept import Refused, accept, judged, refusal
from gatling_beam.families.annotate import annotate
from gatling_beam.families.build import (
    BOUNDARY_KINDS,
    MUTATORS,
    STRATEGIES,
    Inapplicable,
    Made,
    boundary_pairs,
    crossings,
)
from gatling_beam.hashing import digest
from gatling_beam.mutate.anchor import Anchor
from gatling_beam.mutate.crossing import NotApplicable
from gatling_beam.mutate.original import original_mutations
from gatling_beam.mutate.scope import STRATEGY as SCOPE
from gatling_beam.quotas import LEVELS
from gatling_beam.sample import DeadLetter, Sample

STAGE = "families"
#: Why a row of the input is not in the output: crossings are made from it, or nothing is.
ANCHOR, NOT_BENIGN, IN_FAMILY = "anchor", "not_benign", "in_family"

Catalogue = Literal["ours", "original"]
Form = Literal["size", "set"]
CATALOGUES: tuple[Catalogue, ...] = get_args(Catalogue)
_MAX_K = 1_000


class Making(msgspec.Struct, frozen=True):
    """Which crossings are made of an anchor: numbers first..first+k-1 of each of `strategies`.

    `share` is the part of all anchors, 0 < share <= 1, of which any are made.

    `strategies` are those of Tier II or kinds of Tier III. `form` (size, set) is of scope alone.

    Raises:
      TypeError, ValueError: at construction, naming what is wrong.
    """

    strategies: tuple[str, ...]
    difficulty: str | None = None
    seed: int = 0
    k: int = 1
    first: int = 0
    form: str | None = None
    judge: bool = True
    catalogue: str = "ours"
    share: float = 1.0

    def __post_init__(self) -> None:
        if not self.strategies:
            raise TypeError(
                f"strategies={self.strategies!r} is not a list of names; take some of {_listed(STRATEGIES)}"
            )
        known = tuple(MUTATORS) if set(self.strategies) & set(MUTATORS) else BOUNDARY_KINDS
        for name in self.strategies:
            if name not in known:
                raise ValueError(
                    f"strategies={self.strategies!r}: {name!r} is not one of {_listed(tuple(MUTATORS))} (Tier II), nor "
                    f"are all of them of {_listed(BOUNDARY_KINDS)} (Tier III)"
                )
        if len(set(self.strategies)) < len(self.strategies):
            raise ValueError(f"strategies={self.strategies!r} names one twice; name each once")
        if self.difficulty is not None and self.difficulty not in LEVELS:
            raise ValueError(f"difficulty={self.difficulty!r} is not one of {_listed(LEVELS)}, nor None for any")
        for name, value, least, most in (
            ("seed", self.seed, 0, 2**63 - 1),
            ("k", self.k, 1, _MAX_K),
            ("first", self.first, 0, 2**31),
        ):
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise ValueError(f"{name}={value!r} is not a whole number in {least}..{most}")
        if not isinstance(self.share, (int, float)) or not 0 < self.share <= 1:
            raise ValueError(f"share={self.share!r} is not a number in 0 < share <= 1")
        if not isinstance(self.judge, bool):
            raise TypeError(f"judge={self.judge!r} is not True or False")
        if self.form is not None and (self.form not in get_args(Form) or self.strategies != (SCOPE,)):
            raise ValueError(f"form={self.form!r} is size or set, and of strategies=({SCOPE!r},) alone; leave it out")
        if self.catalogue not in CATALOGUES:
            raise ValueError(f"catalogue={self.catalogue!r} is not one of {_listed(CATALOGUES)}")
        if self.catalogue == "original" and not set(self.strategies) <= set(STRATEGIES):
            raise ValueError(
                f"the original has {_listed(STRATEGIES)} alone; strategies={self.strategies!r} asks for more"
            )
        if self.is_boundary and (self.difficulty or self.catalogue != "ours"):
            raise ValueError("the kinds of Tier III take neither difficulty nor catalogue; leave them out")

    @property
    def is_boundary(self) -> bool:
        """Whether rows of Tier III are made."""
        return self.strategies[0] not in MUTATORS


class Outcome(msgspec.Struct):
    """What came of an anchor: rows, dead letters, why it is not in the output itself, and notes."""

    left: str
    rows: list[Sample] = []
    dead: list[DeadLetter] = []
    notes: list[str] = []


def make(sample: Sample, makings: Sequence[Making]) -> Outcome:
    """The rows of an anchor by all makings, which have one seed, and each note once.

    Rows that are no anchors, since they are not benign or of a family, give none.
    """
    if sample.label != "benign":
        return Outcome(NOT_BENIGN)
    if sample.in_family:
        return Outcome(IN_FAMILY)
    outcome = Outcome(ANCHOR)
    chosen = [making for making in makings if making.share == 1 or _is_chosen(sample, making)]
    ours = [making for making in chosen if making.catalogue == "ours"]
    for making in chosen:
        if making.catalogue == "original":
            _add_original(sample, making, outcome)
    if ours:
        try:
            anchor = Anchor(annotate(sample, seed=ours[0].seed))
        except NotApplicable as e:
            outcome.notes += [_note(strategy, e.reason) for making in ours for strategy in making.strategies]
        else:
            for making in ours:
                _add_ours(anchor, making, outcome)
    outcome.notes = list(dict.fromkeys(outcome.notes))
    return outcome


def _add_ours(anchor: Anchor, making: Making, outcome: Outcome) -> None:
    for made in _made(anchor, making):
        if isinstance(made, Inapplicable):
            outcome.notes.append(_note(*made))
        elif not making.judge:
            outcome.rows += made.rows
        else:
            accepted = accept(made.rows)
            if isinstance(accepted[0], DeadLetter):
                outcome.dead += accepted
            else:
                outcome.rows += accepted


def _is_chosen(sample: Sample, making: Making) -> bool:
    """Whether the anchor is of the share: of each stratum another part of them."""
    what = f"{making.seed}/{sample.sample_id}/{'/'.join(making.strategies)}/{making.difficulty}/{making.form}"
    return int.from_bytes(blake2b(what.encode(), digest_size=8).digest(), "big") < making.share * 2**64


def judged_or_dead(sample: Sample) -> Sample | DeadLetter:
    """A row with its labels and energies if construction, judge and critic agree; else its dead letter."""
    try:
        return judged(sample)
    except Refused as e:
        return refusal(sample, e)


def _made(anchor: Anchor, making: Making) -> Iterator[Made | Inapplicable]:
    numbers = {"seed": making.seed, "k": making.k, "first": making.first}
    if making.is_boundary:
        return boundary_pairs(anchor, kinds=making.strategies, **numbers)
    form: dict[str, Any] = {"form": making.form} if making.form else {}
    return crossings(anchor, strategies=making.strategies, difficulty=making.difficulty, **numbers, **form)


def _add_original(sample: Sample, making: Making, outcome: Outcome) -> None:
    for strategy in making.strategies:
        try:
            rows = original_mutations(sample, strategy, seed=making.seed, k=making.k, difficulty=making.difficulty)
            outcome.rows += _beside_anchor(sample, list(rows))
        except NotApplicable as e:
            outcome.notes.append(_note(strategy, e.reason))


def _beside_anchor(sample: Sample, rows: list[Sample]) -> list[Sample]:
    """The mutations of an anchor by one strategy, and the anchor as the benign row that they are compared with."""
    mutation = rows[0].mutation
    assert mutation is not None
    benign = msgspec.structs.replace(
        sample,
        sample_id=digest("sample", sample.sample_id, mutation.strategy),
        in_family=True,
        mutation=msgspec.structs.replace(
            mutation,
            severity=0.0,
            edit_script={"catalogue": "original", "kind": mutation.edit_script["kind"]},
        ),
    )
    return [benign, *rows]


def _note(strategy: str, reason: str) -> str:
    return f"{strategy}: {reason}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
