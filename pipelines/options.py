"""Flags as typed option groups: a pydantic model a command, from which its argparse parser is made."""

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined


class UserError(Exception):
    """What a user can mend; the message says how. The command ends with `exit_code` and no stack trace."""

    exit_code = 1


class UsageError(UserError):
    """A flag that is unknown, misspelt or out of range."""

    exit_code = 2


class Options(BaseModel):
    """Base of the option groups. A field is a flag of the same name, its description the help text.

    A field with `json_schema_extra={"positional": True}` is a positional argument. Texts are converted by pydantic.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


O = TypeVar("O", bound=Options)  # noqa: E741


def parser_of(model: type[Options], prog: str, description: str) -> argparse.ArgumentParser:
    """The parser of a command: an argument group for `model` and one for each of its bases, in order."""
    parser = _Parser(prog=prog, description=description, allow_abbrev=False, argument_default=argparse.SUPPRESS)
    for cls in model.__mro__:
        if not issubclass(cls, Options) or cls is Options:
            continue
        title = (cls.__doc__ or cls.__name__).strip().partition("\n")[0].rstrip(".")
        group = parser.add_argument_group(title)
        for name in cls.__annotations__:
            _add_flag(group, name, model.model_fields[name])
    return parser


def parse(model: type[O], parser: argparse.ArgumentParser, argv: Sequence[str]) -> tuple[O, list[str]]:
    """The options of a command line, and the arguments that are none of ours.

    Raises:
      UsageError: naming flag, value, what is allowed and the cure.
    """
    known, others = parser.parse_known_args(argv)
    try:
        return model.model_validate(vars(known)), others
    except ValidationError as e:
        raise UsageError("\n".join(dict.fromkeys(_sentence(model, error) for error in e.errors()))) from None


def refuse_unknown(model: type[Options], others: Sequence[str], more: Sequence[str] = ()) -> None:
    """Raises UsageError for the first of `others`, with the flags that look like it; `more` are other known flags."""
    if not others:
        return
    flag = others[0].partition("=")[0]
    if not flag.startswith("-"):
        raise UsageError(f"{others[0]!r} belongs to no flag; write values as --flag=value, without spaces")
    known = [*(f"--{name}" for name in model.model_fields), *more]
    close = get_close_matches(flag.replace("-", "_").replace("__", "--", 1), known, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(close)}?" if close else "--help lists the flags."
    raise UsageError(f"{flag} is not a flag of this command{' or of Beam' if more else ''}; {hint}")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; --help lists the flags")


def _add_flag(group: Any, name: str, field: FieldInfo) -> None:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    help_text = (field.description or "").replace("%", "%%")
    if extra.get("positional"):
        group.add_argument(name, metavar=name.upper(), help=help_text)
    elif field.annotation is bool:
        group.add_argument(f"--{name}", action="store_true", help=help_text)
    else:
        if field.default not in (None, PydanticUndefined):
            help_text += f" (default: {field.default})"
        group.add_argument(f"--{name}", metavar=str(extra.get("metavar", "VALUE")), help=help_text)


def _sentence(model: type[Options], error: Any) -> str:
    """One pydantic error as flag, value, what is allowed and what the flag is for."""
    if not error["loc"]:
        return str(error["ctx"]["error"])
    name = str(error["loc"][0])
    field = model.model_fields[name]
    flag = f"--{name}"
    if error["type"] == "missing":
        return f"{flag} is missing: {field.description}"
    if error["type"] == "value_error":
        return f"{flag}={error['input']}: {error['ctx']['error']}"
    return f"{flag}={error['input']} is not {_allowed(error, field)}: {field.description}"


def _allowed(error: Any, field: FieldInfo) -> str:
    if error["type"] == "literal_error":
        return f"one of {error['ctx']['expected']}"
    bounds = [
        f"{sign} {bound}"
        for constraint in field.metadata
        for sign, bound in (
            (">=", getattr(constraint, "ge", None)),
            (">", getattr(constraint, "gt", None)),
            ("<=", getattr(constraint, "le", None)),
            ("<", getattr(constraint, "lt", None)),
        )
        if bound is not None
    ]
    types = {cls for cls in (field.annotation, *get_args(field.annotation)) if isinstance(cls, type)}
    noun = "an integer" if int in types else "a number" if float in types else "a text"
    return f"{noun} {' and '.join(bounds)}".rstrip()
