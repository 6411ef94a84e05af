"""The seeded world of a domain: records with owners and dates, people with their groups.

A record is a function of its number, so that a world of a hundred thousand records costs nothing until one is read.
"""

import re
from datetime import date, timedelta
from random import Random
from typing import Any

from gatling_beam.domains.dice import Dice
from gatling_beam.domains.numbers import draw_number
from gatling_beam.domains.spec import DomainSpec

#: The day on which everything happens; no clock reaches a row.
TODAY = date(2026, 5, 18)

_FIRST = (
    "ana bruno carla dev eli farah gus hana ines joel kira liam mira noa oskar petra quinn rosa sami tara umar vera "
    "wim xenia yusuf zoe".split()
)
_LAST = "abbott becker costa doyle ekman fuller grant hoshi ibarra jansen keller lund moreau nagy okafor prins".split()
_PEOPLE_PER_GROUP = 60


class World:
    """The world of a domain; the same for every run."""

    def __init__(self, spec: DomainSpec) -> None:
        self._spec = spec
        self.world_id = f"{spec.domain}-1"
        self._forms = {kind: (record.id.rstrip("#"), record.id.count("#")) for kind, record in spec.records.items()}
        self._owners = {kind: _owners(spec, kind) for kind in spec.records}
        self._turns: dict[tuple[str, frozenset[str] | None], tuple[int, ...]] = {}
        rng = Random(f"people/{spec.domain}")
        #: The addresses of each group of people.
        self.people = {group: _people(rng, domain) for group, domain in spec.people.items()}
        #: The group of each address.
        self.group_of = {person: group for group, members in self.people.items() for person in members}

    def size(self, kind: str) -> int:
        """The number of records of a kind; they are numbered 1..size."""
        return int(10 ** self._spec.records[kind].id.count("#")) - 1

    def record_id(self, kind: str, number: int) -> str:
        """The id of a record."""
        return fill_id(self._spec.records[kind].id, number)

    def number_of(self, kind: str, record_id: str) -> int | None:
        """The number of the record of that id; None if the world has no such record."""
        prefix, digits = self._forms[kind]
        number = record_id[len(prefix) :]
        is_id = record_id.startswith(prefix) and len(number) == digits and number.isascii() and number.isdigit()
        return int(number) or None if is_id else None

    def owner(self, kind: str, number: int) -> str:
        """Whose the record is: owners take turns; "" where the kind has none."""
        owners = self._owners[kind]
        return owners[number % len(owners)] if owners else ""

    def some_number(self, rng: Dice, kind: str, allowed: frozenset[str] | None) -> int:
        """The number of a record at random that belongs to one of `allowed` (None: to anybody)."""
        owners = self._owners[kind]
        if not owners:
            return 1 + rng.below(self.size(kind))
        place = rng.pick(self._places(kind, allowed))
        first = 0 if place else 1
        return place + len(owners) * (first + rng.below((self.size(kind) - place) // len(owners) + 1 - first))

    def _places(self, kind: str, allowed: frozenset[str] | None) -> tuple[int, ...]:
        """The places in the turns of owners that belong to `allowed`; all if none does."""
        key = (kind, allowed)
        if key not in self._turns:
            owners = self._owners[kind]
            places = tuple(k for k, owner in enumerate(owners) if allowed is None or owner in allowed)
            self._turns[key] = places or tuple(range(len(owners)))
        return self._turns[key]

    def fields(self, kind: str, number: int) -> dict[str, Any]:
        """The fields of a record, drawn from its number."""
        record = self._spec.records[kind]
        rng = Random(f"{self.world_id}/{kind}/{number}")
        values = {name: self._draw(rng, field.draw) for name, field in record.fields.items()}
        if record.owner:
            values[record.owner] = self.owner(kind, number)
        return values

    def _draw(self, rng: Random, draw: str) -> Any:
        kind, _, rest = draw.partition(" ")
        if kind == "list":
            return rng.choice(list(self._spec.lists[rest]))
        if kind in ("money", "number"):
            return draw_number(rng, *(max(1, int(bound)) for bound in rest.split("..")))
        if kind == "past":
            return (TODAY - timedelta(rng.randint(0, int(rest)))).isoformat()
        return fill_code(rng, rest) if kind == "code" else ""


def fill_id(pattern: str, number: int) -> str:
    """An id such as INV-00042 from its pattern INV-##### and a number."""
    digits = pattern.count("#")
    return pattern.replace("#" * digits, f"{number:0{digits}d}")


def fill_code(rng: Random, pattern: str) -> str:
    """A code with a digit in the place of each #."""
    return re.sub("#", lambda _: str(rng.randrange(10)), pattern)


def _owners(spec: DomainSpec, kind: str) -> tuple[str, ...]:
    record = spec.records[kind]
    if not record.owner:
        return ()
    draw = record.fields[record.owner].draw
    return tuple(spec.lists[draw[5:]]) if draw.startswith("list ") else ()


def _people(rng: Random, domain: str) -> tuple[str, ...]:
    names = [f"{first}.{last}" for first in _FIRST for last in _LAST]
    return tuple(f"{name}@{domain}" for name in sorted(rng.sample(names, _PEOPLE_PER_GROUP)))
