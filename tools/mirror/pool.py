"""The scenarios of the embedded sample, read from scenarios.yaml, and what a plan of theirs is."""

import json
import re
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import yaml

_REFERENCE = re.compile(r"\{(\d+)\.([\w.]+)\}")


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    #: name -> (type, what it is, whether it must be given)
    parameters: dict[str, tuple[str, str, bool]]


@dataclass(frozen=True)
class Call:
    """A call: `arguments` with the values that were passed, `written` with references as scenarios.yaml writes them."""

    name: str
    arguments: dict[str, Any]
    written: dict[str, Any]
    result: Any
    origins: tuple[int, ...]


@dataclass(frozen=True)
class Turn:
    ask: str
    steps: list[list[Call]]
    answer: str


@dataclass(frozen=True)
class Scenario:
    key: str
    turns: list[Turn]
    tools: list[Tool]
    translations: dict[str, str] = field(default_factory=dict)
    #: The same scenario with other names and numbers; translations are of the first form alone.
    others: tuple["Scenario", ...] = ()

    @property
    def ask(self) -> str:
        return self.turns[0].ask

    @property
    def steps(self) -> list[list[Call]]:
        return [step for turn in self.turns for step in turn.steps]

    @property
    def calls(self) -> list[Call]:
        return [call for step in self.steps for call in step]


def pick(seed: str, scenarios: list[Scenario], n: int) -> list[Scenario]:
    """`n` of the scenarios (all, if there are fewer), order and forms as only `seed` decides.

    The last form is kept for benchmarks, so that they share few plans with the rest.
    """
    chosen = sorted(scenarios, key=lambda scenario: rank(seed, scenario.key))[:n]
    forms = [(scenario, *scenario.others[:-1]) for scenario in chosen]
    return [among[int(rank(seed, "form", among[0].key), 16) % len(among)] for among in forms]


def hold_out(seed: str, scenarios: list[Scenario], n: int) -> list[Scenario]:
    """As `pick`, but of each scenario the last form."""
    chosen = sorted(scenarios, key=lambda scenario: rank(seed, scenario.key))[:n]
    return [(scenario, *scenario.others)[-1] for scenario in chosen]


def rank(*parts: str) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def load() -> list[Scenario]:
    """All scenarios, with the tools that they call and one that they do not need."""
    document = yaml.safe_load((Path(__file__).parent / "scenarios.yaml").read_text("utf-8"))
    domains = {
        domain: {name: _tool(name, *described) for name, described in tools.items()}
        for domain, tools in document["tools"].items()
    }
    return [
        _with_others(described, domains[described["domain"]], document["forms"]) for described in document["scenarios"]
    ]


def _tool(name: str, description: str, parameters: dict[str, str]) -> Tool:
    read = {}
    for parameter, text in parameters.items():
        required = not text.startswith("maybe ")
        type_, _, what = text.removeprefix("maybe ").partition(" ")
        read[parameter] = (type_, what, required)
    return Tool(name, description, read)


def _with_others(described: dict[str, Any], domain: dict[str, Tool], forms: dict[str, list[str]]) -> Scenario:
    """A scenario with its other forms, where a word of it has any."""
    words = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in sorted(forms, key=len, reverse=True)))
    written = json.dumps(described, ensure_ascii=False)
    texts = [words.sub(lambda match, k=k: forms[match[0]][k], written) for k in range(3)]
    others = [_scenario(json.loads(text), domain) for text in texts if text != written]
    return replace(_scenario(described, domain), others=tuple(replace(other, translations={}) for other in others))


def _scenario(described: dict[str, Any], domain: dict[str, Tool]) -> Scenario:
    results: list[Any] = []
    turns = []
    for turn in [described, *described.get("then", [])]:
        steps = []
        for step in turn["steps"]:
            steps.append([_call(*call, results) for call in step])
            results += [call.result for call in steps[-1]]
        turns.append(Turn(turn["ask"], steps, turn["answer"]))
    called = dict.fromkeys(call.name for turn in turns for step in turn.steps for call in step)
    others = sorted((name for name in domain if name not in called), key=lambda name: rank(described["key"], name))
    offered = sorted([*called, *others[:1]], key=lambda name: rank("offer", described["key"], name))
    translations = {language: described[language] for language in ("zh", "tr") if language in described}
    return Scenario(described["key"], turns, [domain[name] for name in offered], translations)


def _call(name: str, written: dict[str, Any], result: Any, results: list[Any]) -> Call:
    origins = []
    arguments = {}
    for key, value in written.items():
        match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if match:
            origins.append(int(match[1]) - 1)
            value = _member(results[origins[-1]], match[2])
        arguments[key] = value
    return Call(name, arguments, written, result, tuple(dict.fromkeys(origins)))


def _member(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def rewritten(call: Call, write: Any) -> dict[str, Any]:
    """The arguments of a call with every reference as `write(number of the call from 1, path)` gives it."""
    return {
        key: _REFERENCE.sub(lambda m: write(int(m[1]), m[2]), value) if isinstance(value, str) else value
        for key, value in call.written.items()
    }


def plan_key(calls: list[tuple[str, dict[str, Any]]], edges: set[tuple[int, int]]) -> str:
    """A text that two plans share exactly if they make the same calls with the same dependencies."""
    texts = [json.dumps(call, sort_keys=True) for call in calls]
    order = sorted(range(len(texts)), key=lambda k: texts[k])
    place = {k: position for position, k in enumerate(order)}
    return json.dumps([[texts[k] for k in order], sorted((place[a], place[b]) for a, b in edges)])


def flat_key(scenario: Scenario) -> str:
    """The plan where all calls stand in one message, without results."""
    return plan_key([(call.name, call.arguments) for call in scenario.calls], set())


def session_key(steps: list[list[Call]], name: Any = lambda name: name, seen_results: bool = True) -> str:
    """The plan of a session: a call depends on those whose results it uses, else on the step before."""
    calls: list[tuple[str, dict[str, Any]]] = []
    edges: set[tuple[int, int]] = set()
    for step in steps:
        last = len(calls) - 1
        for call in step:
            here = len(calls)
            used = {(origin, here) for origin in call.origins} if seen_results else set()
            if not used and last >= 0:
                used = {(last, here)}
            edges |= used
            calls.append((name(call.name), call.arguments))
    return plan_key(calls, edges)
