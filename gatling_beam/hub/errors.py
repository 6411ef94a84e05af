"""What can go wrong with a data set as a whole. A bad row is no error here: it is read as it is."""


class SourceError(RuntimeError):
    """A data set cannot be read; the message says what to do."""


class SourceUnavailable(SourceError):
    """The data set, its revision or its files are missing, gated, or cannot be reached."""


class TruncatedSource(SourceError):
    """Fewer, more or other bytes arrived than the listing promises, also after several tries."""


class MalformedSource(SourceError):
    """A file is not what its catalogue entry says: no Parquet, no JSON array, too large to be read whole."""
