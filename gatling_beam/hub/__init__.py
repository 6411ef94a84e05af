"""Reading data sets of the Hugging Face Hub, or of a local mirror of it, row by row and without a short read."""

from gatling_beam.hub.errors import MalformedSource, SourceError, SourceUnavailable, TruncatedSource
from gatling_beam.hub.listing import list_files, select_files
from gatling_beam.hub.model import FileRef, Listing, Missing, Part, RepoFile, Repository, Unit
from gatling_beam.hub.reading import read_unit
from gatling_beam.hub.request import ReadRequest, list_request
from gatling_beam.hub.units import plan_units

__all__ = [
    "FileRef",
    "Listing",
    "MalformedSource",
    "Missing",
    "Part",
    "ReadRequest",
    "RepoFile",
    "Repository",
    "SourceError",
    "SourceUnavailable",
    "TruncatedSource",
    "Unit",
    "list_files",
    "list_request",
    "plan_units",
    "read_unit",
    "select_files",
]
