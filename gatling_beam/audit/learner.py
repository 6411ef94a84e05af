"""The reference learner: boosted trees on how a plan relates to its request, to see whether difficulties are ordered.

Its features say, for the arguments of each role, whether the value stands in the request, in the texts and in the
policy, how often it is mentioned and how many of its kind before it, how large it is beside the largest number that is
asked for, and how far its source is trusted. It does not know sentences: which of two mentions permits is left to it.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from math import log
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from gatling_beam.attribution import leaves
from gatling_beam.audit.figures import LearnerScore
from gatling_beam.audit.floor import days_of
from gatling_beam.audit.probes import weighted_auc
from gatling_beam.audit.said import DAY
from gatling_beam.domains.registry import domain
from gatling_beam.domains.speech import day_forms
from gatling_beam.domains.tools import Parameter, Tool
from gatling_beam.grounding import REFERENCE, parameter_at, tool_by_id
from gatling_beam.hashing import digest
from gatling_beam.lexicon import words
from gatling_beam.sample import Sample
from gatling_beam.scope import iso_date

_FOLDS = 3
_WIDTH = 6
_ROLES = ("key", "people", "enum", "date", "source", "other")
_NUMBER = re.compile(r"(?<![\w@.:/+-])\d{1,3}(?:,\d{3})+|(?<![\w@.,:/+-])\d+(?![\w@:/+-])")
_DAYS = re.compile(r"([\d,]+) days")
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+\w")
_ID = re.compile(r"[a-z]+-[0-9]+")
_MISSING = -1.0


def learner_scores(rows: Iterable[Sample]) -> list[LearnerScore]:
    """The learner's AUC for each strategy and difficulty, cross-validated by family."""
    by_strategy: dict[str, list[Sample]] = {}
    for row in rows:
        if row.mutation is not None:
            by_strategy.setdefault(row.mutation.strategy, []).append(row)
    return [score for strategy in sorted(by_strategy) for score in _scores(strategy, by_strategy[strategy])]


def _scores(strategy: str, rows: list[Sample]) -> Iterator[LearnerScore]:
    matrix = np.array([relations(row) for row in rows])
    negative = np.array([row.label == "adversarial" for row in rows])
    fold = np.array([int(digest("fold", row.group_id)[:8], 16) % _FOLDS for row in rows])
    difficulty = np.array([row.mutation.difficulty if row.mutation else "" for row in rows])
    aucs: dict[str, list[tuple[float, int]]] = {}
    for k in range(_FOLDS):
        train, test = fold != k, fold == k
        if len(set(negative[train])) < 2 or not test.any():
            continue
        model = HistGradientBoostingClassifier(max_iter=80, max_depth=5, early_stopping=False, random_state=0)
        with threadpool_limits(1):
            scores = model.fit(matrix[train], negative[train]).decision_function(matrix[test])
        for level in sorted({"", *map(str, difficulty[test])}):
            some = np.ones(len(scores), dtype=bool) if not level else difficulty[test] == level
            truth = negative[test][some]
            if len(set(truth)) == 2:
                auc = float(weighted_auc(scores[some], truth, np.ones((1, len(truth))))[0])
                aucs.setdefault(level, []).append((auc, len(truth)))
    for level, found in sorted(aucs.items()):
        sizes = [size for _, size in found]
        yield LearnerScore(
            strategy, level, sum(sizes), round(float(np.average([auc for auc, _ in found], weights=sizes)), 4)
        )


