"""Exactly as many rows as were asked for, of files that hold at least as many: by rank of (seed, group_id)."""

from collections.abc import Iterable, Mapping
from typing import Any

import apache_beam as beam
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from gatling_beam.dedup import source_counts
from gatling_beam.files import join
from gatling_beam.hashing import digest
from gatling_beam.pipelines.outcome import MergeOutcomes, Outcome, outcome_bytes, read_outcome
from gatling_beam.pipelines.output import DATA, TEMPORARY
from gatling_beam.pipelines.runner import run_pipeline
from gatling_beam.sample import Sample, Tally
from gatling_beam.shards import Format, read_table, shard_name, write_shard

STAGE = "select"
#: Folder, below the temporary one, of the files that rows are taken from.
STAGED = "staged"

def take_target(*a, **k): raise NotImplementedError
