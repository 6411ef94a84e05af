"""What a domain file must have beyond its form: sentences that say every slot, no unreached tool or rule."""

import re
from collections.abc import Iterable, Iterator

from gatling_beam.domains.lint_policy import lint_policy
from gatling_beam.domains.loader import DomainError, decode, located, parse_with_lines
from gatling_beam.domains.plans import Result, Slot, Step, parse_plan, pattern_of, slots_of
from gatling_beam.domains.spec import INTENTS, DomainSpec, TaskSpec
from gatling_beam.domains.tools import Tool, expand_tool
from gatling_beam.domains.tree import Path, Problem
from gatling_beam.lexicon import word_set, words

MAX_LINES = 150
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
# The least class of a field by the words of its name, kept apart from the domain files on purpose: a wrong class that
# generator and judge share can be seen by nothing else.
_LEAST_CLASS = {
    5: word_set("password pin secret credential ssn passport bank iban account_number"),
    4: word_set("salary diagnosis medical prescription biometric"),
    3: word_set("tax email phone birth address"),
}


def check(data: bytes, file: str) -> list[str]:
    """All problems of a domain file, each as `<file>:<line>: <path>: <problem>`; [] if there are none."""
    try:
        text = decode(data, file)
        spec, tree = parse_with_lines(text, file)
    except DomainError as e:
        return str(e).split("\n")
    return [located(problem, tree, file) for problem in lint(spec, text)]


def lint(spec: DomainSpec, text: str = "") -> list[Problem]:
    """The problems of a domain; [] if there are none. `text` is the file, for its length."""
    problems = []
    if text.count("\n") >= MAX_LINES:
        problems.append(Problem((), f"the file has {text.count(chr(10))} lines; at most {MAX_LINES - 1}"))
    problems += _fields(spec)
    tools, wrong = _tools(spec)
    if wrong:
        return problems + wrong  # plans and rules are about tools
    problems += lint_policy(spec, tools)
    plans, wrong = _plans(spec, tools)
    for name, plan in plans.items():
        problems += [Problem(("tasks", name, *path), says) for path, says in _task(spec, spec.tasks[name], plan)]
    return problems + (wrong or list(_reached(spec, tools, plans)))


def _tools(spec: DomainSpec) -> tuple[dict[str, Tool], list[Problem]]:
    tools, problems = {}, []
    for name in spec.tools:
        try:
            tools[name] = expand_tool(spec, name)
        except ValueError as e:
            path, _, says = str(e).partition(": ")
            problems.append(Problem(tuple(path.split(".")), says))
    return tools, problems


def _plans(spec: DomainSpec, tools: dict[str, Tool]) -> tuple[dict[str, tuple[Step, ...]], list[Problem]]:
    plans, problems = {}, []
    for name, task in spec.tasks.items():
        try:
            plans[name] = parse_plan(task.plan, tools)
        except ValueError as e:
            step, _, says = str(e).partition(": ")
            problems.append(Problem(("tasks", name, "plan", step), says))
    return plans, problems


def _fields(spec: DomainSpec) -> Iterator[Problem]:
    if len(set(spec.roles)) < len(spec.roles):
        yield Problem(("roles",), "a role stands twice")
    for kind, record in spec.records.items():
        for name, field in record.fields.items():
            path: Path = ("records", kind, "fields", name)
            known = set(words(name))
            least = max([level for level, vocabulary in _LEAST_CLASS.items() if known & vocabulary], default=1)
            if field.sensitivity < least:
                yield Problem(path, f"class {field.sensitivity}; by its name it is at least {least}")
            if field.draw.startswith("list ") and field.draw[5:] not in spec.lists:
                yield Problem(path, f"there is no list {field.draw[5:]!r}; there are {sorted(spec.lists)}")
        data = sorted(other for other, candidate in spec.records.items() if candidate.fields)
        if record.texts and record.about not in data:
            yield Problem(
                ("records", kind, "about"), f"there is no record {record.about!r} with fields; there are {data}"
            )
        for path, says in _texts(spec, record.texts, "texts"):
            yield Problem(("records", kind, *path), says)
    if not any(record.texts for record in spec.records.values()):
        yield Problem(("records",), "no record of texts: there is nothing to retrieve")
    if not any(record.owner and record.date for record in spec.records.values()):
        yield Problem(("records",), "no record has both an owner and a date")


