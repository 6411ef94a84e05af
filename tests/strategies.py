"""Values for tests, reached through the fixture `strategies`: any value of a Struct, and rows of the stored form."""

import types
from enum import IntEnum
from typing import Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from gatling_beam.hashing import content_hash, digest
from gatling_beam.plan import ExecutionPlan, ToolCallNode, TrustTier
from gatling_beam.sample import RequestVariant, Sample, SourceRef

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
finite = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | finite | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(text, json_values, max_size=3)


def structs(cls: type) -> st.SearchStrategy:
    """Any value of a Struct, built from its annotations, with free-form objects of JSON values."""
    hints = get_type_hints(cls)
    return st.builds(cls, **{name: _of(hints[name]) for name in cls.__struct_fields__})


def _of(hint):
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.none() | _of(next(a for a in args if a is not type(None)))
    if origin is tuple:
        if args[1] is Ellipsis:
            return st.lists(_of(args[0]), max_size=3).map(tuple)
        return st.tuples(*map(_of, args))
    if origin is dict:
        return objects
    if hint is float:
        return finite
    if hint is int:
        return st.integers(-(2**63), 2**63 - 1)
    if hint is bool:
        return st.booleans()
    if hint is str:
        return text
    if issubclass(hint, IntEnum):
        return st.sampled_from(list(hint))
    return structs(hint)


def plain_samples(n: int, source: str = "xlam") -> list[Sample]:
    """`n` rows of two calls each, all different."""
    return [_plain_sample(i, source) for i in range(n)]


def _plain_sample(i: int, source: str) -> Sample:
    request = f"Where can I find {i} live giveaways?"
    ids = f"{i}_tool_0", f"{i}_tool_1"
    nodes = (
        ToolCallNode(
            "live_giveaways_by_type", {"type": "beta", "limit": i}, TrustTier.USER, content_hash(request), 1, 2, ids[0]
        ),
        ToolCallNode(
            "notify", {"to": ["a", "b"], "nested": {"x": 1.5}}, TrustTier.PARTNER, content_hash("c"), 1, 2, ids[1]
        ),
    )
    return Sample(
        execution_plan=ExecutionPlan(nodes, (ids,)),
        label="benign",
        original_id=str(i),
        category="function_calling",
        metadata={"source": "Salesforce/xlam-function-calling-60k", "query": request, "num_tools": 2},
        sample_id=digest("sample", source, str(i)),
        group_id=digest("group", source, str(i)),
        row_hash=digest("row", source, str(i)),
        intent_hash=digest("intent", source, str(i)),
        source=SourceRef(source, "Salesforce/xlam-function-calling-60k", row_id=str(i), licence="cc-by-4.0"),
        request=request,
        language="en",
        edge_evidence=("order",),
    )


def overlapping_samples(max_size: int = 12) -> st.SearchStrategy[list[Sample]]:
    """Rows that share intents, sources, original ids, languages and requests with one another."""
    plain = plain_samples(3)
    variants = st.builds(RequestVariant, st.sampled_from(["tr", "zh"]), st.sampled_from(["bir", "iki"]), st.just("b"))
    row = st.builds(
        msgspec.structs.replace,
        st.sampled_from(plain),
        intent_hash=st.sampled_from([digest("intent", str(k)) for k in range(3)]),
        source=st.sampled_from([SourceRef(name, f"owner/{name}") for name in ("a", "b", "c")]),
        original_id=st.sampled_from(["1", "10", "9"]),
        sample_id=st.sampled_from([digest("sample", str(k)) for k in range(8)]),
        group_id=st.sampled_from([digest("group", str(k)) for k in range(8)]),
        language=st.sampled_from(["en", "tr", ""]),
        request=st.sampled_from(["one", "bir", ""]),
        request_variants=st.lists(variants, max_size=2).map(tuple),
    )
    return st.lists(row, max_size=max_size)
