"""The tools a row offers, checked and described once for each distinct tool: tools are few and rows are many."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET

from gatling_beam.hashing import content_hash
from gatling_beam.json_value import json_text, json_value
from gatling_beam.lexicon import quantity_of
from gatling_beam.scope import quantity
from gatling_beam.sources.tools import KNOWN_TYPE_WORDS, Parameter, parameters

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_TYPES = frozenset(KNOWN_TYPE_WORDS.values())


class OfferedTool(msgspec.Struct, frozen=True):
    """One tool: its document as canonical JSON text and the hash of that, its parameters by name, their defaults.

    `scope_defaults` are those of the defaults that state a quantity.
    """

    name: str
    text: str
    hash: str
    parameters: dict[str, Parameter]
    defaults: dict[str, Any]
    scope_defaults: dict[str, Any]
    unknown_type_words: int


def offered_tools(tools: Sequence[dict[str, Any]]) -> list[OfferedTool]:
    """Each tool of a row in its checked form.

    Raises:
      BadRow: where a document holds what is no JSON value (see `json_value`).
    """
    return [_offered(tool) for tool in tools]


def _offered(tool: dict[str, Any]) -> OfferedTool:
    try:
        # MessagePack tells apart what JSON text does not: NaN and null, 1 and 1.0
        packed = _encoder.encode(tool)
    except (UnicodeEncodeError, OverflowError, TypeError, RecursionError, ValueError):
        return _described(json_value(tool))
    return _unpacked(packed)


@lru_cache(maxsize=1 << 14)
def _unpacked(packed: bytes) -> OfferedTool:
    return _described(json_value(msgspec.msgpack.decode(packed, strict=False)))


def _described(tool: dict[str, Any]) -> OfferedTool:
    schema = parameters(tool)
    name, text = tool.get("name"), json_text(tool)
    defaults = {key: parameter.default for key, parameter in schema.items() if parameter.default is not UNSET}
    return OfferedTool(
        name=name if isinstance(name, str) else "",
        text=text,
        hash=content_hash(text),
        parameters=schema,
        defaults=defaults,
        scope_defaults={key: value for key, value in defaults.items() if quantity_of(key) and quantity(value)},
        unknown_type_words=sum(parameter.type not in _TYPES for parameter in schema.values()),
    )


def toolset_text(tools: Sequence[OfferedTool]) -> str:
    """The tools of a row as one canonical JSON text."""
    return f"[{','.join([tool.text for tool in tools])}]"
