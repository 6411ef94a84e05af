"""Reads domain files; every error names the file and the line."""

from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import ValidationError

from gatling_beam.domains.spec import DomainSpec

_FOLDER = files("gatling_beam.domains") / "files"


class DomainError(ValueError):
    """A domain file is wrong; the message begins with `<file>:<line>:`."""


class _Loader(yaml.CSafeLoader):
    """Refuses a key that stands twice in one mapping; YAML keeps the last one silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[Any, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if seen.setdefault(key.value, line) != line:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} stands twice", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


def parse_domain(text: str, file: str) -> DomainSpec:
    """The domain of a file's text.

    Raises:
      DomainError: for what is no YAML, a key given twice, an unknown or missing key, or a value out of its range.
    """
    try:
        document = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else 1
        raise DomainError(f"{file}:{line}: {e.problem}") from None
    try:
        return DomainSpec.model_validate(document)
    except ValidationError as e:
        root = yaml.compose(text, yaml.CSafeLoader)
        lines = [
            f"{file}:{_line_of(root, error['loc'])}: {_where(error['loc'])}: {error['msg']}" for error in e.errors()
        ]
        raise DomainError("\n".join(lines)) from None


def _where(loc: tuple[Any, ...]) -> str:
    return ".".join(map(str, loc)) or "the file"


def _line_of(node: Any, loc: tuple[Any, ...]) -> int:
    """The line of the innermost part of `loc` that the file has."""
    line = 1 if node is None else node.start_mark.line + 1
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                break
            key, node = found
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return int(line)


@lru_cache(maxsize=1)
def domain_names() -> tuple[str, ...]:
    """The domains that ship, in alphabetical order."""
    return tuple(sorted(path.name[:-5] for path in _FOLDER.iterdir() if path.name.endswith(".yaml")))


@lru_cache(maxsize=256)
def load_spec(name: str) -> DomainSpec:
    """The domain of that name, which ships.

    Raises:
      DomainError: if its file is wrong.
    """
    spec = parse_domain(domain_text(name), f"{name}.yaml")
    if spec.domain != name:
        raise DomainError(f"{name}.yaml:1: the domain is called {spec.domain!r}; name the file after it")
    return spec


def domain_text(name: str) -> str:
    """The text of a domain's file."""
    return (_FOLDER / f"{name}.yaml").read_text("utf-8")
