"""Which files of a data set are read: commit, sizes and hashes from the Hub, or the folder of a mirror."""

import re
from functools import partial
from urllib.parse import quote

import msgspec
from fsspec.utils import glob_translate
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.errors import HTTPError as TransportOrStatusError
from huggingface_hub.hf_api import RepoFile as HubFile
from huggingface_hub.utils import hf_raise_for_status

from gatling_beam.errors import printable
from gatling_beam.hashing import digest
from gatling_beam.hub.access import endpoint, first_contact, unavailable
from gatling_beam.hub.errors import SourceUnavailable
from gatling_beam.hub.mirror_tree import Tree, mirror_tree, version, with_hash
from gatling_beam.hub.model import FileRef, Listing, Missing, RepoFile, Repository
from gatling_beam.hub.store import open_store
from gatling_beam.mirror import EMBEDDED, mirror_path
from gatling_beam.sources.spec import SourceFiles, SourceSpec

_MAX_NAMES = 1_000


def select_files(spec: SourceSpec, config: str | None = None, split: str | None = None) -> tuple[SourceFiles, ...]:
    """The entries of `spec.files` that are read: those of `config` and `split` (None: any); of them the default ones,
    if there are any.

    Raises:
      ValueError: if no entry has that config or split.
    """
    named = tuple(entry for entry in spec.files if config in (None, entry.config) and split in (None, entry.split))
    if not named:
        known = ", ".join(sorted({f"{entry.config}/{entry.split}" for entry in spec.files}))
        raise ValueError(f"config={config!r}, split={split!r}: {spec.name} has (config/split) {known}")
    return tuple(entry for entry in named if entry.default) or named


def list_files(
    spec: SourceSpec,
    *,
    root: str | None = None,
    revision: str | None = None,
    config: str | None = None,
    split: str | None = None,
) -> Listing:
    """The files of `spec` that are read, at one commit.

    Without `root` the Hub is asked (`HF_ENDPOINT` and `HF_TOKEN` of this process), `revision` (default: the
    catalogue's) is resolved to its commit, and one byte is read, so that a gated data set is refused here. With `root`
    the files are those below `<root>/<hub_id>`; a mirror holds one revision, so `revision` is not looked at. The root
    "embedded" is the sample that ships with the package.
    Of several entries with the same config and split, the first one that matches a file is read: the catalogue lists
    the forms a data set may be stored in. A config and split of which nothing is there, and a file whose companion is
    not, are `missing` of the listing.

    Raises:
      ValueError: if `spec` has no such config or split.
      SourceUnavailable: if the data set, its revision or all its files are missing, gated or cannot be reached, or a
        file of a mirror is a broken link.
    """
    entries = select_files(spec, config, split)
    if root == EMBEDDED:
        root = mirror_path()
    if root is None:
        wanted = revision or spec.revision
        try:
            commit, tree = _hub_tree(spec.hub_id, wanted)
        except (HfHubHTTPError, TransportOrStatusError, ConnectionError) as e:
            raise unavailable(e, spec.hub_id, wanted) from e
    else:
        commit, tree = "", mirror_tree(root, spec.hub_id)
    place = f"{root.rstrip('/')}/{spec.hub_id}" if root else f"{spec.hub_id} at {commit}"
    files, missing = _files(entries, tree, place)
    if not files:
        globs = ", ".join(path for entry in entries for path in entry.paths)
        some = printable(", ".join(sorted(tree.files)[:10]) or "none", _MAX_NAMES)
        companions = "".join(f"; {one.reason}" for one in missing if one.file)
        raise SourceUnavailable(
            f"{place} has no file that matches {globs}; its files are: {some}, ... ({len(tree.files)}){companions}"
        )
    if root is not None:
        files = _with_hashes(files, root, spec.hub_id)
    repository = Repository(
        source=spec.name,
        hub_id=spec.hub_id,
        revision=commit or _content_id(files, root or "", spec.hub_id),
        root=root,
        prefix_rows=spec.prefix_rows,
    )
    if root is None:
        open_store(repository).read_range(files[0], 0, min(1, files[0].size))
    return Listing(repository=repository, files=files, missing=missing)


