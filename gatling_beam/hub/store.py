"""Checked bytes: whatever is returned has the length that was asked for, of a file as long as the listing says."""

import hashlib
import io
import logging
import re
import tempfile
import time
from abc import ABC, abstractmethod
from typing import Any, BinaryIO

import fsspec
from huggingface_hub import hf_hub_url
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.errors import HTTPError as TransportOrStatusError
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_stream_backoff

from gatling_beam.hub.access import TIMEOUT_S, endpoint, unavailable
from gatling_beam.hub.errors import SourceUnavailable, TruncatedSource
from gatling_beam.hub.model import FileRef, Repository

#: Whole files are fetched in pieces of this many bytes, and kept in memory up to `MEMORY_BYTES`, else on disk.
BLOCK_BYTES = 16 << 20
MEMORY_BYTES = 64 << 20
ATTEMPTS = 4
FIRST_WAIT_S = 1.0

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)$")
_log = logging.getLogger(__name__)


class Store(ABC):
    """The files of one commit."""

    @abstractmethod
    def read_once(self, file: FileRef, start: int, stop: int) -> bytes:
        """Bytes [start, stop) of `file`, start < stop; raises TruncatedSource where they are not what was asked for."""

    def read_range(self, file: FileRef, start: int, stop: int) -> bytes:
        """Bytes [start, stop) of `file`, with 0 <= start <= stop <= size, tried again where they come short.

        Raises:
          TruncatedSource: if they come short every time.
          SourceUnavailable: if the file is missing, gated or cannot be reached.
        """
        if start == stop:
            return b""
        for attempt in range(ATTEMPTS - 1):
            try:
                return self.read_once(file, start, stop)
            except TruncatedSource as e:
                _log.warning("%s; trying again", e)
                time.sleep(FIRST_WAIT_S * 2**attempt)
        return self.read_once(file, start, stop)

    def open_whole(self, file: FileRef) -> BinaryIO:
        """The whole of `file`, at its start; its size is checked, and its SHA-256 where the listing has one.

        Raises: as `read_range`.
        """
        for attempt in range(ATTEMPTS - 1):
            try:
                return self._fetch_whole(file)
            except _OtherBytes as e:
                _log.warning("%s; trying again", e)
                time.sleep(FIRST_WAIT_S * 2**attempt)
        return self._fetch_whole(file)

    def _fetch_whole(self, file: FileRef) -> BinaryIO:
        copy: Any = io.BytesIO() if file.size <= MEMORY_BYTES else tempfile.TemporaryFile()  # noqa: SIM115
        found = hashlib.sha256()
        for start in range(0, file.size, BLOCK_BYTES):
            block = self.read_range(file, start, min(start + BLOCK_BYTES, file.size))
            found.update(block)
            copy.write(block)
        if file.sha256 is not None and found.hexdigest() != file.sha256:
            raise _OtherBytes(
                f"{file.path}: the bytes have SHA-256 {found.hexdigest()}, the listing says {file.sha256}"
            )
        copy.seek(0)
        return copy  # type: ignore[no-any-return]


class _OtherBytes(TruncatedSource):
    """As many bytes as promised, but other ones: asking for the same range again would not show it."""


class MirrorStore(Store):
    """The files below `<root>/<hub_id>`; `root` is a path or any URL that fsspec knows."""

    def __init__(self, root: str, hub_id: str) -> None:
        self.files, base = fsspec.core.url_to_fs(root)
        self.folder = f"{base.rstrip('/')}/{hub_id}"

    def read_once(self, file: FileRef, start: int, stop: int) -> bytes:
        # One byte more at the end of the file shows that it has grown since it was listed.
        beyond = stop + 1 if stop == file.size else stop
        try:
            data: bytes = self.files.cat_file(f"{self.folder}/{file.path}", start=start, end=beyond)
        except FileNotFoundError as e:
            raise SourceUnavailable(
                f"{self.folder}/{file.path} was there when the files were listed and is gone"
            ) from e
        except PermissionError as e:
            raise SourceUnavailable(f"{self.folder}/{file.path} must not be read by this user") from e
        if len(data) != stop - start:
            raise TruncatedSource(
                f"{self.folder}/{file.path}: bytes {start}-{stop} gave {len(data)} bytes; "
                f"the file had {file.size} bytes when it was listed"
            )
        return data


class HubStore(Store):
    """The files of a commit on the Hub. The token, if any, is that of the process (`HF_TOKEN`, or a login)."""

    def __init__(self, hub_id: str, revision: str) -> None:
        self.hub_id = hub_id
        self.revision = revision

    def read_once(self, file: FileRef, start: int, stop: int) -> bytes:
        url = hf_hub_url(self.hub_id, file.path, repo_type="dataset", revision=self.revision, endpoint=endpoint())
        # A compressed answer would make Content-Length and ranges mean something else.
        headers = {**build_hf_headers(), "range": f"bytes={start}-{stop - 1}", "accept-encoding": "identity"}
        try:
            with http_stream_backoff(
                "GET", url, headers=headers, timeout=TIMEOUT_S, base_wait_time=FIRST_WAIT_S
            ) as response:
                if response.status_code == 416:
                    raise TruncatedSource(f"{file.path}: the server has no bytes {start}-{stop} of {file.size}")
                hf_raise_for_status(response)
                return _checked_body(response, file, start, stop)
        except (HfHubHTTPError, TransportOrStatusError, ConnectionError) as e:
            raise unavailable(e, self.hub_id, self.revision) from e


def _checked_body(response: Any, file: FileRef, start: int, stop: int) -> bytes:
    """Bytes [start, stop) from the answer to a request for them; the server may have ignored the range."""
    where = f"{file.path}, bytes {start}-{stop} of {file.size}"
    if response.headers.get("content-encoding", "identity") != "identity":
        raise TruncatedSource(f"{where}: the answer is compressed")
    skip = 0
    if response.status_code == 206:
        found = _CONTENT_RANGE.match(response.headers.get("content-range", ""))
        if found is None or tuple(map(int, found.groups())) != (start, stop - 1, file.size):
            raise TruncatedSource(f"{where}: the answer is {response.headers.get('content-range')!r}")
    elif response.status_code == 200:
        if response.headers.get("content-length") != str(file.size):
            raise TruncatedSource(f"{where}: the whole file has length {response.headers.get('content-length')}")
        skip = start
    else:
        raise TruncatedSource(f"{where}: the answer has status {response.status_code}")
    body = bytearray()
    try:
        for chunk in response.iter_bytes():
            dropped = min(skip, len(chunk))
            skip -= dropped
            body += chunk[dropped:]
            if response.status_code == 200 and len(body) >= stop - start:
                del body[stop - start :]
                break
    except TransportOrStatusError as e:
        raise TruncatedSource(f"{where}: the connection ended after {len(body)} bytes") from e
    if len(body) != stop - start:
        raise TruncatedSource(f"{where}: {len(body)} bytes came")
    return bytes(body)


def open_store(repository: Repository) -> Store:
    """The files of `repository`."""
    if repository.root is not None:
        return MirrorStore(repository.root, repository.hub_id)
    return HubStore(repository.hub_id, repository.revision)
