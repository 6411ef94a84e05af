"""Claude as an oracle: behind the interface of the template oracle, with answers that are paid for once."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import msgspec

from gatling_beam.claude.batch_files import BatchFiles
from gatling_beam.claude.batch_groups import Known, replay
from gatling_beam.claude.cells import PER_CALL
from gatling_beam.claude.counts import Counts
from gatling_beam.claude.engine_settings import EngineSettings
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.group import GroupJob, GroupResult, Steps, groups_of, make_group, reword_group
from gatling_beam.claude.prices import Price
from gatling_beam.claude.settings import ModelSettings
from gatling_beam.claude.store import AnswerStore
from gatling_beam.claude.usage import Usage, total, usage_of
from gatling_beam.hashing import digest
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter

_SHARD_ID = 16


class ClaudeOracle:
    """Gold traces by Claude: text and plan are Claude's, what is asked for and permitted is drawn before.

    Args:
      job: what is asked for.
      answers: directory of the answers, a path or an fsspec URL. What is stored there is not asked for again.
      engine: how the API is asked; None to use stored answers alone.
      counts: what is counted is added to it.
    """

    def __init__(
        self, job: GroupJob, answers: str, engine: EngineSettings | None, counts: Counts | None = None
    ) -> None:
        self._job, self._answers, self._engine = job, answers, engine
        self._counts = counts if counts is not None else Counts()

    def results(self, start: int, stop: int, store: AnswerStore) -> list[GroupResult]:
        """The groups of the numbers start..stop-1, with the answers in `store`, to which new ones are added.

        Raises:
          Stopped: if no call can be made any more; what was answered is stored.
        """
        groups = self.groups(start, stop)
        if self._engine is None:
            known = Known(store, BatchFiles(self._answers).refused)
            return [_stored_result(make(), known) for make in groups]
        from gatling_beam.claude.engine import engine_of  # with the client, which takes a second to import
        from gatling_beam.claude.online import run_online

        return run_online(groups, store, engine_of(self._engine), self._counts)

    def traces(self, start: int, stop: int) -> Iterator[GoldTrace | DeadLetter]:
        """The valid traces of the numbers start..stop-1, and a dead letter for each that was refused on the way.

        Raises:
          Stopped: as `results`.
        """
        return in_order(self.results(start, stop, self.store(start, stop)))

    def groups(self, start: int, stop: int) -> list[Callable[[], Steps]]:
        """What makes the groups of the numbers start..stop-1, each from its start."""
        return [partial(make_group, self._job, numbers) for numbers in groups_of(range(start, stop))]

    def store(self, start: int, stop: int) -> AnswerStore:
        """The answers of the shard of the numbers start..stop-1."""
        return AnswerStore(self._answers, shard_name(self._job, start, stop)).load()


def reword_part(
    traces: Iterable[GoldTrace], answers: str, part: str, settings: ModelSettings, engine: EngineSettings, stage: str
) -> list[GroupResult]:
    """The traces of one domain in other words, ten to a call in the order of their ids; answers go to the shard `part`.

    Raises:
      Stopped: if no call can be made any more; what was answered is stored.
    """
    from gatling_beam.claude.engine import engine_of
    from gatling_beam.claude.online import run_online

    ordered = sorted(traces, key=lambda trace: (trace.trace_id, trace.request.text))
    parts = [ordered[k : k + PER_CALL] for k in range(0, len(ordered), PER_CALL)]
    groups = [partial(reword_group, settings, own, stage) for own in parts]
    return run_online(groups, AnswerStore(answers, part).load(), engine_of(engine))


def in_order(results: Iterable[GroupResult]) -> Iterator[GoldTrace | DeadLetter]:
    """The traces and dead letters of groups."""
    for result in results:
        yield from result.traces
        yield from result.dead


def shard_name(job: GroupJob, start: int, stop: int) -> str:
    """The folder of a shard's answers: the same for every run that asks for these numbers of these cells."""
    return f"{digest('shard', str(job.seed), *job.domains)[:_SHARD_ID]}-{start:09d}-{stop:09d}"


def _stored_result(steps: Steps, known: Known) -> GroupResult:
    waiting, results = replay(steps, known)
    if waiting:
        raise Stopped("exhausted", f"the answer to {waiting[0].custom_id} is not there; run again to ask for it")
    return results[0]


class ShardSums(msgspec.Struct, frozen=True):
    """What the answers of a shard cost, the traces that were begun and those that are missing, and what was noted."""

    usage: Usage = Usage()
    tried: int = 0
    missing: int = 0
    notes: dict[str, int] = {}


def sums_of(results: Sequence[GroupResult], store: AnswerStore, price: Price) -> ShardSums:
    """The sums of a finished shard: every answer that its groups needed is booked, whenever it was paid for."""
    asked = {entry for result in results for entry in result.asked}
    answers = ((phase, store.get(custom_id)) for phase, custom_id in sorted(asked))
    usage = total(usage_of(phase, answer, price) for phase, answer in answers if answer)
    tried, missing = (sum(getattr(result, name) for result in results) for name in ("tried", "missing"))
    return ShardSums(usage, tried, missing, _notes(result.notes for result in results))


def add_sums(sums: Sequence[ShardSums]) -> ShardSums:
    """The sums of all."""
    tried, missing = (sum(getattr(one, name) for one in sums) for name in ("tried", "missing"))
    return ShardSums(total(one.usage for one in sums), tried, missing, _notes(one.notes for one in sums))


def _notes(notes: Iterable[dict[str, int]]) -> dict[str, int]:
    summed: Counter[str] = Counter()
    for one in notes:
        summed.update(one)
    return dict(sorted(summed.items()))
