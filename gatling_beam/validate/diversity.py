"""How varied a set of gold traces is: counts, entropies, distinct requests, near-duplicates and the Vendi score."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec
import numpy as np
import numpy.typing as npt

from gatling_beam.oracle.trace import GoldTrace

_NUMBER = re.compile(r"[0-9][0-9.,:-]*")
_HASH_BYTES = 8
#: Requests with a hash below this share of all hashes make the sample for near-duplicates and the Vendi score.
SAMPLE_SIZE = 2_000


class Diversity(msgspec.Struct, frozen=True):
    """What can be counted of a set of traces, in parts that add up.

    `masked` holds one 8-byte hash a request with its numbers masked, `requests` one of each request as it is; `sizes`
    counts requests by the power of ten of their rows.
    """

    traces: int = 0
    calls: int = 0
    domains: dict[str, int] = {}
    intents: dict[str, int] = {}
    patterns: dict[str, int] = {}
    registers: dict[str, int] = {}
    tools: dict[str, int] = {}
    sizes: dict[str, int] = {}
    requests: bytes = b""
    masked: bytes = b""
    sample: dict[str, str] = {}


def diversity_of(traces: Iterable[GoldTrace]) -> Diversity:
    """The diversity of some traces."""
    counters: dict[str, Counter[str]] = {name: Counter() for name in ("domains", "intents", "patterns", "registers")}
    tools: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    requests, masked = bytearray(), bytearray()
    sample: dict[str, str] = {}
    n = calls = 0
    for trace in traces:
        n += 1
        calls += len(trace.graph.calls)
        request = trace.request
        counters["domains"][request.domain] += 1
        counters["intents"][request.intent_category] += 1
        counters["patterns"][trace.metadata["pattern"]] += 1
        counters["registers"][trace.metadata["register"]] += 1
        tools.update(call.tool_id for call in trace.graph.calls)
        sizes[str(len(str(request.expected_scope.rows_requested or 1)) - 1)] += 1
        own = _hash(request.text)
        requests += own
        masked += _hash(mask(request.text))
        sample[own.hex()] = request.text
        if len(sample) > 2 * SAMPLE_SIZE:
            sample = _least(sample)
    return Diversity(
        traces=n, calls=calls, tools=dict(tools), sizes=dict(sizes), requests=bytes(requests), masked=bytes(masked),
        sample=_least(sample), **{name: dict(counter) for name, counter in counters.items()},
    )  # fmt: skip


def merge_diversity(parts: Iterable[Diversity]) -> Diversity:
    """The diversity of all parts together."""
    fields = ("domains", "intents", "patterns", "registers", "tools", "sizes")
    sums: dict[str, Counter[object]] = {name: Counter() for name in fields}
    traces = calls = 0
    requests, masked = bytearray(), bytearray()
    sample: dict[str, str] = {}
    for part in parts:
        traces, calls = traces + part.traces, calls + part.calls
        for name in fields:
            sums[name].update(getattr(part, name))
        requests += part.requests
        masked += part.masked
        sample = _least({**sample, **part.sample})
    merged = {name: dict(counter) for name, counter in sums.items()}
    return Diversity(traces, calls, requests=bytes(requests), masked=bytes(masked), sample=sample, **merged)  # type: ignore[arg-type]


class DiversityReport(msgspec.Struct, frozen=True):
    """The figures of a set of traces.

    Shares are 0..1; `tool_entropy` and `domain_entropy` are parts of their maximum; `near_duplicates` is the share of
    a sample's requests that have a token Jaccard similarity of 0.7 or more with an earlier one; `vendi` is the Vendi
    score (Friedman and Dieng, 2023) of the sample under the cosine of words, 1 .. the sample's size.
    """

    traces: int
    calls_per_trace: float
    domains: int
    intents: int
    patterns: int
    tools: int
    tool_entropy: float
    domain_entropy: float
    distinct_requests: float
    masked_distinct: float
    decades: int
    sample: int
    near_duplicates: float
    vendi: float

    def problems(self) -> list[str]:
        """The figures that miss their threshold, as sentences."""
        wants = (
            ("intents", self.intents >= 6, "all 6 intents"),
            ("patterns", self.patterns >= 6, "all 6 patterns"),
            ("calls_per_trace", 1.8 <= self.calls_per_trace <= 2.5, "1.8 to 2.5"),
            ("tool_entropy", self.tool_entropy >= 0.9, "at least 0.9 of its maximum"),
            ("masked_distinct", self.masked_distinct >= 0.95, "at least 0.95"),
            ("near_duplicates", self.near_duplicates <= 0.01, "at most 0.01"),
            ("decades", self.decades >= 3, "at least 3 powers of ten"),
        )
        return [f"{name} is {getattr(self, name)}; wanted: {wanted}" for name, good, wanted in wants if not good]


def report(diversity: Diversity) -> DiversityReport:
    """The figures of a set."""
    texts = [text for _, text in sorted(diversity.sample.items())]
    n = max(diversity.traces, 1)
    return DiversityReport(
        traces=diversity.traces,
        calls_per_trace=round(diversity.calls / n, 3),
        domains=len(diversity.domains),
        intents=len(diversity.intents),
        patterns=len(diversity.patterns),
        tools=len(diversity.tools),
        tool_entropy=_entropy(diversity.tools),
        domain_entropy=_entropy(diversity.domains),
        distinct_requests=round(_distinct(diversity.requests) / n, 4),
        masked_distinct=round(_distinct(diversity.masked) / n, 4),
        decades=len(diversity.sizes),
        sample=len(texts),
        near_duplicates=round(near_duplicates(texts), 4),
        vendi=round(vendi_score(texts), 1),
    )


def mask(text: str) -> str:
    """The text with every number masked, so that two requests that differ in numbers alone are the same."""
    return _NUMBER.sub("#", text)


def near_duplicates(texts: Sequence[str], threshold: float = 0.7) -> float:
    """The share of texts with a token Jaccard similarity of `threshold` or more with an earlier one."""
    if not texts:
        return 0.0
    incidence = _incidence(texts)
    common = incidence @ incidence.T
    sizes = np.diag(common)
    similarity = common / np.maximum(sizes[:, None] + sizes[None, :] - common, 1)
    return float((np.tril(similarity, -1) >= threshold).any(axis=1).mean())


def vendi_score(texts: Sequence[str]) -> float:
    """The effective number of different texts: exp of the entropy of the eigenvalues of their similarity matrix."""
    if not texts:
        return 0.0
    incidence = _incidence(texts)
    unit = incidence / np.maximum(np.linalg.norm(incidence, axis=1, keepdims=True), 1e-12)
    values = np.linalg.eigvalsh(unit @ unit.T / len(texts))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def _incidence(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Which text (row) holds which token (column)."""
    tokens = [set(re.findall(r"\w[\w@.:-]*", text.casefold())) for text in texts]
    column = {token: k for k, token in enumerate(sorted(set().union(*tokens)))}
    matrix = np.zeros((len(texts), len(column)), np.float32)
    for row, own in enumerate(tokens):
        matrix[row, [column[token] for token in own]] = 1
    return matrix


def _entropy(counts: dict[str, int]) -> float:
    total = sum(counts.values())
    if len(counts) < 2:
        return 0.0
    bits = -sum(n / total * math.log(n / total) for n in counts.values())
    return round(bits / math.log(len(counts)), 4)


def _distinct(hashes: bytes) -> int:
    return len(np.unique(np.frombuffer(hashes, "<u8")))


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=_HASH_BYTES).digest()


def _least(sample: dict[str, str]) -> dict[str, str]:
    return dict(sorted(sample.items())[:SAMPLE_SIZE])
