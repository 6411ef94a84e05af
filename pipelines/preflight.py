"""Before a run: which data sets are asked for, are they there, and how many rows may they have."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Annotated

import msgspec
from fsspec.core import url_to_fs
from pydantic import AfterValidator, Field

from gatling_beam.files import join
from gatling_beam.hub import Listing, SourceUnavailable, list_files
from gatling_beam.mirror import mirror_path
from gatling_beam.pipelines.options import Options, UsageError, UserError
from gatling_beam.pipelines.place import check_place
from gatling_beam.sources import SourceSpec
from gatling_beam.sources.catalogue import load_catalogue, names, source

#: Roles whose rows can become plans.
_ROLES = ("plans", "conversations", "reasoning")
_ROWS_PER_SHARD = 50_000
#: No data set of the catalogue has rows that take less.
_LEAST_BYTES_PER_ROW = 100
_USUAL_BYTES_PER_ROW = 1_400
_LISTERS = 8


def _mirror(root: str | None) -> str | None:
    return mirror_path() if root == "embedded" else root and check_place(root)


#: The folder or URL of a mirror.
Root = Annotated[str | None, AfterValidator(_mirror)]


class ReadOptions(Options):
    """Input."""

    sources: str = Field(
        "all",
        min_length=1,
        description="names of the catalogue, separated by commas (`gatling-beam sources` lists them), or all: every "
        "source of role plans",
        json_schema_extra={"metavar": "NAMES"},
    )
    root: Root = Field(
        None,
        min_length=1,
        description="folder or URL of a mirror, <root>/<owner>/<name>/..., or embedded for the few rows that come with "
        "this package; default: the Hugging Face Hub",
        json_schema_extra={"metavar": "DIR"},
    )
    revision: str | None = Field(
        None,
        min_length=1,
        description="branch, tag or commit of all sources; default: the catalogue's; a mirror has one revision",
        json_schema_extra={"metavar": "NAME"},
    )
    limit: int | None = Field(
        None, ge=1, description="first rows read of each source; default: all", json_schema_extra={"metavar": "N"}
    )
    skip_unavailable: bool = Field(
        False,
        description="go on without sources, or parts of them, that are gated, missing or out of reach, and record them",
    )


class Available(msgspec.Struct, frozen=True):
    """The sources of a run: those that are read, by name, and why the others are not.

    `unavailable` has the name of a source, or `<source>/<config>/<split>` where a part of it is missing.
    """

    specs: dict[str, SourceSpec]
    listings: dict[str, Listing]
    unavailable: dict[str, str]

    def revisions(self) -> dict[str, str]:
        """The commit of each source that is read."""
        return {name: listing.repository.revision for name, listing in self.listings.items()}

    def without(self, name: str) -> tuple[str, ...]:
        """What is missing of a source that is read nevertheless."""
        return tuple(one.name for one in self.listings[name].missing)

    def amount(self) -> str:
        """How much there is to read, in words."""
        size = sum(file.size for listing in self.listings.values() for file in listing.files)
        return f"{len(self.listings):,} sources ({size / 1e6:,.1f} MB)"


def chosen_sources(text: str) -> dict[str, SourceSpec]:
    """The catalogue entries that --sources names, in the order of the catalogue.

    Raises:
      UsageError: for a name that is not in the catalogue, or a source whose rows are no plans.
    """
    if text == "all":
        return {name: source(name) for name in names("plans")}
    asked = {name.strip() for name in text.split(",") if name.strip()}
    chosen = {}
    for name in sorted(asked):
        try:
            spec = source(name)
        except ValueError as e:
            raise UsageError(f"--sources={text}: {e}") from None
        if spec.role not in _ROLES:
            raise UsageError(
                f"--sources={text}: {name} has the role {spec.role}, whose rows never become plans; "
                f"take sources of the roles {', '.join(_ROLES)}"
            )
        chosen[name] = spec
    if not chosen:
        raise UsageError(f"--sources={text} names no source; `gatling-beam sources` lists them")
    return {name: chosen[name] for name in load_catalogue() if name in chosen}


def look_up(options: ReadOptions) -> Available:
    """Asks for the files of every chosen source, at one commit each.

    Raises:
      UsageError: as `chosen_sources`.
      UserError: naming all sources that are unavailable, unless --skip_unavailable; or if none is left.
    """
    chosen = chosen_sources(options.sources)
    found = list_all(chosen.values(), options.root, options.revision)
    listings = {name: listing for name, listing in found.items() if isinstance(listing, Listing)}
    gone = {name: str(error) for name, error in found.items() if isinstance(error, SourceUnavailable)}
    partly = {f"{name}/{one.name}": one.reason for name, listing in listings.items() for one in listing.missing}
    unavailable = gone | partly
    if unavailable and not options.skip_unavailable:
        counts = []
        if gone:
            counts.append(f"{len(gone)} of {len(chosen)} sources are unavailable")
        if partly:
            many = len(partly) > 1
            counts.append(
                f"{len(partly)} parts of sources are unavailable" if many else "1 part of a source is unavailable"
            )
        raise UserError(
            f"{', '.join(counts)}:\n{_lines(unavailable, options.root)}\n"
            "Mend that, name other --sources, or go on without them: --skip_unavailable"
        )
    if not listings:
        raise UserError(f"no source is left to read:\n{_lines(unavailable, options.root)}")
    return Available({name: chosen[name] for name in listings}, listings, unavailable)


def list_all(
    specs: Iterable[SourceSpec], root: str | None, revision: str | None = None
) -> dict[str, Listing | SourceUnavailable]:
    """The files of each source by its name, or why they cannot be had."""

    def one(spec: SourceSpec) -> Listing | SourceUnavailable:
        if root is not None and not _is_folder(join(root, spec.hub_id)):
            return SourceUnavailable(f"there is no folder {join(root, spec.hub_id)}")
        try:
            return list_files(spec, root=root, revision=revision)
        except SourceUnavailable as e:
            return e

    specs = list(specs)
    with ThreadPoolExecutor(_LISTERS) as pool:
        return dict(zip([spec.name for spec in specs], pool.map(one, specs), strict=True))


def _lines(unavailable: Mapping[str, str], root: str | None) -> str:
    lines = [f"  {name}: {reason}" for name, reason in unavailable.items()]
    if root is not None:
        lines.append(
            "A mirror holds <root>/<owner>/<name>/, as `hf download <owner>/<name> --repo-type dataset --local-dir "
            f"{join(root, '<owner>/<name>')}` makes it"
        )
    return "\n".join(lines)


def _is_folder(path: str) -> bool:
    fs, target = url_to_fs(path)
    return bool(fs.isdir(target))


def most_rows(available: Available, limit: int | None) -> int:
    """About as many rows as the sources hold, by catalogue, size and limit; more often too many than too few."""
    total = 0
    for name, listing in available.listings.items():
        size = sum(file.size for file in listing.files)
        # A mirror may hold more than the catalogue knows of.
        expected = max(available.specs[name].expected_rows or 0, size // _USUAL_BYTES_PER_ROW)
        total += min(bound for bound in (size // _LEAST_BYTES_PER_ROW + 1, expected, limit) if bound)
    return total


def default_shards(rows: int) -> int:
    """One shard for each 50,000 rows."""
    return max(1, ceil(rows / _ROWS_PER_SHARD))
