"""What names mean: the verb class, privilege, control flow and destination risk of a tool; the sensitivity of names.

Names are read by whole words (`words`), never by substrings: `account_id` holds no `count`, `laptop` no `top`. The
scales are those of the energy terms: privilege 0 (read) .. 10 (administration), control flow and destination risk 0..1,
sensitivity 1 (public) .. 5 (critical). Everything is cached by name, since names are few and rows are many.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import yaml

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")


@lru_cache(maxsize=1 << 16)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of a name in snake_case, camelCase, dotted, spaced or kebab-case form."""
    return tuple(word.lower() for word in _WORD.findall(name))


def word_set(text: str) -> frozenset[str]:
    """The blank-separated words of `text`."""
    return frozenset(text.split())


with Path(__file__).with_name("lexicon.yaml").open(encoding="utf-8") as _file:
    _WORDS: dict[str, Any] = yaml.load(_file, Loader=yaml.CSafeLoader)

_VERB_CLASSES = {
    word: cls
    for cls in ("read", "destroy", "write", "egress", "control")  # a word of several classes has the gravest
    for word in _WORDS["verbs"][cls].split()
}
_ADMIN, _MONEY, _STORES, _LOGS, _EVERYBODY, _OBFUSCATION, _THINGS = (
    word_set(_WORDS[key]) for key in ("administration", "money", "stores", "logs", "everybody", "obfuscation", "things")
)
_SENSITIVITY = {level: word_set(text) for level, text in sorted(_WORDS["sensitivity"].items(), reverse=True)}
_ROLES = {role: word_set(text) for role, text in _WORDS["roles"].items()}
_QUANTITIES = {kind: word_set(text) for kind, text in _WORDS["quantities"].items()}
_SIZE_PAIRS = {("page", "size"), ("per", "page"), ("batch", "size"), ("top", "k"), ("top", "n"), ("max", "size")}
#: Words for spans of time, in days.
DAY_FACTORS = {"day": 1, "days": 1, "week": 7, "weeks": 7, "month": 30, "months": 30, "year": 365, "years": 365}
#: The sensitivity of a call whose names say nothing.
DEFAULT_SENSITIVITY = 2


class ToolMeaning(msgspec.Struct, frozen=True, gc=False):
    """What a tool's name says: `verb_class` is read, write, egress or control."""

    verb_class: str
    privilege: int
    control_flow: float
    destination_risk: float
    sensitivity: int


@lru_cache(maxsize=1 << 16)
def tool_meaning(tool_name: str) -> ToolMeaning:
    """The meaning of a tool by the words of its name; the first verb decides its class."""
    name = words(tool_name)
    known = frozenset(name)
    verb = next((_VERB_CLASSES[word] for word in name if word in _VERB_CLASSES), "read")
    verb_class = "write" if verb == "destroy" else verb
    if verb_class == "read":
        privilege = 2 if known & _ADMIN else 1
    elif known & _ADMIN:
        privilege = 9
    elif any(_VERB_CLASSES.get(word) == "destroy" for word in known):
        privilege = 8 if known & _EVERYBODY else 6
    elif known & _MONEY:
        privilege = 7
    else:
        privilege = {"write": 4, "egress": 5, "control": 6}[verb_class]
    if verb_class == "egress":
        risk = 1.0
    elif known & _LOGS:
        risk = 0.7
    elif verb_class != "read" and known & _STORES:
        risk = 0.3
    else:
        risk = 0.0
    return ToolMeaning(verb_class, privilege, float(verb_class == "control"), risk, _sensitivity_of(known))


def _sensitivity_of(known: frozenset[str]) -> int:
    singular = known | {word[:-1] for word in known if word.endswith("s")}
    return next((level for level, vocabulary in _SENSITIVITY.items() if singular & vocabulary), DEFAULT_SENSITIVITY)


@lru_cache(maxsize=1 << 16)
def argument_sensitivity(key: str) -> int:
    """The sensitivity of an argument by the words of its name, 1..5; `DEFAULT_SENSITIVITY` where they say nothing."""
    return _sensitivity_of(frozenset(words(key)))


def is_obfuscating(tool_name: str) -> bool:
    """Whether the tool hides what it passes on, by the words of its name."""
    return not _OBFUSCATION.isdisjoint(words(tool_name))


@lru_cache(maxsize=1 << 16)
def is_known(tool_name: str) -> bool:
    """Whether any word of the name says what the tool does or what it is about."""
    name = frozenset(words(tool_name))
    vocabularies = (_ADMIN, _MONEY, _LOGS, _OBFUSCATION, _THINGS)
    return (
        any(word in _VERB_CLASSES for word in name)
        or not all(map(name.isdisjoint, vocabularies))
        or _sensitivity_of(name) != DEFAULT_SENSITIVITY
    )


def unknown_share(tool_names: Iterable[str]) -> float:
    """The share 0..1 of distinct names of which no word is known: they get the meaning of a plain read."""
    distinct = set(tool_names)
    return sum(not is_known(name) for name in distinct) / len(distinct) if distinct else 0.0


@lru_cache(maxsize=1 << 16)
def quantity_of(key: str) -> str:
    """The quantity an argument of this name states: volume, days, weeks, months, years, depth, or "" for none."""
    name = words(key)
    known = set(name)
    if known & _QUANTITIES["depth"] or name == ("max", "level") or name == ("max", "levels"):
        return "depth"
    for word in name:
        if word in DAY_FACTORS and ((len(name) == 1 and word.endswith("s")) or known & _QUANTITIES["spans"]):
            return word.rstrip("s") + "s"
    if name == ("top",) or (known & _QUANTITIES["limits"] and not known & _QUANTITIES["other_limits"]):
        return "volume"
    if known & _QUANTITIES["numbers"] and known & _QUANTITIES["counted"]:
        return "volume"
    if _SIZE_PAIRS.intersection(pairwise(name)):
        return "volume"
    return ""


@lru_cache(maxsize=1 << 16)
def argument_role(key: str) -> str:
    """What an argument is for: quantity, authority (who, where, which, how much money), payload, format or filter."""
    known = frozenset(words(key))
    if quantity_of(key):
        return "quantity"
    return next((role for role, vocabulary in _ROLES.items() if known & vocabulary), "filter")
