"""A Hub on loopback: the calls that huggingface_hub makes to list and read a data set, and every way they can fail."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from gatling_beam.hub import list_files, plan_units, read_unit
from gatling_beam.sample import SourceRow
from gatling_beam.sources.spec import SourceFiles, SourceSpec

COMMIT = "5f0f3c1f9d0a4b7c8e2d1a6b3c4d5e6f70819203"


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path contains `where`."""

    where: str
    kind: str
    times: int = 10**9


@dataclass
class Repo:
    files: dict[str, bytes]
    lfs: bool = True  # large files: their SHA-256 is in the tree, and the CDN serves them
    gated: bool = False
    accepted: tuple[str, ...] = ()  # tokens whose owners accepted the terms


@dataclass
class Request:
    server: str
    method: str
    path: str
    headers: dict[str, str]
    sent: int = 0


@dataclass
class Hub:
    """`url` serves the API and small files, `cdn` the large ones; `requests` is what was asked."""

    url: str = ""
    cdn: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    page: int = 3
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, hub_id: str, files: dict[str, bytes], **options: object) -> None:
        self.repos[hub_id] = Repo(files, **options)  # type: ignore[arg-type]

    def fail(self, where: str, kind: str, times: int = 10**9) -> None:
        self.faults.append(Fault(where, kind, times))

    def fault(self, path: str) -> str:
        with self.lock:
            for fault in self.faults:
                if fault.times and fault.where in path:
                    fault.times -= 1
                    return fault.kind
        return ""

    def asked(self, part: str) -> list[Request]:
        return [request for request in self.requests if part in request.path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    hub: Hub
    name: str

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.request_ = Request(self.name, self.command, self.path, headers)
        self.hub.requests.append(self.request_)
        url = urlsplit(self.path)
        path = unquote(url.path)
        fault = self.hub.fault(f"{self.name}:{path}")
        if fault.isdigit():
            self.answer(int(fault), b"no", {"Retry-After": "2"} if fault == "429" else {})
        elif path.startswith("/api/datasets/"):
            self.api(path.removeprefix("/api/datasets/"), parse_qs(url.query))
        elif path.startswith("/datasets/"):
            self.resolve(path.removeprefix("/datasets/"), fault)
        elif path.startswith("/cdn/"):
            hub_id, _, file = path.removeprefix("/cdn/").partition("//")
            self.content(self.hub.repos[hub_id].files[file], fault)
        else:
            self.answer(404, b"")

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.request_.sent += len(body)

    def repo(self, path: str) -> tuple[str, Repo, list[str]] | None:
        owner, name, *rest = path.split("/")
        hub_id = f"{owner}/{name}"
        if hub_id not in self.hub.repos:
            # The real one answers so where nobody is logged in, lest private names be guessed.
            known = "authorization" in self.request_.headers
            self.answer(404 if known else 401, b"{}", {"X-Error-Code": "RepoNotFound"})
            return None
        return hub_id, self.hub.repos[hub_id], rest

    def api(self, path: str, query: dict[str, list[str]]) -> None:
        found = self.repo(path)
        if found is None:
            return
        hub_id, repo, rest = found
        if rest and rest[-1] not in ("main", COMMIT):
            self.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif not rest or rest[0] == "revision":
            self.answer(200, json.dumps({"id": hub_id, "sha": COMMIT}).encode())
        else:
            first = int(query.get("cursor", ["0"])[0])
            entries = tree(repo)
            next_ = first + self.hub.page
            link = f'<{self.hub.url}/api/datasets/{path}?recursive=true&cursor={next_}>; rel="next"'
            body = json.dumps(entries[first:next_]).encode()
            self.answer(200, body, {"Link": link} if next_ < len(entries) else {})

    def resolve(self, path: str, fault: str) -> None:
        found = self.repo(path)
        if found is None:
            return
        hub_id, repo, (_, revision, *names) = found
        file = "/".join(names)
        token = self.request_.headers.get("authorization", "").removeprefix("Bearer ")
        if repo.gated and token not in repo.accepted:
            self.answer(403 if token else 401, b"{}", {"X-Error-Code": "GatedRepo"})
        elif revision != COMMIT:
            self.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        elif file not in repo.files:
            self.answer(404, b"{}", {"X-Error-Code": "EntryNotFound"})
        elif repo.lfs:
            body = repo.files[file]
            headers = {"X-Repo-Commit": COMMIT, "X-Linked-Size": str(len(body)), "ETag": f'"{sha256(body)}"'}
            self.answer(302, b"", {**headers, "Location": f"{self.hub.cdn}/cdn/{hub_id}//{file}"})
        else:
            self.content(repo.files[file], fault)

    def content(self, body: bytes, fault: str) -> None:
        size = len(body)
        asked = self.headers.get("Range")
        if asked is None or fault.startswith("ignore_range"):
            shorter = body[:-1] if fault == "ignore_range_short" else body
            self.answer(200, shorter)
            return
        first, last = map(int, asked.removeprefix("bytes=").split("-"))
        part = body[first : last + 1]
        headers = {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{size}"}
        if fault == "other_bytes":
            part = bytes(byte ^ 1 for byte in part)
        elif fault == "short_length":
            part = part[:-1]
        elif fault == "short_range":
            part = part[:-1]
            headers["Content-Range"] = f"bytes {first}-{first + len(part) - 1}/{size}"
        elif fault == "other_range":
            headers["Content-Range"] = f"bytes {first + 1}-{first + len(part)}/{size}"
        elif fault == "other_size":
            headers["Content-Range"] = f"bytes {first}-{first + len(part) - 1}/{size + 7}"
        elif fault == "gzip":
            headers["Content-Encoding"] = "gzip"
        elif fault == "cut":
            self.close_connection = True
            headers["Content-Length"] = str(len(part))
            part = part[: len(part) // 2]
        self.answer(206, part, headers)


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def tree(repo: Repo) -> list[dict[str, object]]:
    """What the Hub's tree call answers, folders included."""
    folders = {"/".join(p.split("/")[:i]) for p in repo.files for i in range(1, p.count("/") + 1)}
    entries: list[dict[str, object]] = [
        {"type": "directory", "path": folder, "oid": "0" * 40, "size": 0} for folder in folders
    ]
    for path, body in repo.files.items():
        entry: dict[str, object] = {"type": "file", "path": path, "size": len(body), "oid": "1" * 40}
        if repo.lfs:
            entry["lfs"] = {"oid": sha256(body), "size": len(body), "pointerSize": 134}
        entries.append(entry)
    return sorted(entries, key=lambda entry: str(entry["path"]))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """An empty Hub, which HF_ENDPOINT points to; nobody is logged in."""
    it = Hub()
    servers = []
    for name in ("hub", "cdn"):
        handler = type("H", (Handler,), {"hub": it, "name": name})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
    it.url, it.cdn = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    monkeypatch.setenv("HF_ENDPOINT", it.url)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    yield it
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited between tries; nothing waits."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """The root of an empty mirror."""
    root = tmp_path / "mirror"
    root.mkdir()
    return root


def put(root: Path, hub_id: str, files: dict[str, bytes]) -> None:
    """Writes `files` as the mirror of `hub_id` below `root`."""
    for path, body in files.items():
        place = root / hub_id / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)


@pytest.fixture
def rows_of(mirror: Path) -> Callable[..., list[SourceRow]]:
    """Rows of `files` (path -> bytes), read from a mirror as the entry `how` (arguments of `SourceFiles`) says."""

    def read(files: dict[str, bytes], how: dict[str, Any], prefix_rows: bool = False, **cut: Any) -> list[SourceRow]:
        put(mirror, "org/set", files)
        listing = list_files(spec(prefix_rows=prefix_rows, files=(SourceFiles(**how),)), root=str(mirror))
        return [row for unit in plan_units(listing, **cut) for row in read_unit(unit)]

    return read


def spec(**fields: Any) -> SourceSpec:
    """A catalogue entry of the data set org/set; by default its lines in `data/`."""
    lines = SourceFiles(paths=("data/*.jsonl",), container="jsonl")
    return SourceSpec(
        **{"name": "set", "hub_id": "org/set", "role": "plans", "format": "any", "files": (lines,), **fields}
    )


@pytest.fixture(name="spec")
def spec_fixture() -> Callable[..., SourceSpec]:
    """`spec`, for tests."""
    return spec


@pytest.fixture(name="put")
def put_fixture() -> Callable[..., None]:
    """`put`, for tests."""
    return put
