"""Exact duplicates: which row of a group survives, what it keeps of the others, and who duplicated whom."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, cast, get_args

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatling_beam.columns import StructColumns
from gatling_beam.exchange import Key
from gatling_beam.intent import shape_hash
from gatling_beam.ordering import Places, equals_previous, total_order
from gatling_beam.sample import RequestVariant, Sample, Tally

STAGE = "dedup"

_SAMPLES = StructColumns(Sample)

DedupKey = Literal["intent", "shape"]

#: The priority of a source that the table of priorities does not name; the least survives.
UNKNOWN_PRIORITY = 500

Pairs = Counter[tuple[str, str]]

_content = msgspec.msgpack.Encoder(order="deterministic").encode


def dedup_key(key: DedupKey) -> Key:
    """The key of an exchange that brings duplicates together.

    Raises:
      ValueError: if `key` is neither "intent" nor "shape".
    """
    if key not in get_args(DedupKey):
        raise ValueError(f"key={key!r} is not one of {', '.join(get_args(DedupKey))}")
    return "intent_hash" if key == "intent" else sample_shape


def sample_shape(sample: Sample) -> str:
    """`intent.shape_hash` of a row."""
    return shape_hash(sample.execution_plan, sample.edge_evidence)


def priority_of(source: str, priorities: Mapping[str, int]) -> int:
    """The priority of a source by its short name, `UNKNOWN_PRIORITY` if it is not in the table."""
    return priorities.get(source, UNKNOWN_PRIORITY)


def survivor_key(sample: Sample, priorities: Mapping[str, int]) -> tuple[int, str, str, str]:
    """The order of survival: (priority of the source, its name, original_id as text, sample_id); the least survives."""
    name = sample.source.name
    return priority_of(name, priorities), name, sample.original_id, sample.sample_id


class DuplicateGroup(msgspec.Struct, frozen=True):
    """What must be known of the rows of one key, in whatever order they come: the least, the sources, the wordings."""

    least: Sample | None = None
    sources: dict[str, int] = {}
    wordings: tuple[RequestVariant, ...] = ()


def group_of(sample: Sample) -> DuplicateGroup:
    """The group of a single row."""
    return DuplicateGroup(sample, {sample.source.name: 1}, _wordings(sample))


def merge_groups(groups: Iterable[DuplicateGroup], priorities: Mapping[str, int]) -> DuplicateGroup:
    """One group of all rows of `groups`; associative and commutative."""
    least: Sample | None = None
    sources: Counter[str] = Counter()
    wordings: set[RequestVariant] = set()
    for group in groups:
        if group.least is not None and (least is None or _is_less(group.least, least, priorities)):
            least = group.least
        sources.update(group.sources)
        wordings.update(group.wordings)
    return DuplicateGroup(least, dict(sources), tuple(sorted(wordings, key=_variant_order)))


def survivor(group: DuplicateGroup) -> Sample:
    """The surviving row, with the wordings of the others that are translations."""
    if group.least is None:
        raise ValueError("a group without rows has no survivor")
    return _with_translations(group.least, group.wordings)


def merge_duplicates(rows: Iterable[Sample], priorities: Mapping[str, int]) -> Sample:
    """The survivor of rows with one key, at least one; the order of `rows` does not matter.

    A wording of another row whose language is known and another than the survivor's, and whose text is another, joins
    the survivor's `request_variants`, which are sorted and distinct.
    """
    return survivor(merge_groups(map(group_of, rows), priorities))


def _is_less(a: Sample, b: Sample, priorities: Mapping[str, int]) -> bool:
    key_a, key_b = survivor_key(a, priorities), survivor_key(b, priorities)
    return key_a < key_b or (key_a == key_b and _content(a) < _content(b))


def _wordings(sample: Sample) -> tuple[RequestVariant, ...]:
    return (RequestVariant(sample.language, sample.request, sample.source.name), *sample.request_variants)


def _variant_order(variant: RequestVariant) -> tuple[str, str, str]:
    return variant.language, variant.request, variant.source


def _with_translations(sample: Sample, wordings: Iterable[RequestVariant]) -> Sample:
    new = {
        wording
        for wording in wordings
        if wording.language not in ("", sample.language) and wording.request not in ("", sample.request)
    }
    if new <= set(sample.request_variants):
        return sample
    variants = tuple(sorted(new.union(sample.request_variants), key=_variant_order))
    return msgspec.structs.replace(sample, request_variants=variants)


def deduplicate(table: pa.Table, key: str, priorities: Mapping[str, int]) -> tuple[pa.Table, Pairs]:
    """The survivors of a table of Samples, and how often (source of the survivor, source of the loser) occurred.

    Equal to `merge_duplicates` of the rows of each value of the column `key`. Rows become Python objects only where a
    translation may be kept. The survivors come in no particular order, without any column that Sample does not have.
    """
    rows = table.select(_SAMPLES.schema.names)
    sources = pc.struct_field(table["source"].combine_chunks(), "name").dictionary_encode()
    order = _survivor_order(table, key, sources, priorities)
    first = ~equals_previous(table[key].combine_chunks().take(pa.array(order)))
    if first.all():
        return rows, Counter()
    leader = order[np.flatnonzero(first)[np.cumsum(first) - 1]]  # the survivor's place, for each row in order
    losers, winners = order[~first], leader[~first]
    merged = _translated(rows, order, leader, losers, winners)
    plain = np.setdiff1d(order[first], list(merged))
    survivors = rows.take(pa.array(plain, pa.int64()))
    if merged:
        survivors = pa.concat_tables([survivors, _SAMPLES.encode([merged[place] for place in sorted(merged)])])
    return survivors, _pairs(sources, winners, losers)


def _survivor_order(table: pa.Table, key: str, sources: pa.Array, priorities: Mapping[str, int]) -> Places:
    """The places of the rows, by key and then as `survivor_key` says."""
    names = sources.dictionary
    ranks = pa.array([priority_of(name, priorities) for name in names.to_pylist()], pa.int64())
    by = {
        "key": table[key],
        "priority": ranks.take(sources.indices),
        "source": names.take(sources.indices),
        "original_id": table["original_id"],
        "sample_id": table["sample_id"],
    }
    return total_order(table, pa.table(by), Sample)


def _translated(rows: pa.Table, order: Places, leader: Places, losers: Places, winners: Places) -> dict[int, Sample]:
    """The survivors of those groups in which a wording may be taken over, by their place."""
    languages = rows["language"].combine_chunks()
    differ = pc.not_equal(languages.take(pa.array(losers)), languages.take(pa.array(winners)))
    has_variants = pc.list_value_length(rows["request_variants"].combine_chunks()).to_numpy()[losers] > 0
    groups = np.unique(winners[differ.to_numpy(zero_copy_only=False) | has_variants])
    wordings: dict[int, list[RequestVariant]] = {place: [] for place in groups.tolist()}
    least: dict[int, Sample] = {}
    chosen = np.isin(leader, groups)
    members, leaders = order[chosen].tolist(), leader[chosen].tolist()
    samples = _SAMPLES.decode(rows.take(pa.array(members, pa.int64())))
    for place, of, sample in zip(members, leaders, samples, strict=True):
        wordings[of] += _wordings(sample)
        if place == of:
            least[of] = sample
    return {place: _with_translations(sample, wordings[place]) for place, sample in least.items()}


def _pairs(sources: pa.Array, winners: Places, losers: Places) -> Pairs:
    names, codes = sources.dictionary.to_pylist(), sources.indices.to_numpy().astype(np.int64)
    found, counts = np.unique(codes[winners] * len(names) + codes[losers], return_counts=True)
    return Counter(
        {
            (names[pair // len(names)], names[pair % len(names)]): n
            for pair, n in zip(found.tolist(), counts.tolist(), strict=True)
        }
    )


def source_counts(table: pa.Table) -> Counter[str]:
    """The number of rows of each source in a table of Samples."""
    counts = pc.value_counts(pc.struct_field(table["source"], "name"))
    return Counter({cast(str, c["values"]): cast(int, c["counts"]) for c in counts.to_pylist()})


def tallies(
    came: Mapping[str, int], pairs: Mapping[tuple[str, str], int], left: Mapping[str, int], stage: str = STAGE
) -> list[Tally]:
    """The counts of a dedup by source: what came in, what went out, and whose duplicate the others were."""
    return [
        *(Tally(stage, source, "in", n) for source, n in sorted(came.items())),
        *(Tally(stage, source, "out", n) for source, n in sorted(left.items()) if n),
        *(Tally(stage, loser, "duplicate", n, winner) for (winner, loser), n in sorted(pairs.items())),
    ]