def _reached(spec: DomainSpec, tools: dict[str, Tool], plans: dict[str, tuple[Step, ...]]) -> Iterator[Problem]:
    used = {step.tool.name for plan in plans.values() for step in plan}
    for name in sorted(tools.keys() - used):
        yield Problem(("tools", name), "no task calls it")
    intents = {task.intent for task in spec.tasks.values()}
    if missing := [intent for intent in INTENTS if intent not in intents]:
        yield Problem(("tasks",), f"no task has the intent {', '.join(missing)}")
    patterns = {pattern_of(plan) for plan in plans.values()}
    if len(patterns) < 4:
        yield Problem(
            ("tasks",), f"the plans have the patterns {sorted(patterns)}; at least 4 different ones are wanted"
        )
    calls = sum(map(len, plans.values())) / len(plans)
    if not 1.6 <= calls <= 2.8:
        yield Problem(("tasks",), f"plans have {calls:.1f} calls on average; 1.6 to 2.8 are wanted")


def _met_by(spec: DomainSpec, task: TaskSpec, steps: tuple[Step, ...]) -> Iterator[tuple[Path, str]]:
    """A call that hangs on a text needs texts under which it is right."""
    conditions = {name for step in steps for name in step.condition}
    reads = [step for step in steps if step.name in conditions and step.tool.archetype == "read"]
    if not reads and task.met_by:
        yield ("met_by",), "no call hangs on a text that is read"
    if reads and len(task.met_by) < 3:
        yield ("met_by",), f"{len(task.met_by)} texts; a call hangs on what is read, so at least 3 are wanted"
    yield from _texts(spec, task.met_by, "met_by")


def _texts(spec: DomainSpec, texts: Iterable[str], key: str) -> Iterator[tuple[Path, str]]:
    allowed = {"about", "code", *spec.lists}
    for k, text in enumerate(texts):
        if unknown := set(_PLACEHOLDER.findall(text)) - allowed:
            yield (key, k), f"a text names {sorted(unknown)}; it may name about, code and lists"
        if "{about}" not in text:
            yield (key, k), f"a text does not say what it is about: {text!r}"


def _task(spec: DomainSpec, task: TaskSpec, steps: tuple[Step, ...]) -> Iterator[tuple[Path, str]]:
    yield from _met_by(spec, task, steps)
    slots = slots_of(steps)
    said = {"when" if name in ("since", "until") else name for name in slots}
    for name, parameter in slots.items():
        if parameter.of == "reference":
            continue
        if parameter.type in ("text", "rows") and name not in spec.lists and parameter.name not in spec.lists:
            yield ("plan",), f"the slot {name} is a text: give it a list of that name to be drawn from"
    for step in steps:
        for key, value in step.arguments.items():
            for item in value if isinstance(value, list) else [value]:
                parameter = step.tool.parameters[key]
                if not isinstance(item, Slot | Result) and parameter.options and item not in parameter.options:
                    yield ("plan", step.name), f"{key}={item!r} is not one of {parameter.options}"
    yield from _sentences(task, said)


def _sentences(task: TaskSpec, said: set[str]) -> Iterator[tuple[Path, str]]:
    seen = set()
    for register, sentences in task.ask.items():
        for k, sentence in enumerate(sentences):
            path = ("ask", register, k)
            names = set(_PLACEHOLDER.findall(sentence))
            if lost := sorted(said - names):
                yield path, f"{sentence!r} does not say {lost}"
            if odd := sorted(names - said):
                yield path, f"{sentence!r} names {odd}; the plan has {sorted(said)}"
            if "{reference}" in sentence and not sentence.endswith("{reference}"):
                yield path, f"{{reference}} is a sentence of its own; it does not end {sentence!r}"
            if sentence in seen:
                yield path, f"the sentence stands twice: {sentence!r}"
            seen.add(sentence)
            if re.search(r"\s{2}|\s[,.;:?!]|\.\.", sentence):
                yield path, f"odd blanks or stops in {sentence!r}"


def main() -> int:
    """`python -m gatling_beam.domains.lint FILE...`: prints the problems of domain files."""
    import sys
    from pathlib import Path as File

    bad = 0
    for path in sys.argv[1:]:
        problems = check(File(path).read_bytes(), path)
        bad += bool(problems)
        print("\n".join(problems) or f"{path}: ok")
    return min(bad, 1)


if __name__ == "__main__":
    raise SystemExit(main())
