"""An agent's run as JSON texts: messages in `trajectory`, tools deep inside the description of its server."""

from typing import Any

from gatling_beam.sources.base import Extracted
from gatling_beam.sources.formats.openai_messages import openai_messages
from gatling_beam.sources.spec import SourceSpec


def trajectory(row: dict[str, Any], spec: SourceSpec) -> Extracted:
    """Like `openai_messages`; the set mixes Chinese and English unmarked, so the script of the request tells."""
    extracted = openai_messages(row, spec)
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in extracted.request)
    extracted.language = "zh" if chinese else "en"
    return extracted
