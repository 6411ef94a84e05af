"""What a domain file must have beyond its form: sentences that say every slot, no unreached tool or rule."""

import re
from collections.abc import Iterable, Iterator

from gatling_beam.domains.plans import Result, Slot, Step, parse_plan, pattern_of, slots_of
from gatling_beam.domains.spec import INTENTS, DomainSpec, RuleSpec, TaskSpec
from gatling_beam.domains.tools import Tool, expand_tools
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


def lint(spec: DomainSpec, text: str = "") -> list[str]:
    """The problems of a domain, as sentences; [] if there are none. `text` is the file, for its length."""
    problems = []
    if text.count("\n") >= MAX_LINES:
        problems.append(f"the file has {text.count(chr(10))} lines; at most {MAX_LINES - 1}")
    try:
        tools = expand_tools(spec)
        plans = {name: parse_plan(task.plan, tools) for name, task in spec.tasks.items()}
    except ValueError as e:
        return [*problems, str(e)]
    problems += _fields(spec)
    problems += _reached(spec, tools, plans)
    problems += _rules(spec, tools)
    for name, task in spec.tasks.items():
        problems += [f"tasks.{name}: {problem}" for problem in _task(spec, task, plans[name])]
    return problems


def _fields(spec: DomainSpec) -> Iterator[str]:
    for kind, record in spec.records.items():
        for name, field in record.fields.items():
            known = set(words(name))
            least = max([level for level, vocabulary in _LEAST_CLASS.items() if known & vocabulary], default=1)
            if field.sensitivity < least:
                yield f"records.{kind}.{name}: class {field.sensitivity}; by its name it is at least {least}"
            if field.draw.startswith("list ") and field.draw[5:] not in spec.lists:
                yield f"records.{kind}.{name}: there is no list {field.draw[5:]!r}"
        yield from (f"records.{kind}: {problem}" for problem in _texts(spec, record.texts))
    if not any(record.texts for record in spec.records.values()):
        yield "no record of texts: there is nothing to retrieve"
    if not any(record.owner and record.date for record in spec.records.values()):
        yield "no record has both an owner and a date"


def _reached(spec: DomainSpec, tools: dict[str, Tool], plans: dict[str, tuple[Step, ...]]) -> Iterator[str]:
    used = {step.tool.name for plan in plans.values() for step in plan}
    for name in tools.keys() - used:
        yield f"tools.{name}: no task calls it"
    intents = {task.intent for task in spec.tasks.values()}
    if missing := [intent for intent in INTENTS if intent not in intents]:
        yield f"no task has the intent {', '.join(missing)}"
    patterns = {pattern_of(plan) for plan in plans.values()}
    if len(patterns) < 4:
        yield f"the plans have the patterns {sorted(patterns)}; at least 4 different ones are wanted"
    calls = sum(map(len, plans.values())) / len(plans)
    if not 1.6 <= calls <= 2.8:
        yield f"plans have {calls:.1f} calls on average; 1.6 to 2.8 are wanted"


def _rules(spec: DomainSpec, tools: dict[str, Tool]) -> Iterator[str]:
    dimensions = {p.dimension for tool in tools.values() for p in tool.parameters.values() if p.dimension}
    kinds = {rule.kind for rule in spec.policy}
    wanted = {"limit", "set", "sensitivity", "privilege", "sources", "clearance", "forbidden"}
    if missing := sorted(wanted - kinds):
        yield f"policy: no rule of the kind {', '.join(missing)}"
    limits = [rule for rule in spec.policy if rule.kind == "limit"]
    if len(limits) < 3:
        yield f"policy: {len(limits)} limits; at least 3 are wanted"
    for rule in spec.policy:
        yield from (f"policy.{rule.kind}: {problem}" for problem in _rule(spec, rule, tools, dimensions))


