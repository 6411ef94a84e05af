"""The groups of a run of batches: what they wait for, shard by shard."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from gatling_beam.claude.calls import Answer, Call
from gatling_beam.claude.store import AnswerStore

Result = TypeVar("Result")

MakeGroup = Callable[[], Generator[list[Call], list[Answer], Result]]


class Known:
    """The answers that a shard has: those in its store, and refusals, which no store keeps."""

    def __init__(self, store: AnswerStore, refused: Mapping[str, Answer]) -> None:
        self._store, self._refused = store, refused

    def __contains__(self, custom_id: str) -> bool:
        return custom_id in self._store or custom_id in self._refused

    def __getitem__(self, custom_id: str) -> Answer:
        return self._store.get(custom_id) or self._refused[custom_id]


def replay(steps: Generator[list[Call], list[Answer], Result], known: Known) -> tuple[list[Call], list[Result]]:
    """A group run from its start as far as its answers are known: the calls that it waits for, and its result if it is
    done."""
    try:
        calls = next(steps)
        while all(call.custom_id in known for call in calls):
            calls = steps.send([known[call.custom_id] for call in calls])
    except StopIteration as e:
        return [], [e.value]
    steps.close()
    return calls, []


class _Group(Generic[Result]):
    """A group of which its calls are kept, and not its generator, so that many fit into memory.

    Attributes:
      waits_for: the calls of its present step; empty when it is done.
      results: its result, when it is done.
    """

    def __init__(self, make: MakeGroup[Result]) -> None:
        self._make = make
        self.waits_for: list[Call] = []
        self.results: list[Result] = []

    def advance(self, known: Known) -> None:
        """Goes on until an answer is missing, or to the end."""
        if not self.waits_for or all(call.custom_id in known for call in self.waits_for):
            self.waits_for, self.results = replay(self._make(), known)


class Groups(Generic[Result]):
    """All groups, by shard; the stores of shards that are at work are kept open.

    `refused` holds the answers that no store keeps, and grows.
    """

    def __init__(
        self, directory: str, by_shard: Mapping[str, Sequence[MakeGroup[Result]]], refused: Mapping[str, Answer]
    ) -> None:
        self._directory, self._refused = directory, refused
        self._stores: dict[str, AnswerStore] = {}
        self._groups = {shard: [_Group(make) for make in makes] for shard, makes in by_shard.items()}

    def store(self, shard: str) -> AnswerStore:
        """The store of a shard, loaded."""
        if shard not in self._stores:
            self._stores[shard] = AnswerStore(self._directory, shard).load()
        return self._stores[shard]

    def known(self, shard: str) -> Known:
        """The answers that a shard has."""
        return Known(self.store(shard), self._refused)

    def waiting(self) -> Iterator[tuple[str, Call]]:
        """Runs each group as far as it comes: the calls, with their shards, that have no answer then."""
        for shard, groups in self._groups.items():
            at_work = [group for group in groups if not group.results]
            if not at_work:
                continue
            known = self.known(shard)
            for group in at_work:
                group.advance(known)
                yield from ((shard, call) for call in group.waits_for if call.custom_id not in known)
            if all(group.results for group in at_work):
                del self._stores[shard]

    def counts(self) -> tuple[int, int]:
        """How many groups there are, and how many are done."""
        groups = [group for groups in self._groups.values() for group in groups]
        return len(groups), sum(bool(group.results) for group in groups)

    def results(self) -> dict[str, list[Result]]:
        """The results by shard, when all groups are done."""
        return {shard: [group.results[0] for group in groups] for shard, groups in self._groups.items()}
