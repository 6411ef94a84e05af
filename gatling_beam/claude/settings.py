"""How Claude is asked, phase by phase: model, thinking, effort, room for the answer."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from gatling_beam.claude.calls import Phase
from gatling_beam.claude.schemas import output_format

DEFAULT_MODEL = "claude-sonnet-5-5"
#: The API version whose models still take a temperature.
OLD_API_VERSION = "2023-06-01"

Effort = Literal["low", "medium", "high"]
EFFORTS: dict[Phase, Effort] = {"requests": "low", "reword": "low", "graphs": "medium", "compliance": "low"}

#: Tokens of an answer: for thinking and what stands around it, and for each case. They are reserved against the rate
#: limit of output tokens when a call starts, so they are kept tight.
_ROOM: dict[Phase, tuple[int, int]] = {
    "requests": (1_500, 250),
    "reword": (1_500, 250),
    "graphs": (4_000, 450),
    "compliance": (2_000, 150),
}
#: Models that may think between tools only, which for a call without tools means least.
_LEAST_THINKING = ("claude-sonnet-5-5",)
_NO_EFFORT = ("claude-sonnet-4", "claude-haiku-4", "claude-opus-4")


class ModelSettings(msgspec.Struct, frozen=True):
    """The model and what it is told about how to answer.

    `temperatures` (by phase) are sent as they are; today's API refuses them for every model.
    """

    model: str = DEFAULT_MODEL
    efforts: Mapping[Phase, Effort] = msgspec.field(default_factory=lambda: dict(EFFORTS))
    temperatures: Mapping[Phase, float] = {}
    cache_ttl: Literal["5m", "1h"] = "5m"

    def params(self, phase: Phase, prefix: str, question: str, cases: int) -> dict[str, Any]:
        """The body of a call: `prefix` is the part that calls of a phase and a domain share, and is cached."""
        config: dict[str, Any] = {"format": output_format(phase)}
        if not self.model.startswith(_NO_EFFORT):
            config["effort"] = self.efforts[phase]
        around, each = _ROOM[phase]
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": around + each * cases,
            "system": [{"type": "text", "text": prefix, "cache_control": {"type": "ephemeral", "ttl": self.cache_ttl}}],
            "messages": [{"role": "user", "content": question}],
            "output_config": config,
        }
        if self.efforts[phase] == "low" and self.model.startswith(_LEAST_THINKING):
            body["thinking"] = {"type": "between_tools"}
        if phase in self.temperatures:
            body["temperature"] = self.temperatures[phase]
        return body
