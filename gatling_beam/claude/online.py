"""Drives groups through the Messages API, and stores each answer before its group sees it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import wait
from typing import Generic, TypeVar

from gatling_beam.claude.calls import Answer, Call, Phase
from gatling_beam.claude.counts import Counts
from gatling_beam.claude.engine import Engine
from gatling_beam.claude.errors import MOST_REFUSED, Stopped, all_refused
from gatling_beam.claude.store import AnswerStore

# Answers that arrive within so many seconds are stored in one part.
_GATHER_S = 0.2

Result = TypeVar("Result")


def run_online(
    groups: Sequence[Callable[[], Generator[list[Call], list[Answer], Result]]],
    store: AnswerStore,
    engine: Engine,
    counts: Counts | None = None,
) -> list[Result]:
    """The results of all groups, in their order. The groups run at once; those calls that are stored are not made.

    An answer is on disk before its group sees it. On an exception no new call is made, the answers in flight are waited
    for and stored, and it is raised; so it is on KeyboardInterrupt.

    Args:
      groups: each makes a generator anew, which yields the calls it needs and is sent their answers in that order; it
        is pure and deterministic, since it runs again from its start in the next run.
      store: of one shard, loaded. No other run writes to it meanwhile.
      engine: what makes the calls.
      counts: what is counted of this run is added to it, also where the run stops.

    Raises:
      Stopped: no further call can be made; what was paid is stored.
    """
    run: _Run[Result] = _Run(store, engine, counts if counts is not None else Counts())
    done = asyncio.run_coroutine_threadsafe(run.results(groups), engine.loop)
    try:
        return done.result()
    except KeyboardInterrupt:
        engine.loop.call_soon_threadsafe(run.halt)
        wait([done])
        raise


def ask_all(
    calls: Sequence[Call], store: AnswerStore | None, engine: Engine, counts: Counts | None = None
) -> list[Answer | Stopped]:
    """The answer to each call, or what keeps it from being answered, in their order.

    The calls that are stored are not made; the others are made at once, and all answers are on disk when this returns.
    Without a store, equal calls are made once within `calls` only.
    """
    run: _Run[None] = _Run(store, engine, counts if counts is not None else Counts())
    return engine.run(run.answers(calls))


class _Run(Generic[Result]):
    """One run, on the engine's loop."""

    def __init__(self, store: AnswerStore | None, engine: Engine, counts: Counts) -> None:
        self._store, self._engine, self._counts = store, engine, counts
        self._writer = _Writer(store) if store is not None else None
        self._halted = False
        self._answered: set[Phase] = set()
        self._refused: Counter[Phase] = Counter()
        self._groups: list[asyncio.Task[Result]] = []
        self._asked: dict[str, asyncio.Task[Answer]] = {}

    async def results(
        self, groups: Sequence[Callable[[], Generator[list[Call], list[Answer], Result]]]
    ) -> list[Result]:
        self._groups = [asyncio.ensure_future(self._drive(make)) for make in groups]
        if self._groups:
            await asyncio.wait(self._groups, return_when=asyncio.FIRST_EXCEPTION)
        failed = [g.exception() for g in self._groups if g.done() and not g.cancelled() and g.exception()]
        self.halt()
        # Cancelled, a call in flight still brings its answer, and its task ends when that is stored.
        await asyncio.gather(*self._groups, *self._asked.values(), return_exceptions=True)
        if self._writer is not None:
            await self._writer.close()
        if failed:
            raise failed[0]  # type: ignore[misc]
        return [group.result() for group in self._groups]

    def halt(self) -> None:
        """No new call is made."""
        # Cancelled twice, a call would not wait for its answer.
        if self._halted:
            return
        self._halted = True
        for task in (*self._groups, *self._asked.values()):
            task.cancel()

    async def answers(self, calls: Sequence[Call]) -> list[Answer | Stopped]:
        found = await asyncio.gather(*map(self._answer, calls), return_exceptions=True)
        answers: list[Answer | Stopped] = []
        for one in found:
            if isinstance(one, BaseException) and not isinstance(one, Stopped):
                raise one
            answers.append(one)
        return answers

    async def _drive(self, make: Callable[[], Generator[list[Call], list[Answer], Result]]) -> Result:
        steps = make()
        try:
            calls = next(steps)
            while True:
                answers = await asyncio.gather(*map(self._answer, calls))
                for call, answer in zip(calls, answers, strict=True):
                    self._look_at(call.phase, answer)
                calls = steps.send(list(answers))
        except StopIteration as e:
            return e.value  # type: ignore[no-any-return]
        finally:
            steps.close()

    def _look_at(self, phase: Phase, answer: Answer) -> None:
        """Raises Stopped when the API has refused several calls of a phase, and answered none: it will refuse all."""
        if answer.message is not None:
            self._answered.add(phase)
        elif phase not in self._answered:
            self._refused[phase] += 1
            if self._refused[phase] >= MOST_REFUSED:
                raise all_refused(f"calls of the phase {phase}", f"{answer.error}: {answer.detail}")

    async def _answer(self, call: Call) -> Answer:
        stored = self._store.get(call.custom_id) if self._store is not None else None
        if stored is not None:
            self._counts.add(call.phase, "replayed")
            return stored
        asked = self._asked.get(call.custom_id)
        if asked is None:
            asked = self._asked[call.custom_id] = asyncio.ensure_future(self._ask(call))
        # Another group may wait for the same answer.
        return await asyncio.shield(asked)

    async def _ask(self, call: Call) -> Answer:
        keep = self._writer.write if self._writer is not None else None
        answer = await self._engine.ask(call, self._counts, keep)
        self._asked.pop(call.custom_id)
        return answer


class _Writer:
    """Writes answers to the store off the loop, those that come within a short time together."""

    def __init__(self, store: AnswerStore) -> None:
        self._store = store
        self._coming: list[tuple[Call, Answer]] = []
        self._next: asyncio.Future[None] | None = None
        self._writing: asyncio.Task[None] | None = None

    async def write(self, call: Call, answer: Answer) -> None:
        """Returns when the answer is on disk; it comes there also if the caller is cancelled."""
        self._coming.append((call, answer))
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write_parts())
        await asyncio.shield(self._next)

    async def close(self) -> None:
        """Returns when all answers are on disk."""
        if self._writing is not None:
            await self._writing

    async def _write_parts(self) -> None:
        while self._next is not None:
            await asyncio.sleep(_GATHER_S)
            part, written = self._coming, self._next
            self._coming, self._next = [], None
            try:
                await asyncio.to_thread(self._store.add, part)
            except Exception as e:
                written.set_exception(e)
            else:
                written.set_result(None)
        self._writing = None
