"""A place on the command line: a path, or a URL whose file system can be reached."""

from typing import Annotated

from fsspec.core import url_to_fs
from pydantic import AfterValidator


def check_place(text: str) -> str:
    """`text`, if it is a local path or a URL that fsspec can open here; nothing is read.

    Raises:
      ValueError: for an unknown protocol, a file system whose package is not installed, or a chain of them (`a::b`).
    """
    if "::" in text:
        raise ValueError("'::' chains file systems, which is not supported: name one path or one URL")
    try:
        url_to_fs(text)
    except ImportError as e:
        raise ValueError(f"the package for this file system is not installed ({e}): install it, or name a path") from e
    except (ValueError, TypeError, OSError) as e:
        raise ValueError(f"this URL cannot be opened ({e}): name a path, or a URL that fsspec knows") from e
    return text


Place = Annotated[str, AfterValidator(check_place)]
