"""What a pipeline tells its driver: counts and written files, as one small JSON file."""

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import msgspec

from gatling_beam.files import join, read_bytes, write_bytes
from gatling_beam.sample import Tally
from gatling_beam.shards import ShardFile
from gatling_beam.transforms.sum_tallies import SumTallies


class Outcome(msgspec.Struct, frozen=True):
    """The counts of a run and the files it wrote, with names relative to the output directory."""

    tallies: tuple[Tally, ...] = ()
    files: tuple[ShardFile, ...] = ()


class WriteOutcome(beam.PTransform):
    """(PCollections of Tally, {folder: PCollection of ShardFile}) -> the file `path`, for the driver to read.

    Counts travel as data, since metrics are wrong on most runners. A few thousand elements reach one worker.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def expand(self, given: Any) -> Any:
        tallies, files_by_folder = given
        parts = [
            tuple(tallies) | "AllTallies" >> beam.Flatten() | SumTallies() | "TallyAsOutcome" >> beam.Map(_of_tally)
        ]
        for folder, files in files_by_folder.items():
            label = "".join(word.capitalize() for word in folder.replace("/", "_").split("_"))
            parts.append(files | f"{label}AsOutcome" >> beam.Map(_of_file, folder))
        return tuple(parts) | "Outcomes" >> beam.Flatten() | MergeOutcomes(self._path)


@beam.typehints.with_input_types(bytes)
class MergeOutcomes(beam.PTransform):
    """PCollection of `outcome_bytes` -> the file `path` with all of them, for the driver to read."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def expand(self, outcomes: Any) -> Any:
        return (
            outcomes
            | "OneKey" >> beam.Map(_keyed).with_output_types(tuple[str, bytes])
            | "OnePlace" >> beam.GroupByKey()
            | "WriteFile" >> beam.Map(_write, self._path)
        )


def outcome_bytes(tallies: Iterable[Tally] = (), files: Iterable[ShardFile] = ()) -> bytes:
    """An `Outcome` as it travels: JSON."""
    return msgspec.json.encode(Outcome(tuple(tallies), tuple(files)))


def read_outcome(path: str) -> Outcome:
    """What the pipeline wrote to `path`.

    Raises:
      FileNotFoundError: if it did not come that far.
    """
    return msgspec.json.decode(read_bytes(path), type=Outcome)


def _of_tally(tally: Tally) -> bytes:
    return outcome_bytes(tallies=[tally])


def _of_file(file: ShardFile, folder: str) -> bytes:
    return outcome_bytes(files=[msgspec.structs.replace(file, name=join(folder, file.name))])


def _keyed(outcome: bytes) -> tuple[str, bytes]:
    return "", outcome


def _write(keyed: tuple[str, Iterable[bytes]], path: str) -> str:
    outcomes = [msgspec.json.decode(data, type=Outcome) for data in sorted(keyed[1])]
    merged = Outcome(
        tuple(tally for outcome in outcomes for tally in outcome.tallies),
        tuple(file for outcome in outcomes for file in outcome.files),
    )
    write_bytes(path, msgspec.json.encode(merged))
    return path
