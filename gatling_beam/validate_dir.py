"""Whether an output directory is what its manifest and ledger say, and every row of it is sound."""

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec
import numpy as np

from gatling_beam.card import CARD_NAME
from gatling_beam.commit import count_problems
from gatling_beam.contrast import ContrastSet
from gatling_beam.files import join, list_files, sha256_of
from gatling_beam.graph import plan_problem
from gatling_beam.ledger import LEDGER_NAME, Ledger, read_ledger
from gatling_beam.manifest import MANIFEST_NAME, Manifest, read_manifest
from gatling_beam.oracle.convert import SOURCE as GOLD
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter, Sample
from gatling_beam.shards import UNREADABLE, Format, ShardFile, count_rows, read_shard
from gatling_beam.validate import trace_problems

_MAX_OF_A_KIND = 20
#: What an audit adds to a finished directory: reports on the rows, which no manifest lists.
AUDIT_JSON, AUDIT_HTML = "audit.json", "audit.html"


class Report(msgspec.Struct, frozen=True):
    """The result of `validate_directory`: rows and files looked at, and what is wrong, as sentences."""

    directory: str
    files: int
    rows: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


class _Problems:
    """Sentences, of which the first 20 of a kind are kept and the others counted."""

    def __init__(self) -> None:
        self._kept: dict[str, list[str]] = {}
        self._seen: Counter[str] = Counter()

    def add(self, kind: str, sentence: str) -> None:
        self._seen[kind] += 1
        if self._seen[kind] <= _MAX_OF_A_KIND:
            self._kept.setdefault(kind, []).append(sentence)

    def sentences(self) -> tuple[str, ...]:
        result: list[str] = []
        for kind, kept in self._kept.items():
            result += kept
            if (more := self._seen[kind] - len(kept)) > 0:
                result.append(f"... and {more:,} more of the kind: {kind}")
        return tuple(result)


class _Digests:
    """Which of many keys stand twice, at 16 bytes a key."""

    def __init__(self) -> None:
        self._digests = bytearray()

    def add(self, key: str) -> None:
        self._digests += blake2b(key.encode(), digest_size=16).digest()

    def repeated(self) -> int:
        """The number of keys beyond the first of their kind."""
        words = np.frombuffer(self._digests, dtype="<u8").reshape(-1, 2)
        in_order = words[np.lexsort((words[:, 1], words[:, 0]))]
        return int(np.count_nonzero((in_order[1:] == in_order[:-1]).all(axis=1)))


def validate_directory(directory: str, *, connected: bool = True) -> Report:
    """Checks an output directory from its files alone.

    Manifest there; every listed file there with its SHA-256 and, counted from the file, its rows; no file that nothing
    lists; ledger adds up; rows and dead letters by source are the ledger's; every row decodes and its plan is well
    formed (every gold trace passes the validators; every cell of a contrast set is in it); no `sample_id` twice, and
    no `intent_hash` twice among the rows that belong to no family (a family repeats its plans on purpose).
    Memory: 32 bytes a row and one batch of rows.

    Args:
      directory: path or fsspec URL.
      connected: whether a plan in several parts is a problem.
    """
    try:
        manifest = read_manifest(directory)
    except ValueError as e:
        return Report(directory, files=0, rows=0, problems=(str(e),))
    problems = _Problems()
    for name in sorted({LEDGER_NAME, CARD_NAME} - {file.name for file in manifest.documents}):
        problems.add("manifest", f"the manifest does not list {name}, which every run writes")
    sound = _check_files(directory, manifest, problems)
    ledger = _check_ledger(directory, manifest, problems)
    rows = 0
    files = [file for file in manifest.files if file.name in sound]
    found: Counter[str] | None = None
    if manifest.row_type == Sample.__name__:
        found = _check_rows(directory, files, manifest, connected, problems)
    elif manifest.row_type == GoldTrace.__name__:
        found = _check_traces(directory, files, manifest, problems)
    elif manifest.row_type == ContrastSet.__name__:
        found = _check_sets(directory, files, manifest, problems)
    if found is not None:
        rows = found.total()
        _compare("rows", found, manifest.loader_statistics, "the manifest", problems)
        if ledger is not None:
            _compare("rows", found, ledger.out_by_source(), "the ledger", problems)
    dead = _count_dead(
        directory, [file for file in manifest.dead_letters if file.name in sound], manifest.format, problems
    )
    if ledger is not None:
        _compare("dead letters", dead, ledger.dead_by_source(), "the ledger", problems)
    listed = len(manifest.files) + len(manifest.dead_letters) + len(manifest.documents)
    return Report(directory, files=listed, rows=rows, problems=problems.sentences())


