"""A group of traces in the making, as a generator: it yields the calls it needs and is sent their answers.

A group knows no clock, no file and no network, so it can be run again from its start with the answers that are there
already; that is how a run goes on after it was stopped.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Sequence

import msgspec

from gatling_beam.claude.calls import Answer, Call, Phase, Unusable, read_answer
from gatling_beam.claude.cells import PER_CALL, Cell, cell_of, draw_cell, numbers_of, numbers_said
from gatling_beam.claude.graphs import with_graph
from gatling_beam.claude.prompts import ask_compliance, ask_graphs, ask_requests
from gatling_beam.claude.schemas import ComplianceAnswer, GraphsAnswer, RequestsAnswer
from gatling_beam.claude.settings import ModelSettings
from gatling_beam.errors import BadRow, dead_letter
from gatling_beam.hashing import digest
from gatling_beam.json_value import json_value
from gatling_beam.oracle.convert import SOURCE
from gatling_beam.oracle.trace import GoldTrace
from gatling_beam.sample import DeadLetter, SourceRow
from gatling_beam.validate.check import check_trace

MAX_TEXT = 2_000
_JUDGED_OUT_OF = 1 << 32


class GroupResult(msgspec.Struct, frozen=True):
    """What a group made: valid traces, the dead letters of what was refused, and the traces that are still missing.

    `tried` counts the cells that were drawn: each becomes a trace or a dead letter. `asked` holds phase and custom_id
    of every call that it needed; `notes` counts refusals by category, unusable answers by reason, and verdicts.
    """

    traces: tuple[GoldTrace, ...] = ()
    dead: tuple[DeadLetter, ...] = ()
    tried: int = 0
    missing: int = 0
    asked: tuple[tuple[Phase, str], ...] = ()
    notes: dict[str, int] = {}


Steps = Generator[list[Call], list[Answer], GroupResult]


class GroupJob(msgspec.Struct, frozen=True):
    """What a run asks Claude for.

    Attributes:
      seed, domains: of the cells.
      settings: the model, and how it is asked.
      plans: whether Claude makes the plans too; else they are the templates', and the text alone is Claude's.
      tries: how often a cell is drawn until its trace is valid, 1 or more.
      judged: the share 0..1 of groups that are read a second time.
      stage: of the dead letters.
    """

    seed: int
    domains: tuple[str, ...]
    settings: ModelSettings = ModelSettings()
    plans: bool = True
    tries: int = 10
    judged: float = 0.02
    stage: str = "gold"


def make_group(job: GroupJob, numbers: Sequence[int]) -> Steps:
    """The traces of `numbers`, which are of one domain (`cells.PER_CALL` in turn are): text, plan and proof.

    The text is Claude's; so is the plan, unless `job.plans` is false, and Claude makes it from the text alone. A trace
    is good if its plan is the one that the warrant permits and every validator agrees. What is refused is drawn anew in
    the same cell.
    """
    made: dict[int, GoldTrace] = {}
    record = _Record(job.stage)
    for attempt in range(job.tries):
        author = "claude" if job.plans else "reword"
        open_ = [number for number in numbers if number not in made]
        cells = [draw_cell(job.seed, job.domains, number, attempt, author) for number in open_]
        if not cells:
            break
        planned = yield from _texts(job.settings, "requests" if job.plans else "reword", cells, record)
        if job.plans:
            planned = yield from _plans(job.settings, planned, record)
        if planned and _is_judged(job, numbers):
            planned = yield from _judged(job.settings, planned, record)
        made |= {cell.number: trace for cell, trace in planned}
    missing = len(numbers) - len(made)
    return record.result((made[n] for n in sorted(made)), missing)


def reword_group(settings: ModelSettings, traces: Sequence[GoldTrace], stage: str = "reword") -> Steps:
    """Traces of one domain with their requests in Claude's words and their plans as they are; asked once each."""
    record = _Record(stage)
    cells = [cell_of(trace, k) for k, trace in enumerate(traces)]
    worded = yield from _texts(settings, "reword", cells, record)
    return record.result(trace for _, trace in worded)


