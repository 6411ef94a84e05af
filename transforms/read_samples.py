"""`ReadSamples`: the rows of finished output directories, or of files that are named."""

from collections.abc import Sequence
from os import PathLike, fspath
from typing import Any

import apache_beam as beam

from gatling_beam.sample import Sample
from gatling_beam.shard_list import ShardRef, list_shards, read_listed
from gatling_beam.shards import check_format
from gatling_beam.transforms._coders import register

register(ShardRef)

Path = str | PathLike[str]


@beam.typehints.with_input_types(beam.pvalue.PBegin)
@beam.typehints.with_output_types(Sample)
class ReadSamples(beam.PTransform):
    """Reads stored rows -> PCollection[Sample], bounded, in no particular order.

    Of an output directory it believes only the manifest: exactly the files listed there are read, whatever else lies
    beside them, and a file with other rows than listed fails the run. A directory without manifest is an unfinished
    one and an error. Files are listed and read on the workers, each file by one worker at a time.

    Args:
      directory_or_glob: an output directory, a file, a glob (`out/part-*.parquet`), or a list of these; local paths
        or URLs that fsspec knows (`gs://...`). A name that is there as it stands is no glob.
      format: parquet, jsonl or avro; needed only for files whose name does not end so.
      validate: compare every file's SHA-256 with the manifest's before its rows are used.
      documents: False leaves out the texts of policies and tool sets where an id stands for them.

    Raises:
      TypeError, ValueError: at construction, for an argument of another type or value. While it runs:
        UnfinishedDirectory, ChangedShard, FileNotFoundError.
    """

    def __init__(
        self,
        directory_or_glob: Path | Sequence[Path],
        *,
        format: str | None = None,
        validate: bool = True,
        documents: bool = True,
    ) -> None:
        single = isinstance(directory_or_glob, (str, PathLike))
        targets: Any = [directory_or_glob] if single else directory_or_glob
        self._targets = tuple(fspath(target) for target in targets)
        if not self._targets or not all(self._targets):
            raise ValueError(f"directory_or_glob={directory_or_glob!r} names nothing; give a directory, file or glob")
        self._format = None if format is None else check_format(format)
        self._validate = validate
        self._documents = documents

    def expand(self, pbegin: beam.pvalue.PBegin) -> beam.PCollection[Sample]:
        return (
            pbegin
            | "Targets" >> beam.Create([self._targets])
            | "ListShards" >> beam.FlatMap(list_shards, format=self._format).with_output_types(ShardRef)
            | "Reshuffle" >> beam.Reshuffle()
            | "ReadShard"
            >> beam.FlatMap(read_listed, validate=self._validate, documents=self._documents).with_output_types(Sample)
        )