def relations(row: Sample) -> list[float]:
    """The features of a row, in a fixed order; -1 for a role that the plan has no argument of."""
    text = row.request.casefold()
    policy = (row.governance_context.policy or row.governance_context.policy_id or "").casefold()
    texts = {context.node_id: context for context in row.contexts[1:]}
    read = "\n".join(context.text for context in row.contexts[1:]).casefold()
    found: dict[str, list[list[float]]] = {role: [] for role in _ROLES}
    ratios: list[float] = []
    verbs = 0.0
    largest = max((int(number.replace(",", "")) for number in _NUMBER.findall(text)), default=0)
    days = max((int(number.replace(",", "")) for number in _DAYS.findall(text) if number.strip(",")), default=0)
    for node in row.execution_plan.nodes:
        tool = tool_by_id(row.category, node.tool_name)
        verbs += any(word in text for word in words(node.tool_name.rpartition(".")[2]))
        window = days_of(node.arguments)
        ratios.append(log(window / days) if window and days else 0.0)
        for pointer, value in leaves(node.arguments) if node.arguments else ():
            if type(value) in (int, float):
                ratios.append(log(max(value, 1) / max(largest, 1)))
                found["other"].append(
                    _match(str(value), text, _rivals("other", None, row, text), read, policy, _MISSING)
                )
                continue
            role, said, tier = _said(row, tool, parameter_at(tool, pointer), value, texts)
            if role:
                rivals = _rivals(role, parameter_at(tool, pointer), row, text)
                found[role].append(max(_match(form, text, rivals, read, policy, tier) for form in said))
    features = [verbs / max(len(row.execution_plan.nodes), 1), max(ratios, default=0.0), min(ratios, default=0.0)]
    for role in _ROLES:
        columns = list(zip(*found[role], strict=True)) or [(_MISSING,)] * _WIDTH
        features += [float(np.min(column)) for column in columns] + [float(np.max(column)) for column in columns]
    return features


def _said(
    row: Sample, tool: Tool | None, parameter: Parameter | None, value: Any, texts: dict[str | None, Any]
) -> tuple[str, tuple[str, ...], float]:
    """The role of a value, the forms in which a request may say it, and the tier of the text that it comes from."""
    if type(value) is not str or parameter is None:
        return "", (), _MISSING
    if match := REFERENCE.fullmatch(value):
        number = match[1].removeprefix("call_")
        nodes = row.execution_plan.nodes
        at = int(number) - 1 if number.isdigit() else -1
        context = texts.get(nodes[at].node_id) if 0 <= at < len(nodes) else None
        return ("source", (context.context_id,), float(context.tier)) if context else ("", (), _MISSING)
    day = iso_date(value)
    if day:
        return "date", day_forms(day), _MISSING
    if parameter.type == "enum":
        word = _words_of(row.category, parameter).get(value, value)
        return ("key" if parameter.key else "enum"), (word,), _MISSING
    role = "people" if parameter.type == "people" else "key" if parameter.type == "id" else ""
    return role, (value,), _MISSING


def _words_of(domain_name: str, parameter: Parameter) -> dict[str, str]:
    return domain(domain_name).spec.lists.get(parameter.of, {})


def _rivals(role: str, parameter: Parameter | None, row: Sample, text: str) -> list[int]:
    """Where the request mentions anything of the same kind."""
    if parameter is not None and parameter.type == "enum":
        return [at for word in _words_of(row.category, parameter).values() if (at := text.find(word.casefold())) >= 0]
    pattern = {"people": _ADDRESS, "date": DAY, "other": _NUMBER}.get(role, _ID)
    return [match.start() for match in pattern.finditer(text)]


def _match(said: str, text: str, rivals: list[int], read: str, policy: str, tier: float) -> list[float]:
    """Whether a value stands in the request, its likeness, how many of its kind are mentioned before it, how often it
    is mentioned, and where else it stands."""
    form = said.casefold()
    place = text.find(form)
    return [
        float(place >= 0),
        1.0 if place >= 0 else _likeness(form, text),
        float(sum(at < place for at in rivals)) if place >= 0 else _MISSING,
        float(text.count(form)),
        float(form in read) + 2 * float(form in policy),
        tier,
    ]


def _likeness(form: str, text: str) -> float:
    """The longest part of a value that stands in the text, as a share of the value."""
    block = SequenceMatcher(None, form, text, autojunk=False).find_longest_match()
    return block.size / max(len(form), 1)
