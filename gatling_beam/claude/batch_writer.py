"""Stores what the results of a batch hold, for all who asked for it."""

from collections import defaultdict
from typing import Any

from gatling_beam.claude.batch_files import Intent
from gatling_beam.claude.batch_groups import Groups
from gatling_beam.claude.calls import Answer, Phase
from gatling_beam.claude.prices import Price
from gatling_beam.claude.usage import Usage, total, usage_of

# Answers that are kept in memory until they are written.
_WRITE_AT = 10_000


class BatchWriter:
    """Puts the answers of a batch into the stores of those who asked. `usage` is of the answers that were not there."""

    def __init__(self, intent: Intent, groups: Groups[Any], of: Price) -> None:
        self._groups, self._of = groups, of
        self._askers: dict[str, list[tuple[str, Phase]]] = defaultdict(list)
        for part in intent.parts:
            for custom_id in part.custom_ids:
                self._askers[custom_id].append((part.shard, part.phase))
        self._coming: dict[tuple[str, Phase], list[Answer]] = defaultdict(list)
        self._usages: list[Usage] = []
        self._unwritten = 0

    @property
    def usage(self) -> Usage:
        return total(self._usages)

    def keep(self, answer: Answer) -> None:
        """An answer with a message."""
        askers = self._askers[answer.custom_id]
        shard, phase = askers[0]
        if answer.custom_id not in self._groups.store(shard):
            self._usages.append(usage_of(phase, answer, self._of))
        for asker in askers:
            self._coming[asker].append(answer)
        self._unwritten += 1
        if self._unwritten >= _WRITE_AT:
            self.flush()

    def flush(self) -> None:
        """Writes what is kept."""
        for (shard, phase), answers in self._coming.items():
            self._groups.store(shard).add_responses(phase, answers)
        self._coming.clear()
        self._unwritten = 0
        self._usages = [self.usage]