def _rule(spec: DomainSpec, rule: RuleSpec, tools: dict[str, Tool], dimensions: set[str]) -> Iterator[str]:
    if rule.by_role and set(rule.by_role) != set(spec.roles):
        yield f"by_role names {sorted(rule.by_role)}, the roles are {list(spec.roles)}"
    if rule.kind == "limit":
        if rule.limit not in {"days", *dimensions}:
            yield f"nothing is bounded by {rule.limit!r}: no parameter has that dimension"
        lows = [low for low, _ in rule.by_role.values()]
        if lows != sorted(lows):
            yield "a higher role has a smaller limit"
    if rule.kind == "set" and rule.set not in spec.lists:
        yield f"there is no list {rule.set!r}"
    if rule.kind == "window" and (rule.window not in dimensions or not rule.days):
        yield f"no future parameter is called {rule.window!r}, or `days` is missing"
    if rule.kind == "approval" and (rule.approval not in tools or rule.above not in tools[rule.approval].parameters):
        yield f"approval={rule.approval!r}, above={rule.above!r} is no tool with that parameter"
    if rule.kind == "forbidden":
        named = {tool for choices in rule.by_role.values() for choice in choices for tool in choice}
        if unknown := named - tools.keys():
            yield f"{sorted(unknown)} are no tools"
    if rule.kind in ("sources", "clearance"):
        keys = {1, 2, 3} if rule.kind == "sources" else set(spec.people)
        if set(rule.alone) != keys or set(rule.named) != keys:
            yield f"alone and named must have the keys {sorted(map(str, keys))}"


def _met_by(spec: DomainSpec, task: TaskSpec, steps: tuple[Step, ...]) -> Iterator[str]:
    """A call that hangs on a text needs texts under which it is right."""
    conditions = {name for step in steps for name in step.condition}
    reads = [step for step in steps if step.name in conditions and step.tool.archetype == "read"]
    if not reads and task.met_by:
        yield "met_by: no call hangs on a text that is read"
    if reads and len(task.met_by) < 3:
        yield f"met_by: {len(task.met_by)} texts; a call hangs on what is read, so at least 3 are wanted"
    yield from _texts(spec, task.met_by)


def _texts(spec: DomainSpec, texts: Iterable[str]) -> Iterator[str]:
    allowed = {"about", "code", *spec.lists}
    for text in texts:
        if unknown := set(_PLACEHOLDER.findall(text)) - allowed:
            yield f"a text names {sorted(unknown)}; it may name about, code and lists"
        if "{about}" not in text:
            yield f"a text does not say what it is about: {text!r}"


def _task(spec: DomainSpec, task: TaskSpec, steps: tuple[Step, ...]) -> Iterator[str]:
    yield from _met_by(spec, task, steps)
    slots = slots_of(steps)
    said = {"when" if name in ("since", "until") else name for name in slots}
    for name, parameter in slots.items():
        if parameter.type in ("text", "rows") and name not in spec.lists and parameter.name not in spec.lists:
            yield f"the slot {name} is a text: give it a list of that name to be drawn from"
    for step in steps:
        for key, value in step.arguments.items():
            for item in value if isinstance(value, list) else [value]:
                parameter = step.tool.parameters[key]
                if not isinstance(item, Slot | Result) and parameter.options and item not in parameter.options:
                    yield f"{step.name}: {key}={item!r} is not one of {parameter.options}"
    seen = set()
    for register, sentences in task.ask.items():
        for sentence in sentences:
            names = set(_PLACEHOLDER.findall(sentence))
            if names != said:
                lost, odd = sorted(said - names), sorted(names - said)
                yield f"{register}: {sentence!r} does not say {lost}" if lost else f"{sentence!r} names {odd}"
            if sentence in seen:
                yield f"{register}: the sentence stands twice: {sentence!r}"
            seen.add(sentence)
            if re.search(r"\s{2}|\s[,.;:?!]|\.\.", sentence):
                yield f"{register}: odd blanks or stops in {sentence!r}"


def main() -> int:
    """`python -m gatling_beam.domains.lint FILE...`: prints the problems of domain files."""
    import sys
    from pathlib import Path

    from gatling_beam.domains.loader import DomainError, parse_domain

    bad = 0
    for path in sys.argv[1:]:
        text = Path(path).read_text("utf-8")
        try:
            problems = lint(parse_domain(text, path), text)
        except DomainError as e:
            problems = str(e).splitlines()
        bad += bool(problems)
        print(path, "ok" if not problems else "")
        for problem in problems:
            print("  ", problem)
    return min(bad, 1)


if __name__ == "__main__":
    raise SystemExit(main())
