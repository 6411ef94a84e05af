"""The catalogue of data sets: `catalogue.yaml`, read once and checked."""

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import get_args

import yaml
from pydantic import TypeAdapter

from gatling_beam.sources.spec import Role, SourceSpec

_specs = TypeAdapter(tuple[SourceSpec, ...])


@cache
def load_catalogue() -> dict[str, SourceSpec]:
    """All sources by name, in the order of the file. One object is shared by all callers.

    Raises:
      ValueError: if the file gives a name twice or an entry does not fit `SourceSpec`.
    """
    return parse_catalogue(files("gatling_beam.sources").joinpath("catalogue.yaml").read_text("utf-8"))


def parse_catalogue(text: str) -> dict[str, SourceSpec]:
    """The sources of a catalogue file's text. Raises ValueError as `load_catalogue` does."""
    catalogue: dict[str, SourceSpec] = {}
    for spec in _specs.validate_python(yaml.safe_load(text)):
        if spec.name in catalogue:
            raise ValueError(f"the catalogue gives the name {spec.name!r} twice; a name stands for one data set")
        catalogue[spec.name] = spec
    return catalogue


def source(name: str) -> SourceSpec:
    """The source called `name`. Raises ValueError, with the names that look like it, where there is none."""
    catalogue = load_catalogue()
    if name in catalogue:
        return catalogue[name]
    close = get_close_matches(str(name), catalogue, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(close)}?" if close else "."
    raise ValueError(f"source={name!r} is not in the catalogue{hint} `gatling-beam sources` lists all of them.")


def names(role: str | None = None) -> list[str]:
    """The names of all sources, or of those of a role. Raises ValueError for a role that does not exist."""
    if role is not None and role not in get_args(Role):
        raise ValueError(f"role={role!r} is not one of {', '.join(get_args(Role))}")
    return [name for name, spec in load_catalogue().items() if role is None or spec.role == role]
