"""The models that the server knows: a catalogue for tests, not Anthropic's."""

from dataclasses import dataclass, replace
from typing import Any, Literal

EFFORTS = ("low", "medium", "high", "xhigh", "max")
Lifecycle = Literal["active", "deprecated", "retired"]


@dataclass(frozen=True)
class Model:
    """A model's limits, and what its requests may say. `cache_minimum` is in tokens; `samples` allows temperature."""

    id: str
    lifecycle: Lifecycle = "active"
    retires_at: str | None = None
    deprecated_at: str | None = None
    max_input_tokens: int = 1_000_000
    max_tokens: int = 128_000
    cache_minimum: int = 1024
    thinking: tuple[str, ...] = ("adaptive", "between_tools")
    default_thinking: str = "adaptive"
    default_effort: str = "high"
    forced_tools: bool = False
    prefill: bool = False
    samples: bool = False

    def info(self) -> dict[str, Any]:
        """The answer to GET /v1/models/{id}."""
        yes, no = {"supported": True}, {"supported": False}
        kinds = ("adaptive", "between_tools", "disabled", "enabled")
        return {
            "type": "model",
            "id": self.id,
            "display_name": self.id.replace("-", " ").title(),
            "created_at": "2026-01-01T00:00:00Z",
            "lifecycle": self.lifecycle,
            "deprecated_at": self.deprecated_at,
            "retires_at": self.retires_at,
            "line": self.id.split("-")[1] if self.id.split("-")[1].isalpha() else None,
            "max_input_tokens": self.max_input_tokens,
            "max_tokens": self.max_tokens,
            "capabilities": {
                "batch": yes,
                "citations": no,
                "code_execution": no,
                "context_management": no,
                "effort": {"supported": True, **dict.fromkeys(EFFORTS, yes)},
                "image_input": no,
                "pdf_input": no,
                "server_tools": {"supported": False, "code_execution": no, "web_search": no},
                "structured_outputs": yes,
                "thinking": {
                    "supported": True,
                    "types": {kind: yes if kind in self.thinking else no for kind in kinds},
                },
            },
        }


_OLD = Model(
    "claude-sonnet-4-6",
    max_input_tokens=200_000,
    max_tokens=64_000,
    thinking=("adaptive", "disabled", "enabled"),
    default_thinking="disabled",
    forced_tools=True,
    samples=True,
)
_RETIRED = replace(_OLD, lifecycle="retired", deprecated_at="2025-10-28T00:00:00Z", retires_at="2026-02-19T00:00:00Z")
_DEPRECATED = replace(
    _OLD, prefill=True, lifecycle="deprecated", deprecated_at="2026-05-30T00:00:00Z", retires_at="2026-11-30T00:00:00Z"
)

MODELS = {
    model.id: model
    for model in (
        Model("claude-sonnet-5-5"),
        # Thinking is always on.
        Model("claude-opus-5-5", thinking=("adaptive",)),
        Model(
            "claude-haiku-5-5",
            cache_minimum=512,
            thinking=("adaptive", "between_tools", "disabled"),
            default_effort="medium",
            forced_tools=True,
        ),
        _OLD,
        replace(_OLD, id="claude-haiku-4-5", prefill=True),
        replace(_DEPRECATED, id="claude-sonnet-4-5"),
        replace(_DEPRECATED, id="claude-sonnet-4-5-20250929"),
        replace(_RETIRED, id="claude-3-7-sonnet-20250219"),
    )
}
