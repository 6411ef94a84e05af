"""OpenTelemetry traces of an attacked agent: only spans of the kind TOOL are calls."""

from typing import Any

from gatling_beam.errors import Filtered
from gatling_beam.sources.base import Call, Extracted
from gatling_beam.sources.parsing import arguments_of, as_list, as_object, as_text, column, row_id
from gatling_beam.sources.spec import SourceSpec


def otel_trace(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """A row joins a trace with its attack, or is a line of the manifest alone. Calls under attack are harmful."""
    snapshot = as_object(row.get("attack_snapshot", row), "attack_snapshot")
    attack = as_object(column(snapshot, "attack"), "attack")
    spans = [as_object(span, "a span") for span in as_list(row.get("trace") or [], "trace")]
    calls = [_call(span, turn) for turn, span in enumerate(s for s in spans if s.get("span_kind") == "TOOL")]
    if calls and (attack.get("attack_category") is not None or "injection_string" in attack):
        raise Filtered("harmful")
    request = attack.get("attack_prompt") or attack.get("injection_string") or ""
    return Extracted(request=as_text(request, "the prompt"), calls=calls, original_id=row_id(row, "trace_id"))


def _call(span: dict[str, Any], turn: int) -> Call:
    return Call(
        name=as_text(column(span, "name"), "a span's name"),
        arguments=arguments_of(span.get("attributes.input.value")),
        turn=turn,
        result=span.get("attributes.output.value"),
    )
