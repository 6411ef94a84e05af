"""What can go wrong with a data set as a whole. A bad row is no error here: it is read as it is."""

from collections.abc import Iterator
from contextlib import contextmanager

from gatling_beam.hub.model import Repository


class SourceError(RuntimeError):
    """A data set cannot be read; the message says what to do."""


class SourceUnavailable(SourceError):
    """The data set, its revision or its files are missing, gated, or cannot be reached."""


class TruncatedSource(SourceError):
    """Fewer, more or other bytes arrived than the listing promises, also after several tries."""


class MalformedSource(SourceError):
    """A file is not what its catalogue entry says: no Parquet, no JSON array, too large to be read whole."""


@contextmanager
def naming(repository: Repository) -> Iterator[None]:
    """Whatever file cannot be read in here, the error says whose it is and what to do."""
    try:
        yield
    except (MalformedSource, TruncatedSource) as e:
        place = f"in {repository.root}" if repository.root else f"at {repository.revision}"
        raise type(e)(
            f"source {repository.source} ({repository.hub_id} {place}): {e}. Fetch the file again or repair it, or "
            f"leave the source {repository.source} out"
        ) from e
