"""Rows as lines of JSON: the form that existing consumers read, with every key in every line."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from gatling_beam.five_keys import from_five_keys, has_five_keys
from gatling_beam.json_value import json_text
from gatling_beam.sample import GovernanceContext, Sample

T = TypeVar("T")

# Keys of free-form objects are sorted, fields of Structs keep their order.
_encoder = msgspec.json.Encoder(order="deterministic")
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class _GovernanceLine(GovernanceContext, frozen=True, gc=False):
    policy: dict[str, Any] | str | None = None  # type: ignore[assignment]


class _SampleLine(Sample, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    governance_context: _GovernanceLine = _GovernanceLine()


class JsonRows(Generic[T]):
    """Lines of JSON of the msgspec Struct `cls`: `decode(encode(row)) == row`.

    Free-form objects are objects with sorted keys. A policy, JSON text in memory, is an object in the line; a text that
    is not the canonical form of an object stays text, so that nothing changes on the way. A line of a `Sample` may have
    the five original keys alone (`five_keys.from_five_keys`); other keys than its columns are an error.
    """

    def __init__(self, cls: type[T]) -> None:
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_SampleLine if cls is Sample else cls)
        self._finish: Callable[[Any], Any] = _sample_of_line if cls is Sample else _unchanged

    def encode(self, row: T) -> bytes:
        """One line, without the newline."""
        return _encoder.encode(_with_policy_object(row) if isinstance(row, Sample) else row)

    def decode(self, line: bytes) -> T:
        """The row of a line.

        Raises:
          msgspec.ValidationError, msgspec.DecodeError, BadRow: if the line is not such a row; all of them ValueErrors.
        """
        try:
            read = self._decoder.decode(line)
        except msgspec.ValidationError:
            if self._finish is _unchanged or not has_five_keys(found := _decode_object(line)):
                raise
            return from_five_keys(found)  # type: ignore[return-value]
        row: T = self._finish(read)
        return row


def _with_policy_object(row: Sample) -> Sample:
    governance = row.governance_context
    if governance.policy is None or not _is_canonical_object(governance.policy):
        return row
    raw: Any = msgspec.Raw(governance.policy.encode())
    return msgspec.structs.replace(row, governance_context=msgspec.structs.replace(governance, policy=raw))


def _is_canonical_object(text: str) -> bool:
    try:
        return json_text(_decode_object(text)) == text
    except (msgspec.DecodeError, RecursionError):
        return False


def _unchanged(row: Any) -> Any:
    return row


def _sample_of_line(line: _SampleLine) -> Sample:
    governance = line.governance_context
    policy = json_text(governance.policy) if isinstance(governance.policy, dict) else governance.policy
    fields = {name: getattr(line, name) for name in Sample.__struct_fields__}
    fields["governance_context"] = GovernanceContext(
        policy_id=governance.policy_id,
        policy=policy,
        user_role=governance.user_role,
        session_context=governance.session_context,
        request=governance.request,
    )
    return Sample(**fields)
