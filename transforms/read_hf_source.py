"""`ReadHFSource`: the rows of a data set on the Hugging Face Hub, or in a local mirror of it."""

import apache_beam as beam

from gatling_beam.hub import ReadRequest
from gatling_beam.sample import SourceRow
from gatling_beam.sources.spec import SourceSpec
from gatling_beam.transforms._read_counted import ReadCounted


@beam.typehints.with_input_types(beam.pvalue.PBegin)
@beam.typehints.with_output_types(SourceRow)
class ReadHFSource(beam.PTransform):
    """Reads the rows of a data set: a name of the catalogue, or a `SourceSpec` of your own.

    Files are listed on a worker (commit, sizes, hashes), cut into units (Parquet row groups of 64 MiB, 16 MiB of lines,
    whole JSON documents, CSV and compressed files) and read unit by unit with every byte accounted for. Nothing is read
    when the pipeline is built. The Hub's address and token are those of the worker's environment, `HF_ENDPOINT` and
    `HF_TOKEN`; neither is ever part of the pipeline.

    Args:
      name_or_spec: for example "xlam", or a `SourceSpec`.
      config, split: what to read; None is what the catalogue reads by default.
      revision: commit, tag or branch; None is the catalogue's. A mirror (`root`) holds one revision and ignores it.
      limit: the first `limit` >= 1 rows in file order, read one after another on one worker; None is all rows.
      root: a folder or fsspec URL with the files of the data set at `<root>/<owner>/<name>/`; "embedded" is the
        sample that ships with the package; None is the Hub.

    Raises:
      TypeError, ValueError: for a value of the wrong type, an unknown name, config or split, or a limit below 1.

    When the pipeline runs, `gatling_beam.hub.SourceUnavailable` says what to do about a data set that is gated, missing
    or out of reach; `TruncatedSource` and `MalformedSource` are raised rather than a row that is not the file's. A data
    set that lacks a config and split of the catalogue, or the companion of a file, is not read as if it were whole: it
    is `SourceUnavailable`, which names what is missing; `config` and `split` read what is there.
    """

    def __init__(
        self,
        name_or_spec: str | SourceSpec,
        *,
        config: str | None = None,
        split: str | None = None,
        revision: str | None = None,
        limit: int | None = None,
        root: str | None = None,
    ) -> None:
        super().__init__()
        self.request = ReadRequest.of(
            name_or_spec, config=config, split=split, revision=revision, limit=limit, root=root
        )

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[SourceRow]:
        return (pbegin | "Read" >> ReadCounted(self.request)).rows


ReadFromHuggingFace = ReadHFSource
