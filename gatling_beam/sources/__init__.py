"""The data sets the pipelines read, and the adapters that read them.

>>> source("xlam").hub_id
'Salesforce/xlam-function-calling-60k'
"""

from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.catalogue import load_catalogue, names, source
from gatling_beam.sources.formats import FORMATS
from gatling_beam.sources.spec import SourceFiles, SourceSpec

__all__ = ["FORMATS", "Call", "Extracted", "SourceFiles", "SourceSpec", "load_catalogue", "names", "source"]
