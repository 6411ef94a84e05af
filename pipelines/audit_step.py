"""The last step of `tier2` and `tier3`: the audit of what they wrote, listed in the manifest, told by exit status."""

import sys
from collections.abc import Sequence
from typing import Literal

import msgspec
from pydantic import Field

from gatling_beam.audit.result import AuditResult
from gatling_beam.files import join, read_bytes, sha256_of
from gatling_beam.manifest import read_manifest
from gatling_beam.pipelines.options import Options, UserError
from gatling_beam.pipelines.output import BENIGN, DATA
from gatling_beam.shard_list import ShardRef, list_shards
from gatling_beam.shards import Format, ShardFile
from gatling_beam.validate_dir import AUDIT_JSON

Gate = Literal["gate", "report", "no"]


class AuditStepOptions(Options):
    """Audit of what was written."""

    audit: Gate | None = Field(
        None,
        description="gate: exit status 1 where the rows give the labels away; report: warn of it; no: leave the audit "
        "out; the rows are committed in any case (default: gate; report for rows of --catalogue=original)",
        json_schema_extra={"metavar": "WHAT"},
    )

    def gate(self) -> Gate:
        """What is asked for."""
        return self.audit or "gate"


def audit_written(
    directory: str, files: Sequence[ShardFile], format: Format, *, quiet: bool
) -> tuple[AuditResult, list[ShardFile]]:
    """The audit of the rows among `files`, written into a directory that has no manifest yet, and its documents."""
    rows = [file for file in files if file.name.partition("/")[0] in (DATA, BENIGN)]
    shards = [ShardRef(join(directory, file.name), format, file.rows, file.sha256) for file in rows]
    return _audit(directory, shards, quiet=quiet)


def audit_of_finished(directory: str, *, quiet: bool) -> AuditResult:
    """The audit that the manifest of `directory` lists; where it lists none, it is made now.

    Raises:
      UserError: if the file is not the one that is listed.
    """
    path = join(directory, AUDIT_JSON)
    listed = {file.name: file for file in read_manifest(directory).documents}.get(AUDIT_JSON)
    if listed is None:
        return _audit(directory, list_shards([directory]), quiet=quiet)[0]
    try:
        if sha256_of(path) == listed.sha256:
            return AuditResult.from_json(read_bytes(path))
        why = "its SHA-256 is another"
    except (OSError, msgspec.DecodeError) as e:
        why = str(e)
    raise UserError(f"{path} is not the file that the run wrote ({why}): --overwrite makes the rows and it again")


def holds(result: AuditResult, gate: Gate, *, quiet: bool) -> bool:
    """Whether the exit status is 0; prints what failed, and unless `quiet` a summary."""
    if not quiet:
        from gatling_beam.pipelines.audit import brief

        print(brief(result))
    for failure in result.failures():
        print(f"{'FAILED' if gate == 'gate' else 'WARNING'}: {failure}", file=sys.stderr)
    return result.passed or gate != "gate"


def _audit(directory: str, shards: Sequence[ShardRef], *, quiet: bool) -> tuple[AuditResult, list[ShardFile]]:
    # The learners and the plots take a second and 100 MB, which a run without an audit does not need.
    from gatling_beam.pipelines.audit import audit_shards, write_audit

    if not quiet:
        print(f"audit of {sum(shard.rows or 0 for shard in shards):,} rows: --audit=no leaves it out", file=sys.stderr)
    result = audit_shards(shards)
    return result, write_audit(directory, result)
