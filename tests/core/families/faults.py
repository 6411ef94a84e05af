"""How tests plant faults, and the build whose checks have to find them."""

from collections import Counter, defaultdict
from importlib import import_module

from msgspec.structs import replace

from gatling_beam.energy import criticise
from gatling_beam.facts import ApprovalFact
from gatling_beam.families import accept, build
from gatling_beam.judge import Unjudged
from gatling_beam.sample import DeadLetter, Sample

SEED = 3
#: The package has the function of this name in its place.
judging = import_module("gatling_beam.judge.judge")


def turned(pairs):
    """What counts alone in the place of what counts where it is named."""
    return {key: (named, alone) for key, (alone, named) in pairs.items()}


class Plant:
    """A monkeypatch with the ways to plant faults here; `original(...)` is what stood there before."""

    def __init__(self, patch):
        self.setattr, self.setitem = patch.setattr, patch.setitem

    def wrap(self, where, name, change):
        """`where.name` becomes `change(original, *arguments)`."""
        original = getattr(where, name)
        self.setattr(where, name, lambda *args, **options: change(original, *args, **options))

    def without_rules(self, *rules):
        """The judge no longer knows some rules of scope."""
        self.wrap(judging, "scope_reasons", lambda own, *a: [r for r in own(*a) if r.rule not in rules])

    def policy_as(self, module, change):
        """A policy is read as something else."""
        self.wrap(module, "_policy", lambda own, *a: change(own(*a)))

    def lax_facts(self, module, **changes):
        """An approval is read as if it said something else."""

        def lacks(own, *args):
            return own(*(replace(arg, **changes) if isinstance(arg, ApprovalFact) else arg for arg in args))

        self.wrap(module, "_lacks", lacks)

    def crossings_as(self, change):
        """Crossings are made as before, and then changed."""
        for strategy, own in list(build.MUTATORS.items()):

            def mutator(anchor, dice, own=own, **options):
                return change(own(anchor, dice, **options))

            self.setitem(build.MUTATORS, strategy, mutator)

    def second_situation(self, **changes):
        """The second situation of each crossing is changed: a function of it for each of its fields."""

        def change(crossing):
            first, second, *others = crossing.situations
            new = {name: value(second) for name, value in changes.items()}
            return replace(crossing, situations=(first, replace(second, **new), *others))

        self.crossings_as(change)

    def rows_as(self, change):
        """Rows are made as before, and then those with a violation changed."""

        def rows_of(own, *args, **options):
            return [change(row) if row.label == "adversarial" else row for row in own(*args, **options)]

        self.wrap(build, "rows_of", rows_of)


def some_anchors(made):
    """Anchors of which six or more carry each kind of crossing."""
    chosen, counts = {}, Counter()
    for anchor, strategy, rows in made:
        kind = rows[0].mutation.edit_script["kind"].partition(":")[0]
        if counts[strategy, kind] < 6:
            counts[strategy, kind] += 1
            chosen[anchor.sample_id] = anchor
    return list(chosen.values())


class Build:
    """The families of `anchors`, and rows with what the second reading says of them; no fault reaches that."""

    def __init__(self, anchors, read_twice, checks, second_reading, stored):
        self.anchors, self.read_twice = anchors, read_twice
        self.checks, self.second_reading, self.stored = checks, second_reading, stored

    def problems(self):
        """The names of the checks that find anything."""
        found = defaultdict(list)
        judged = list(self._families(found))
        found["labels"] = list(self.checks.label_problems(judged))
        again = [row for a in reversed(self.anchors) for row in build.family(a, seed=SEED) if isinstance(row, Sample)]
        if sorted(row.row_hash for row in again) != sorted(row.row_hash for row in judged):
            found["determinism"].append("another build made other rows")
        for row, as_stored in zip(judged, self.stored(judged), strict=True):
            if self.second_reading.violated(as_stored) != self.checks.vector(row):
                found["second reading"].append(row.sample_id)
        self._compare(found)
        return {name for name, own in found.items() if own}

    def _families(self, found):
        for anchor in self.anchors:
            for result in build.crossings(anchor, seed=SEED):
                if not isinstance(result, build.Made):
                    continue
                for problem in self.checks.crossing_problems(anchor, result.strategy, result.rows):
                    found[problem.partition(":")[0]].append(problem)
                for row in accept.accept(result.rows):
                    if isinstance(row, Sample):
                        yield row
                    elif isinstance(row, DeadLetter) and row.reason != "crossing_incomplete":
                        found["agreement"].append(row.detail)

    def _compare(self, found):
        for row, second in self.read_twice:
            try:
                verdict = judging.judge(row).violated
            except Unjudged as unjudged:
                verdict = unjudged.reason
            if verdict == "no_effect":
                continue
            if verdict != second:
                found["changed rows: judge"].append(row.sample_id)
            exceeded = tuple(x > 0 for x in criticise(row).raw)
            # What nobody asked for and no text has led to is no matter of energies.
            if exceeded[1] if second == "over_action" else exceeded != second:
                found["changed rows: critic"].append(row.sample_id)
