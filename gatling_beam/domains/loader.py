"""Reads domain files; every error names the file and the line."""

from functools import lru_cache
from importlib.resources import files

from pydantic import ValidationError

from gatling_beam.domains.spec import DomainSpec
from gatling_beam.domains.tree import Problem, Tree, TreeError, read_tree

_FOLDER = files("gatling_beam.domains") / "files"
_SAYS = {"extra_forbidden": "an unknown key", "missing": "the key is missing"}


class DomainError(ValueError):
    """A domain file is wrong; each line of the message begins with `<file>:<line>: <path>:`."""


def parse_domain(text: str, file: str) -> DomainSpec:
    """The domain of a file's text.

    Raises:
      DomainError: for what is no YAML, a key given twice, an unknown or missing key, or a value out of its range.
    """
    return parse_with_lines(text, file)[0]


def parse_with_lines(text: str, file: str) -> tuple[DomainSpec, Tree]:
    """The domain of a file's text, and the tree that knows the line of each part; raises like `parse_domain`."""
    try:
        tree = read_tree(text)
    except TreeError as e:
        raise DomainError(f"{file}:{e.line}: {e.problem}") from None
    try:
        return DomainSpec.model_validate(tree.values), tree
    except ValidationError as e:
        problems = [
            Problem(error["loc"], _SAYS.get(error["type"], error["msg"].removeprefix("Value error, ")))
            for error in e.errors()
        ]
        raise DomainError("\n".join(located(problem, tree, file) for problem in problems)) from None


def decode(data: bytes, file: str) -> str:
    """The text of a file's bytes.

    Raises:
      DomainError: for what is not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as e:
        line = data[: e.start].count(b"\n") + 1
        raise DomainError(f"{file}:{line}: the file: byte {data[e.start]:#04x} is no UTF-8") from None


def located(problem: Problem, tree: Tree, file: str) -> str:
    """`<file>:<line>: <path>: <problem>`."""
    return f"{file}:{tree.line_of(problem.path)}: {problem}"


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
    spec, tree = parse_with_lines(domain_text(name), f"{name}.yaml")
    if spec.domain != name:
        problem = Problem(("domain",), f"it is called {spec.domain!r}; name the file after it")
        raise DomainError(located(problem, tree, f"{name}.yaml"))
    return spec


def domain_text(name: str) -> str:
    """The text of a domain's file."""
    return (_FOLDER / f"{name}.yaml").read_text("utf-8")