def _check_files(directory: str, manifest: Manifest, problems: _Problems) -> set[str]:
    """The names of the files that are there and as listed."""
    present = set(list_files(directory))
    data = [*manifest.files, *manifest.dead_letters]
    sound = set()
    for file in [*data, *manifest.documents]:
        if file.name not in present:
            problems.add("missing file", f"{file.name} is listed in the manifest but is not there")
        elif sha256_of(join(directory, file.name)) != file.sha256:
            problems.add("changed file", f"{file.name} is not the file that was written: its SHA-256 is another")
        else:
            sound.add(file.name)
    for file in data:
        if file.name in sound:
            try:
                rows = count_rows(join(directory, file.name), manifest.format)
            except UNREADABLE as e:
                problems.add("unreadable file", f"{file.name} cannot be read as {manifest.format}: {e}")
                sound.discard(file.name)
                continue
            if rows != file.rows:
                problems.add("row count", f"{file.name} holds {rows:,} rows, the manifest says {file.rows:,}")
    known = {file.name for file in [*data, *manifest.documents]} | {MANIFEST_NAME, AUDIT_JSON, AUDIT_HTML}
    for name in sorted(present - known):
        problems.add("unknown file", f"{name} is not listed in the manifest")
    if sum(file.rows for file in manifest.files) != manifest.actual_samples:
        problems.add("manifest", f"the manifest's files do not add up to actual_samples={manifest.actual_samples:,}")
    return sound


def _check_ledger(directory: str, manifest: Manifest, problems: _Problems) -> Ledger | None:
    try:
        ledger = read_ledger(directory)
    except (FileNotFoundError, ValueError) as e:
        problems.add("ledger", f"there is no ledger to check: {e}")
        return None
    for sentence in [*ledger.check(), *count_problems(manifest, ledger)]:
        problems.add("ledger", f"the ledger does not add up: {sentence}")
    return ledger


def _check_rows(
    directory: str, files: Sequence[ShardFile], manifest: Manifest, connected: bool, problems: _Problems
) -> Counter[str]:
    """Rows by source."""
    by_source: Counter[str] = Counter()
    sample_ids, intents = _Digests(), _Digests()
    for file in files:
        row = -1
        try:
            for row, sample in enumerate(read_shard(join(directory, file.name), manifest.format, Sample)):
                by_source[sample.source.name] += 1
                sample_ids.add(sample.sample_id)
                if not sample.in_family:
                    intents.add(sample.intent_hash)
                if problem := plan_problem(sample.execution_plan, connected=connected):
                    reason, detail = problem
                    problems.add("bad plan", f"{file.name}, row {row}: {reason}: {detail}")
        except UNREADABLE as e:
            problems.add("undecodable row", f"{file.name}: row {row + 1} or one after it cannot be decoded: {e}")
    for name, digests in (("sample_id", sample_ids), ("intent_hash", intents)):
        if repeated := digests.repeated():
            problems.add("repeated key", f"{repeated:,} rows repeat the {name} of another row")
    return by_source


def _check_sets(directory: str, files: Sequence[ShardFile], manifest: Manifest, problems: _Problems) -> Counter[str]:
    """Contrast sets by source; every cell and repair is of contexts and plans that the set has."""
    by_source: Counter[str] = Counter()
    group_ids = _Digests()
    for file in files:
        row = -1
        try:
            for row, one in enumerate(read_shard(join(directory, file.name), manifest.format, ContrastSet)):
                by_source[one.source] += 1
                group_ids.add(one.group_id)
                places = [(cell.c, cell.p) for cell in one.relation]
                ends = [(r.c, p) for r in one.repairs for p in (r.from_p, r.to_p)]
                c, p = len(one.contexts_of), len(one.plans)
                if len(set(places)) < len(places) or not all(0 <= a < c and 0 <= b < p for a, b in (*places, *ends)):
                    problems.add("bad set", f"{file.name}, row {row}: a cell stands twice, or is outside of {c} x {p}")
        except UNREADABLE as e:
            problems.add("undecodable row", f"{file.name}: row {row + 1} or one after it cannot be decoded: {e}")
    if repeated := group_ids.repeated():
        problems.add("repeated key", f"{repeated:,} sets repeat the group_id of another one")
    return by_source


def _check_traces(directory: str, files: Sequence[ShardFile], manifest: Manifest, problems: _Problems) -> Counter[str]:
    """Gold traces, all of one source; each must pass the validators of this version."""
    trace_ids = _Digests()
    rows = 0
    for file in files:
        row = -1
        try:
            for row, trace in enumerate(read_shard(join(directory, file.name), manifest.format, GoldTrace)):
                rows += 1
                trace_ids.add(trace.trace_id)
                for found in trace_problems(trace):
                    problems.add(
                        "broken trace", f"{file.name}, row {row}: {found.rule} {found.call_id}: {found.detail}"
                    )
        except UNREADABLE as e:
            problems.add("undecodable row", f"{file.name}: row {row + 1} or one after it cannot be decoded: {e}")
    if repeated := trace_ids.repeated():
        problems.add("repeated key", f"{repeated:,} rows repeat the trace_id of another row")
    return Counter({GOLD: rows}) if rows else Counter()


def _count_dead(directory: str, files: Iterable[ShardFile], format: Format, problems: _Problems) -> Counter[str]:
    """Dead letters by source."""
    by_source: Counter[str] = Counter()
    for file in files:
        try:
            by_source.update(letter.source for letter in read_shard(join(directory, file.name), format, DeadLetter))
        except UNREADABLE as e:
            problems.add("undecodable row", f"{file.name} holds a dead letter that cannot be decoded: {e}")
    return by_source


def _compare(what: str, found: Counter[str], expected: dict[str, int], where: str, problems: _Problems) -> None:
    for source in sorted(found.keys() | expected.keys()):
        if found[source] != expected.get(source, 0):
            problems.add(
                f"{what} by source",
                f"source {source!r}: the files hold {found[source]:,} {what}, {where} says {expected.get(source, 0):,}",
            )
