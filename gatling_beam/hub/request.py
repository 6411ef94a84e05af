"""What a user asks to read, checked when it is asked for, before anything is read."""

import msgspec

from gatling_beam.hub.errors import SourceUnavailable
from gatling_beam.hub.listing import list_files, select_files
from gatling_beam.hub.model import Listing
from gatling_beam.sources.catalogue import source
from gatling_beam.sources.spec import SourceSpec


class ReadRequest(msgspec.Struct, frozen=True, gc=False):
    """The wish to read (a part of) a data set. `spec` is a `SourceSpec` as JSON; `limit` a number of rows >= 1.

    `without` names what may be missing (`Missing.name`).
    """

    spec: str
    config: str | None = None
    split: str | None = None
    revision: str | None = None
    limit: int | None = None
    root: str | None = None
    without: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        name_or_spec: str | SourceSpec,
        *,
        config: str | None = None,
        split: str | None = None,
        revision: str | None = None,
        limit: int | None = None,
        root: str | None = None,
        without: tuple[str, ...] = (),
    ) -> "ReadRequest":
        """The request for these values.

        Raises:
          TypeError: for a value of another type.
          ValueError: for an unknown name, config or split, an empty text, or a limit below 1.
        """
        if isinstance(name_or_spec, str):
            spec = source(name_or_spec)
        elif isinstance(name_or_spec, SourceSpec):
            spec = name_or_spec
        else:
            raise TypeError(
                f"name_or_spec is a {type(name_or_spec).__name__}: pass a name of the catalogue or a SourceSpec"
            )
        for name, value in {"config": config, "split": split, "revision": revision, "root": root}.items():
            if value is not None and not isinstance(value, str):
                raise TypeError(f"{name}={value!r} is a {type(value).__name__}: pass a string, or None for the default")
            if value == "":
                raise ValueError(f"{name} is empty: pass a text, or None for the default")
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int)):
            raise TypeError(f"limit={limit!r} is a {type(limit).__name__}: pass a number of rows >= 1, or None for all")
        if limit is not None and limit < 1:
            raise ValueError(f"limit={limit}: pass a number of rows >= 1, or None for all")
        select_files(spec, config, split)
        return cls(spec.model_dump_json(), config, split, revision, limit, root, without)


def list_request(request: ReadRequest) -> Listing:
    """The files that `request` is about.

    Raises:
      SourceUnavailable: as `list_files`, or if more is missing than `request.without` says.
    """
    spec = SourceSpec.model_validate_json(request.spec)
    listing = list_files(
        spec,
        root=request.root,
        revision=request.revision,
        config=request.config,
        split=request.split,
    )
    missing = [one for one in listing.missing if one.name not in request.without]
    if missing:
        there = ", ".join(dict.fromkeys(f"{file.config}/{file.split}" for file in listing.files))
        raise SourceUnavailable(
            f"source {spec.name} ({spec.hub_id}) is there in part only: "
            + "; ".join(f"{one.config}/{one.split}: {one.reason}" for one in missing)
            + f". Fetch what is missing, or read what is there by config= and split= (config/split): {there}"
        )
    return listing
