"""Which files of a data set are read: commit, sizes and hashes from the Hub, or the folder of a mirror."""

import logging
import re
from collections.abc import Iterator
from urllib.parse import quote

from fsspec.utils import glob_translate
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.errors import HTTPError as TransportOrStatusError
from huggingface_hub.hf_api import RepoFile as HubFile
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

from gatling_beam.hashing import digest
from gatling_beam.hub.access import TIMEOUT_S, endpoint, unavailable
from gatling_beam.hub.errors import SourceUnavailable
from gatling_beam.hub.model import FileRef, Listing, RepoFile, Repository
from gatling_beam.hub.store import MirrorStore, open_store
from gatling_beam.mirror import EMBEDDED, mirror_path
from gatling_beam.sources.spec import SourceFiles, SourceSpec

_log = logging.getLogger(__name__)


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
    the forms a data set may be stored in.

    Raises:
      ValueError: if `spec` has no such config or split.
      SourceUnavailable: if the data set, its revision or its files are missing, gated or cannot be reached.
    """
    entries = select_files(spec, config, split)
    if root == EMBEDDED:
        root = mirror_path()
    if root is None:
        wanted = revision or spec.revision
        try:
            commit, there = _hub_tree(spec.hub_id, wanted)
        except (HfHubHTTPError, TransportOrStatusError, ConnectionError) as e:
            raise unavailable(e, spec.hub_id, wanted) from e
    else:
        commit, there = "", _mirror_tree(root, spec.hub_id)
    files = tuple(_files(entries, there, spec.name))
    if not files:
        globs = ", ".join(path for entry in entries for path in entry.paths)
        some = ", ".join(sorted(there)[:10]) or "none"
        place = f"{root.rstrip('/')}/{spec.hub_id}" if root else f"{spec.hub_id} at {commit}"
        raise SourceUnavailable(f"{place} has no file that matches {globs}; its files are: {some}, ... ({len(there)})")
    repository = Repository(
        source=spec.name,
        hub_id=spec.hub_id,
        revision=commit or _content_id(files),
        root=root,
        prefix_rows=spec.prefix_rows,
    )
    if root is None:
        open_store(repository).read_range(files[0], 0, min(1, files[0].size))
    return Listing(repository=repository, files=files)


def _hub_tree(hub_id: str, revision: str) -> tuple[str, dict[str, FileRef]]:
    """The commit that `revision` names now, and its files by path."""
    # HfApi.dataset_info asks the same, but does not try again.
    answer = http_backoff(
        "GET",
        f"{endpoint()}/api/datasets/{hub_id}/revision/{quote(revision, safe='')}",
        headers=build_hf_headers(),
        timeout=TIMEOUT_S,
    )
    hf_raise_for_status(answer)
    commit: str = answer.json()["sha"]
    tree = HfApi(endpoint=endpoint()).list_repo_tree(hub_id, recursive=True, revision=commit, repo_type="dataset")
    return commit, {
        entry.path: FileRef(entry.path, entry.size, entry.lfs.sha256 if entry.lfs else None)
        for entry in tree
        if isinstance(entry, HubFile)
    }


def _mirror_tree(root: str, hub_id: str) -> dict[str, FileRef]:
    store = MirrorStore(root, hub_id)
    if not store.files.isdir(store.folder):
        raise SourceUnavailable(
            f"root={root!r}: there is no folder {store.folder}; put the data set's files there as the Hub lays them "
            f"out (hf download {hub_id} --repo-type dataset --local-dir {store.folder})"
        )
    found = store.files.find(store.folder, detail=True)
    paths = {path[len(store.folder) + 1 :]: info["size"] for path, info in found.items()}
    return {path: FileRef(path, size) for path, size in paths.items()}


def _files(entries: tuple[SourceFiles, ...], there: dict[str, FileRef], source: str) -> Iterator[RepoFile]:
    """The files of each config and split: those of its first entry that has any; the others are other forms of it."""
    parts: dict[tuple[str, str], list[SourceFiles]] = {}
    for entry in entries:
        parts.setdefault((entry.config, entry.split), []).append(entry)
    for (config, split), forms in parts.items():
        found = next(filter(None, (_matching(entry, there) for entry in forms)), [])
        if not found:
            globs = ", ".join(path for entry in forms for path in entry.paths)
            _log.warning("%s, config %s, split %s: no file matches %s", source, config, split, globs)
        yield from found


def _matching(entry: SourceFiles, there: dict[str, FileRef]) -> list[RepoFile]:
    """The files of one catalogue entry, sorted by path."""
    patterns = [re.compile(glob_translate(glob)) for glob in entry.paths]
    matched = (path for path in there if any(pattern.match(path) for pattern in patterns))
    return [_repo_file(entry, there, path) for path in sorted(matched)]


def _repo_file(entry: SourceFiles, there: dict[str, FileRef], path: str) -> RepoFile:
    file = there[path]
    return RepoFile(
        path=path,
        size=file.size,
        sha256=file.sha256,
        config=entry.config,
        split=entry.split,
        container=entry.container,
        key=entry.key,
        rows_at=entry.rows_at,
        join=there.get(entry.join.replace("{file}", path.rpartition("/")[2])) if entry.join else None,
    )


def _content_id(files: tuple[RepoFile, ...]) -> str:
    refs = sorted({(file.path, file.size) for file in files} | {(f.join.path, f.join.size) for f in files if f.join})
    return "local-" + digest(*(f"{path}\n{size}" for path, size in refs))[:16]