def _hub_tree(hub_id: str, revision: str) -> tuple[str, Tree]:
    """The commit that `revision` names now, and its files by path."""
    # HfApi.dataset_info asks the same, but does not try again.
    answer = first_contact(f"{endpoint()}/api/datasets/{hub_id}/revision/{quote(revision, safe='')}")
    hf_raise_for_status(answer)
    commit: str = answer.json()["sha"]
    tree = HfApi(endpoint=endpoint()).list_repo_tree(hub_id, recursive=True, revision=commit, repo_type="dataset")
    return commit, Tree(
        {
            entry.path: FileRef(entry.path, entry.size, entry.lfs.sha256 if entry.lfs else None)
            for entry in tree
            if isinstance(entry, HubFile)
        },
        {},
    )


def _files(
    entries: tuple[SourceFiles, ...], tree: Tree, place: str
) -> tuple[tuple[RepoFile, ...], tuple[Missing, ...]]:
    """The files of each config and split: those of its first entry that has any; the others are other forms of it.

    And what is missing: configs and splits without any file, and files without their companion, which are left out.
    """
    parts: dict[tuple[str, str], list[SourceFiles]] = {}
    for entry in entries:
        parts.setdefault((entry.config, entry.split), []).append(entry)
    files: list[RepoFile] = []
    missing: list[Missing] = []
    for (config, split), forms in parts.items():
        entry, paths = next(
            ((form, paths) for form in forms if (paths := _matching(form, tree, place))), (forms[0], [])
        )
        if not paths and not all(form.optional for form in forms):
            globs = ", ".join(path for form in forms for path in form.paths)
            missing.append(Missing(config, split, f"no file matches {globs}"))
        for path in paths:
            companion = entry.join.replace("{file}", path.rpartition("/")[2])
            if companion and companion not in tree.files:
                missing.append(Missing(config, split, f"{path} has no companion {companion}", path))
            else:
                files.append(_repo_file(entry, tree.files[path], tree.files[companion] if companion else None))
    return tuple(files), tuple(missing)


def _matching(entry: SourceFiles, tree: Tree, place: str) -> list[str]:
    """The paths of one catalogue entry, sorted.

    Raises:
      SourceUnavailable: if one of them cannot be read.
    """
    patterns = [re.compile(glob_translate(glob)) for glob in entry.paths]
    for path, reason in sorted(tree.unusable.items()):
        if any(pattern.match(path) for pattern in patterns):
            raise SourceUnavailable(printable(f"{place}/{path} {reason}", _MAX_NAMES))
    return sorted(path for path in tree.files if any(pattern.match(path) for pattern in patterns))


def _repo_file(entry: SourceFiles, file: FileRef, companion: FileRef | None) -> RepoFile:
    return RepoFile(
        path=file.path,
        size=file.size,
        sha256=file.sha256,
        config=entry.config,
        split=entry.split,
        container=entry.container,
        key=entry.key,
        rows_at=entry.rows_at,
        join=companion,
    )


def _with_hashes(files: tuple[RepoFile, ...], root: str, hub_id: str) -> tuple[RepoFile, ...]:
    hashed = partial(with_hash, root, hub_id)
    return tuple(
        msgspec.structs.replace(file, sha256=hashed(file).sha256, join=file.join and hashed(file.join))
        for file in files
    )


def _content_id(files: tuple[RepoFile, ...], root: str, hub_id: str) -> str:
    refs: dict[str, FileRef] = {file.path: file for file in files}
    refs.update({file.join.path: file.join for file in files if file.join})
    texts = [f"{path}\n{ref.size}\n{version(root, hub_id, ref)}" for path, ref in sorted(refs.items())]
    return "local-" + digest(*texts)[:16]