class _Record:
    """The dead letters and notes of a group."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.tried = 0
        self.dead: list[DeadLetter] = []
        self.asked: list[tuple[Phase, str]] = []
        self.notes: Counter[str] = Counter()

    def result(self, traces: Iterable[GoldTrace], missing: int = 0) -> GroupResult:
        return GroupResult(tuple(traces), tuple(self.dead), self.tried, missing, tuple(self.asked), dict(self.notes))

    def ask(self, call: Call) -> Generator[list[Call], list[Answer], Answer]:
        self.asked.append((call.phase, call.custom_id))
        [answer] = yield [call]
        return answer

    def drop(self, cell: Cell, error: BadRow, payload: bytes = b"") -> None:
        location = f"{cell.trace.trace_id} attempt {cell.attempt + 1}"
        row = SourceRow(source=SOURCE, data=payload or cell.meaning.encode(), location=location)
        self.dead.append(dead_letter(row, self.stage, error))

    def drop_all(self, cells: Iterable[Cell], phase: str, error: Unusable) -> None:
        """The cells of an answer that holds nothing to use."""
        self.notes[f"{phase} {error.reason}"] += 1
        reason = "model_refusal" if error.reason.startswith("refusal") else "model_answer"
        for cell in cells:
            self.drop(cell, BadRow(reason, f"{phase}: {error.reason} {error.detail}".rstrip()))

    def check(self, cell: Cell, trace: GoldTrace) -> GoldTrace | None:
        """The trace if every validator agrees."""
        checked = check_trace(trace, self.stage)
        if isinstance(checked, GoldTrace):
            return checked
        location = f"{cell.trace.trace_id} attempt {cell.attempt + 1}"
        dead_id = digest("dead", checked.source, location, self.stage, checked.reason)
        self.dead.append(msgspec.structs.replace(checked, location=location, dead_id=dead_id))
        return None


def _texts(
    settings: ModelSettings, phase: Phase, cells: Sequence[Cell], record: _Record
) -> Generator[list[Call], list[Answer], list[tuple[Cell, GoldTrace]]]:
    """The cells whose new text says what the plan needs, and nothing else."""
    record.tried += len(cells)
    answer = yield from record.ask(ask_requests(settings, phase, cells))
    try:
        texts = {one.n: one.text for one in reversed(read_answer(answer, RequestsAnswer).requests)}
    except Unusable as e:
        record.drop_all(cells, phase, e)
        return []
    good = []
    for n, cell in enumerate(cells, 1):
        if n not in texts:
            record.drop(cell, BadRow("model_answer", f"{phase}: no text for case {n}"))
        elif fault := text_fault(cell, texts[n]):
            record.drop(cell, fault, texts[n].encode("utf-8", "backslashreplace"))
        elif trace := record.check(cell, _with_text(cell.trace, texts[n])):
            good.append((cell, trace))
    return good


def text_fault(cell: Cell, text: str) -> BadRow | None:
    """What is wrong with a text by itself: length, characters, a number that the case does not have, a tool's name."""
    try:
        json_value(text)
    except BadRow as e:
        return BadRow("model_answer", f"text: {e}")
    if not text.strip() or len(text) > MAX_TEXT or not text.isprintable():
        return BadRow("model_answer", f"text: {len(text)} characters; 1 to {MAX_TEXT} in one paragraph are wanted")
    allowed = numbers_said(cell)
    if strange := [number for number in numbers_of(text) if number not in allowed]:
        return BadRow("model_answer", f"text: it says {', '.join(strange[:5])}, which the case does not have")
    tools = {call.tool_id.rpartition(".")[2] for call in cell.trace.graph.calls}
    if named := sorted(name for name in tools if "_" in name and name in text):
        return BadRow("model_answer", f"text: it names the tool {named[0]}")
    return None


def _plans(
    settings: ModelSettings, worded: Sequence[tuple[Cell, GoldTrace]], record: _Record
) -> Generator[list[Call], list[Answer], list[tuple[Cell, GoldTrace]]]:
    """The traces with the plans that Claude makes of their texts, those that are valid."""
    if not worded:
        return []
    answer = yield from record.ask(ask_graphs(settings, [trace for _, trace in worded]))
    try:
        plans = {one.n: one.calls for one in reversed(read_answer(answer, GraphsAnswer).graphs)}
    except Unusable as e:
        record.drop_all([cell for cell, _ in worded], "graphs", e)
        return []
    good = []
    for n, (cell, trace) in enumerate(worded, 1):
        if n not in plans:
            record.drop(cell, BadRow("model_answer", f"graphs: no plan for case {n}"), trace.request.text.encode())
        elif checked := record.check(cell, with_graph(trace, plans[n])):
            good.append((cell, checked))
    return good


def _judged(
    settings: ModelSettings, planned: Sequence[tuple[Cell, GoldTrace]], record: _Record
) -> Generator[list[Call], list[Answer], list[tuple[Cell, GoldTrace]]]:
    """The traces that a second reading finds compliant and minimal. An answer without use refuses none."""
    answer = yield from record.ask(ask_compliance(settings, [trace for _, trace in planned]))
    try:
        verdicts = {one.n: one for one in reversed(read_answer(answer, ComplianceAnswer).verdicts)}
    except Unusable as e:
        record.notes[f"compliance {e.reason}"] += 1
        return list(planned)
    good = []
    for n, (cell, trace) in enumerate(planned, 1):
        verdict = verdicts.get(n)
        record.notes["compliance read" if verdict else "compliance unread"] += 1
        if verdict is None or (verdict.compliant and verdict.minimal):
            good.append((cell, trace))
            continue
        fault = "not compliant" if not verdict.compliant else "not minimal"
        record.notes[f"compliance {fault}"] += 1
        record.drop(cell, BadRow("model_verdict", f"{fault}: {verdict.reason}"), trace.request.text.encode())
    return good


def _is_judged(job: GroupJob, numbers: Sequence[int]) -> bool:
    """Whether the group is one of those that are read a second time."""
    return int(digest("judged", str(job.seed), str(numbers[0]))[:8], 16) < job.judged * _JUDGED_OUT_OF


def _with_text(trace: GoldTrace, text: str) -> GoldTrace:
    return msgspec.structs.replace(trace, request=msgspec.structs.replace(trace.request, text=text))


def groups_of(numbers: range) -> list[range]:
    """The numbers in groups of `PER_CALL`, each of one domain."""
    first = numbers.start // PER_CALL * PER_CALL
    parts = [range(max(start, numbers.start), min(start + PER_CALL, numbers.stop))
             for start in range(first, numbers.stop, PER_CALL)]  # fmt: skip
    return [part for part in parts if part]
