"""The merges that make shards: rows of one bucket, deduplicated where asked, in one order, in one file."""

from collections.abc import Iterator, Mapping

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from gatling_beam.columns import StructColumns
from gatling_beam.dedup import deduplicate, source_counts, tallies
from gatling_beam.ordering import in_total_order
from gatling_beam.sample import DeadLetter, Sample, Tally
from gatling_beam.shards import Format, ShardFile, shard_name, write_shard

STAGE = "write"

_SAMPLES = StructColumns(Sample)


class SampleShard(msgspec.Struct, frozen=True):
    """Merges a bucket of Samples into `directory/part-<index>-of-<shards>.<format>`, sorted by sample_id.

    `key` is the column that must be unique, or None. `policies` are JSON documents by policy_id.
    """

    directory: str
    format: Format
    shards: int
    key: str | None = None
    priorities: Mapping[str, int] = {}
    policies: Mapping[str, str] | None = None

    def __call__(self, index: int, table: pa.Table) -> Iterator[ShardFile | Tally]:
        came = source_counts(table)
        if self.key is None:
            rows = table.select(_SAMPLES.schema.names)
            yield from tallies(came, {}, came, STAGE)
        else:
            rows, pairs = deduplicate(table, self.key, self.priorities)
            yield from tallies(came, pairs, source_counts(rows))
        del table  # a bucket is large: what was merged must not be held beside what is sorted
        rows = in_total_order(rows, ["sample_id"], Sample)
        if self.policies is not None:
            rows = with_policies(rows, self.policies)
        yield write_shard(self.directory, shard_name(index, self.shards, self.format), rows, self.format, Sample)


class DeadLetterShard(msgspec.Struct, frozen=True):
    """Merges a bucket of DeadLetters into `directory/part-<index>-of-<shards>.<format>`, sorted by dead_id."""

    directory: str
    format: Format
    shards: int

    def __call__(self, index: int, table: pa.Table) -> Iterator[ShardFile]:
        rows = in_total_order(table, ["dead_id"], DeadLetter)
        yield write_shard(self.directory, shard_name(index, self.shards, self.format), rows, self.format, DeadLetter)


def with_policies(table: pa.Table, policies: Mapping[str, str]) -> pa.Table:
    """Samples with the document of their policy_id in `governance_context.policy`; those without an id keep null.

    Raises:
      ValueError: for a policy_id that `policies` does not have.
    """
    context = table["governance_context"].combine_chunks()
    ids = pc.struct_field(context, "policy_id")
    documents = pa.array(policies.values(), pa.string()).take(pc.index_in(ids, pa.array(policies.keys(), pa.string())))
    unknown = pc.unique(ids.filter(pc.and_(ids.is_valid(), documents.is_null()))).to_pylist()
    if unknown:
        raise ValueError(f"policies has no document for policy_id {', '.join(map(repr, sorted(unknown)[:10]))}")
    children = [documents if field.name == "policy" else pc.struct_field(context, field.name) for field in context.type]
    position = table.schema.get_field_index("governance_context")
    field = table.schema.field(position)
    return table.set_column(position, field, pa.StructArray.from_arrays(children, fields=list(context.type)))
