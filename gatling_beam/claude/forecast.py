"""The calls that a run will make: a sample of its groups, played through with the share of traces that are valid."""

import json
from math import ceil, sqrt
from random import Random

from gatling_beam.claude.calls import Call, Phase
from gatling_beam.claude.cells import PER_CALL, draw_cell
from gatling_beam.claude.estimate import PhasePlan
from gatling_beam.claude.group import GroupJob, groups_of
from gatling_beam.claude.prompts import ask_compliance, ask_graphs, ask_requests
from gatling_beam.claude.store import numbered, read_answers
from gatling_beam.files import join, list_files
from gatling_beam.hashing import digest
from gatling_beam.oracle.trace import GoldTrace

#: The share of asked traces that turn out valid, where no pilot has shown it.
VALID_SHARE = 0.85
_SAMPLE = 40


def plan_calls(job: GroupJob, total: int, valid: float = VALID_SHARE) -> list[PhasePlan]:
    """The calls of a run for `total` traces, by phase, with a sample of them.

    A group asks anew for what was not valid; which traces that hits is drawn with the share `valid`, 0..1.
    """
    groups = groups_of(range(total))
    step = max(1, len(groups) // _SAMPLE)
    some = groups[::step][:_SAMPLE]
    found: dict[Phase, list[Call]] = {}
    for numbers in some:
        _play(job, numbers, valid, found)
    times = len(groups) / len(some)
    plans = [PhasePlan(phase, ceil(len(calls) * times), calls) for phase, calls in found.items()]
    if job.judged:
        traces = [_trace(job, number, 0) for number in some[0]]
        call = ask_compliance(job.settings, traces)
        plans.append(PhasePlan("compliance", ceil(job.judged * len(groups) / valid), [call]))
    return plans


def cache_hits_of(
    assumed: float, job: GroupJob, calls: int, measured: float | None = None, measured_calls: int = 0
) -> float:
    """The share 0..1 of cacheable tokens that `calls` read from the cache.

    Every phase and domain writes its prefix at least once, so that few calls read little; what is reached of the rest
    is `measured` in a pilot of `measured_calls`, or `assumed`.
    """
    prefixes = len(job.domains) * (2 if job.plans else 1)

    def possible(n: int) -> float:
        return max(0.0, 1 - prefixes / n) if n else 0.0

    of_pilot = possible(measured_calls)
    reached = min(1.0, measured / of_pilot) if measured is not None and of_pilot > 0 else assumed
    return reached * possible(calls)


def valid_share_of(answers: str) -> float | None:
    """The share of asked traces that were valid in the finished shards of an answers directory; None without any."""
    shards = {name.partition("/")[0] for name in list_files(join(answers, "responses/requests"))}
    asked = traces = 0
    done: dict[str, int] = {}
    for name, start, stop, shard in sorted((*found, shard) for shard in shards if (found := numbered(shard))):
        # Shards of runs of several lengths overlap, and a number is asked for once.
        traces += max(0, stop - max(start, done.get(name, 0)))
        done[name] = max(stop, done.get(name, 0))
        for answer in read_answers(answers, "requests", shard):
            asked += _cases(answer.message or {})
    return min(1.0, traces / asked) if traces and asked >= traces else None


def _play(job: GroupJob, numbers: range, valid: float, found: dict[Phase, list[Call]]) -> None:
    each = sqrt(valid) if job.plans else valid  # as many texts are refused as plans
    open_ = list(numbers)
    for attempt in range(job.tries):
        if not open_:
            return
        cells = [draw_cell(job.seed, job.domains, number, attempt) for number in open_]
        phase: Phase = "requests" if job.plans else "reword"
        found.setdefault(phase, []).append(ask_requests(job.settings, phase, cells))
        rng = Random(digest("valid", str(job.seed), str(numbers[0]), str(attempt)))
        worded = [cell for cell in cells if rng.random() < each]
        planned = worded
        if job.plans and worded:
            found.setdefault("graphs", []).append(ask_graphs(job.settings, [cell.trace for cell in worded]))
            planned = [cell for cell in worded if rng.random() < each]
        made = {cell.number for cell in planned}
        open_ = [number for number in open_ if number not in made]


def _trace(job: GroupJob, number: int, attempt: int) -> GoldTrace:
    return draw_cell(job.seed, job.domains, number, attempt).trace


def _cases(message: dict[str, object]) -> int:
    content = message.get("content")
    for block in content if isinstance(content, list) else []:
        if block.get("type") == "text":
            try:
                return len(json.loads(block["text"])["requests"])
            except (ValueError, KeyError, TypeError):
                return PER_CALL  # of an answer without use nothing is valid
    return PER_CALL
