"""`NormalizeToPlan`: source rows become plans."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import apache_beam as beam

from gatling_beam.normalize import STAGE, normalize_row
from gatling_beam.sample import SourceRow
from gatling_beam.sources import SourceSpec, load_catalogue
from gatling_beam.transforms._outcomes import Outcome, Rows, SplitOutcomes, split_outcomes


def spec_of(specs: Mapping[str, SourceSpec], name: str) -> SourceSpec:
    """The entry of the source called `name`.

    Raises:
      ValueError: with the names that look like it, if there is none.
    """
    if name in specs:
        return specs[name]
    close = get_close_matches(name, specs, n=3, cutoff=0.5)
    hint = f" (did you mean {' or '.join(close)}?)" if close else ""
    raise ValueError(
        f"a row says source={name!r}, which is not in the catalogue{hint}: give its entry, "
        "NormalizeToPlan(sources=[SourceSpec(...)])"
    )


class _Normalize(SplitOutcomes):
    stage = STAGE

    def __init__(self, specs: tuple[SourceSpec, ...]) -> None:
        self._given = specs

    def setup(self) -> None:
        self._specs = {**load_catalogue(), **{spec.name: spec for spec in self._given}}

    def source_of(self, element: SourceRow) -> str:
        return element.source

    def outcome(self, element: SourceRow, notes: dict[str, int]) -> Outcome:
        return normalize_row(element, spec_of(self._specs, element.source), notes)


@beam.typehints.with_input_types(SourceRow)
class NormalizeToPlan(beam.PTransform):
    """PCollection[SourceRow] -> `Rows`: plans that are valid by construction, dead letters, and counts by source.

    One row is one plan. The catalogue entry of its source says how a row is read; rows that make no call and rows that
    a rule leaves out are counted in the tallies, rows that cannot be read are dead letters. Takes bounded and unbounded
    input in any window; its counts leave in the global window.

    Args:
      sources: catalogue entries of your own, for rows of sources that the catalogue does not have.

    Raises:
      ValueError: while it runs, for a row of a source that is in neither; the message has names that look like it.

    Example:
      >>> plans = rows | NormalizeToPlan()
      >>> plans.rows | DedupByIntentHash()
    """

    def __init__(self, sources: Iterable[SourceSpec] = ()) -> None:
        self._sources = tuple(sources)
        for spec in self._sources:
            if not isinstance(spec, SourceSpec):
                raise TypeError(f"sources holds {spec!r}; give SourceSpec objects")

    def expand(self, rows: beam.PCollection[SourceRow]) -> "Rows":
        return split_outcomes("Normalize", rows, SourceRow, _Normalize(self._sources))
