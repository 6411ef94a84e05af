"""The ledger of a run: what became of every row, per stage and source, in numbers that add up."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec

from gatling_beam.files import join, read_bytes
from gatling_beam.sample import Tally

LEDGER_NAME = "ledger.json"

ENTERING = ("in", "expanded")
#: Where a row of a stage can end up; `in + expanded` is the sum of these.
LEAVING = ("out", "no_call", "no_intent", "filtered", "duplicate", "not_selected", "dead")
#: Every kind of `Tally`.
KINDS = (*ENTERING, *LEAVING, "note")


class Counts(msgspec.Struct, frozen=True, rename={"in_": "in"}):
    """What became of the rows of one source in one stage.

    `expanded` is the number of extra rows made from the ones that came in. `reasons` splits `dead`, `filtered`,
    `duplicate` and so on by reason; rows counted without a reason are in the total alone. `notes` are observations
    outside the balance.
    """

    in_: int = 0
    expanded: int = 0
    out: int = 0
    no_call: int = 0
    no_intent: int = 0
    filtered: int = 0
    duplicate: int = 0
    not_selected: int = 0
    dead: int = 0
    reasons: dict[str, dict[str, int]] = {}
    notes: dict[str, int] = {}

    def of(self, kind: str) -> int:
        """The number of rows of a kind (`ENTERING` or `LEAVING`)."""
        return int(getattr(self, "in_" if kind == "in" else kind))

    @property
    def entering(self) -> int:
        """Rows that came in, with the extra ones made from them."""
        return self.in_ + self.expanded

    @property
    def leaving(self) -> int:
        """Rows that are accounted for."""
        return sum(map(self.of, LEAVING))

    def tallies(self, stage: str, source: str) -> Iterator[Tally]:
        """The tallies that these counts are the sums of, one for each kind and reason."""
        for reason, n in self.notes.items():
            yield Tally(stage, source, "note", n, reason)
        for kind in (*ENTERING, *LEAVING):
            reasons = self.reasons.get(kind, {})
            for reason, n in reasons.items():
                yield Tally(stage, source, kind, n, reason)
            if rest := self.of(kind) - sum(reasons.values()):
                yield Tally(stage, source, kind, rest)


class Ledger(msgspec.Struct, frozen=True):
    """Counts by stage, in the order in which rows pass the stages, and by source."""

    stages: dict[str, dict[str, Counts]]

    @classmethod
    def from_tallies(cls, tallies: Iterable[Tally], stages: Sequence[str]) -> "Ledger":
        """The ledger of `tallies`, in any order and cut in any way; `stages` names the stages in order.

        Raises:
          ValueError: for a tally of a stage that is not named, of an unknown kind, or with n < 0.
        """
        sums: dict[str, dict[str, dict[tuple[str, str], int]]] = {stage: {} for stage in stages}
        for tally in tallies:
            if tally.stage not in sums:
                raise ValueError(f"a tally has stage={tally.stage!r}, which is not one of {', '.join(stages)}")
            if tally.kind not in KINDS:
                raise ValueError(f"a tally has kind={tally.kind!r}, which is not one of {', '.join(KINDS)}")
            if tally.n < 0:
                raise ValueError(f"a tally of stage {tally.stage!r} has n={tally.n}; counts are 0 or more")
            of_source = sums[tally.stage].setdefault(tally.source, {})
            key = (tally.kind, tally.reason)
            of_source[key] = of_source.get(key, 0) + tally.n
        return cls(
            {
                stage: {source: _counts(of_source) for source, of_source in sorted(by_source.items())}
                for stage, by_source in sums.items()
            }
        )

    def tallies(self) -> Iterator[Tally]:
        """The tallies that this ledger is made of, to sum several ledgers."""
        for stage, by_source in self.stages.items():
            for source, counts in by_source.items():
                yield from counts.tallies(stage, source)

    def total(self, stage: str) -> Counts:
        """The sums of a stage over all sources."""
        merged = [
            tally for source, counts in self.stages[stage].items() for tally in counts.tallies(stage, "all sources")
        ]
        return Ledger.from_tallies(merged, [stage]).stages[stage].get("all sources", Counts())

    def out_by_source(self) -> dict[str, int]:
        """Rows that leave the last stage, by source; sources without any are left out."""
        last = list(self.stages.values())[-1] if self.stages else {}
        return {source: counts.out for source, counts in last.items() if counts.out}

    def dead_by_source(self) -> dict[str, int]:
        """Dead letters of all stages, by source; sources without any are left out."""
        dead: dict[str, int] = {}
        for by_source in self.stages.values():
            for source, counts in by_source.items():
                if counts.dead:
                    dead[source] = dead.get(source, 0) + counts.dead
        return dict(sorted(dead.items()))

    def check(self) -> list[str]:
        """What does not add up, as sentences; [] if everything does.

        For every stage and source, in + expanded = out + no_call + no_intent + filtered + duplicate + not_selected +
        dead, and what leaves a stage enters the next one; a source may join at a later stage, and a stage between two
        others may be unused.
        """
        return [*self._unbalanced(), *self._broken_joins()]

    def _unbalanced(self) -> Iterator[str]:
        for stage, by_source in self.stages.items():
            for source, counts in by_source.items():
                where = f"stage {stage!r}, source {source!r}"
                if counts.entering != counts.leaving:
                    spelled = ", ".join(f"{kind} {counts.of(kind):,}" for kind in LEAVING if counts.of(kind)) or "none"
                    yield (
                        f"{where}: in + expanded = {counts.entering:,}, "
                        f"but {counts.leaving:,} rows are accounted for ({spelled})"
                    )
                for kind, reasons in counts.reasons.items():
                    if sum(reasons.values()) > counts.of(kind):
                        yield f"{where}: the reasons of {kind} add up to more than its {counts.of(kind):,} rows"

    def _broken_joins(self) -> Iterator[str]:
        stages = list(self.stages.items())
        while len(stages) > 1 and not stages[-1][1] and not stages[-2][1]:
            stages.pop()
        # A stage that was not used is passed by; but where nothing comes after it, rows that were to enter it are lost.
        used = [(stage, by_source) for stage, by_source in stages[:-1] if by_source] + stages[-1:]
        for (stage, by_source), (following, entered) in pairwise(used):
            for source, counts in by_source.items():
                arrived = entered[source].in_ if source in entered else 0
                if counts.out != arrived:
                    yield (
                        f"source {source!r}: {counts.out:,} rows leave stage {stage!r}, "
                        f"but {arrived:,} enter stage {following!r}"
                    )


def ledger_bytes(ledger: Ledger) -> bytes:
    """The content of `ledger.json`: {"stages": {stage: {source: counts}}}, the same bytes for equal ledgers."""
    return msgspec.json.format(msgspec.json.encode(ledger), indent=1) + b"\n"


def read_ledger(directory: str) -> Ledger:
    """The ledger of an output directory.

    Raises:
      FileNotFoundError: if it has none.
      ValueError: if the file is not a ledger.
    """
    path = join(directory, LEDGER_NAME)
    try:
        return msgspec.json.decode(read_bytes(path), type=Ledger)
    except msgspec.MsgspecError as e:
        raise ValueError(f"{path} is not a ledger: {e}") from e


def _counts(summed: dict[tuple[str, str], int]) -> Counts:
    totals: dict[str, int] = {}
    reasons: dict[str, dict[str, int]] = {}
    notes: dict[str, int] = {}
    for (kind, reason), n in sorted(summed.items()):
        if kind == "note":
            notes[reason] = n
            continue
        field = "in_" if kind == "in" else kind
        totals[field] = totals.get(field, 0) + n
        if reason and n:
            reasons.setdefault(kind, {})[reason] = n
    return Counts(reasons=reasons, notes=notes, **totals)
