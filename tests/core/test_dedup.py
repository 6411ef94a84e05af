from collections import Counter, defaultdict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatling_beam.columns import StructColumns
from gatling_beam.dedup import (
    DuplicateGroup,
    dedup_key,
    deduplicate,
    group_of,
    merge_duplicates,
    merge_groups,
    source_counts,
    survivor,
    survivor_key,
    tallies,
)
from gatling_beam.sample import RequestVariant, Sample, SourceRef, Tally

PRIORITIES = {"c": 1, "a": 500}
columns = StructColumns(Sample)
encode = msgspec.msgpack.Encoder(order="deterministic").encode


def row(strategies, **changes):
    plain = strategies.plain_samples(1)[0]
    if "source" in changes:
        changes["source"] = SourceRef(changes["source"], "o/x")
    return msgspec.structs.replace(plain, **changes)


def test_the_least_by_priority_source_original_id_and_sample_id_survives(strategies):
    def make(source, original_id, sample_id):
        return row(strategies, source=source, original_id=original_id, sample_id=sample_id)

    ordered = [make("c", "9", "z"), make("a", "1", "z"), make("a", "10", "a"), make("a", "9", "a"), make("a", "9", "b")]
    ordered.append(make("b", "0", "0"))
    assert sorted(ordered, key=lambda s: survivor_key(s, PRIORITIES)) == ordered
    assert merge_duplicates(ordered[::-1], PRIORITIES) == ordered[0]


def test_translations_are_kept_and_nothing_else(strategies):
    english = row(strategies, source="a", language="en", request="Find giveaways")
    others = [
        row(strategies, source="b", language="tr", request="Cekilis bul"),
        row(strategies, source="b", language="tr", request="Cekilis bul", original_id="77"),
        row(strategies, source="b", language="zh", request="Find giveaways"),
        row(strategies, source="b", language="en", request="Get giveaways"),
        row(strategies, source="b", language="", request="?"),
        row(strategies, source="b", language="de", request=""),
        row(strategies, source="b", request_variants=(RequestVariant("fr", "Trouver", "x"),)),
    ]
    kept = merge_duplicates([*others, english], {})
    assert kept.request_variants == (RequestVariant("fr", "Trouver", "x"), RequestVariant("tr", "Cekilis bul", "b"))
    assert msgspec.structs.replace(kept, request_variants=()) == english


def expected(rows, priorities):
    """Dedup written a second time: dictionaries of lists."""
    groups = defaultdict(list)
    for sample in rows:
        groups[sample.intent_hash].append(sample)
    kept, pairs = [], Counter()
    for group in groups.values():
        group.sort(
            key=lambda s: (priorities.get(s.source.name, 500), s.source.name, s.original_id, s.sample_id, encode(s))
        )
        first, losers = group[0], group[1:]
        variants = {(v.language, v.request, v.source) for v in first.request_variants}
        new = set()
        for loser in losers:
            pairs[first.source.name, loser.source.name] += 1
            new.add((loser.language, loser.request, loser.source.name))
            new |= {(v.language, v.request, v.source) for v in loser.request_variants}
        new = {v for v in new if v[0] and v[1] and v[0] != first.language and v[1] != first.request}
        own = {v for v in variants if v[0] and v[1] and v[0] != first.language and v[1] != first.request}
        if new - own - variants:
            first = msgspec.structs.replace(
                first, request_variants=tuple(RequestVariant(*v) for v in sorted(new | variants))
            )
        kept.append(first)
    return sorted(kept, key=encode), pairs


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_columns_rows_and_a_second_implementation_agree_in_any_order(strategies, data):
    rows = data.draw(strategies.overlapping_samples())
    kept, pairs = expected(rows, PRIORITIES)
    shuffled = data.draw(st.permutations(rows))
    table, found = deduplicate(columns.encode(shuffled), "intent_hash", PRIORITIES)
    assert sorted(columns.decode(table), key=encode) == kept
    assert found == pairs
    by_key = defaultdict(list)
    for sample in shuffled:
        by_key[sample.intent_hash].append(sample)
    merged = [merge_duplicates(group, PRIORITIES) for group in by_key.values()]
    assert sorted(merged, key=encode) == kept


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_groups_merge_in_any_tree(strategies, data):
    rows = data.draw(strategies.overlapping_samples().filter(bool))
    flat = merge_groups(map(group_of, rows), PRIORITIES)
    parts = data.draw(st.permutations(rows))
    middle = data.draw(st.integers(0, len(parts)))
    halves = [merge_groups(map(group_of, half), PRIORITIES) for half in (parts[:middle], parts[middle:])]
    tree = merge_groups([halves[1], DuplicateGroup(), halves[0]], PRIORITIES)
    assert survivor(tree) == survivor(flat)
    assert tree.sources == flat.sources == Counter(s.source.name for s in rows)


def test_a_table_with_a_key_column_of_its_own_loses_it(strategies):
    import pyarrow as pa

    rows = strategies.plain_samples(3)
    table = columns.encode(rows).append_column("exchange_key", pa.array(["k", "k", "l"]))
    kept, pairs = deduplicate(table, "exchange_key", {})
    assert kept.column_names == columns.schema.names
    assert [s.original_id for s in columns.decode(kept)] == ["0", "2"]
    assert pairs == {("xlam", "xlam"): 1}


def test_the_counts_balance(strategies):
    rows = strategies.plain_samples(4, "a") + strategies.plain_samples(4, "b")
    rows = [msgspec.structs.replace(r, intent_hash=r.original_id.zfill(8)) for r in rows]
    table = columns.encode(rows)
    kept, pairs = deduplicate(table, "intent_hash", {"b": 1})
    found = tallies(source_counts(table), pairs, source_counts(kept))
    assert found == [
        Tally("dedup", "a", "in", 4),
        Tally("dedup", "b", "in", 4),
        Tally("dedup", "b", "out", 4),
        Tally("dedup", "a", "duplicate", 4, "b"),
    ]


def test_an_unknown_key_is_refused():
    with pytest.raises(ValueError, match="key='plan' is not one of intent, shape"):
        dedup_key("plan")
    with pytest.raises(ValueError, match="no survivor"):
        survivor(DuplicateGroup())
