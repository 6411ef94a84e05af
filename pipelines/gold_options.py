"""The options of `gatling-beam gold`."""

from collections import Counter
from typing import Literal

from pydantic import Field

from gatling_beam.domains.loader import DomainError, domain_names
from gatling_beam.domains.registry import domain
from gatling_beam.pipelines.claude_options import ClaudeOptions
from gatling_beam.pipelines.options import UserError
from gatling_beam.pipelines.output import PlaceOptions
from gatling_beam.pipelines.runner import EngineOptions

SAMPLE = 100


class GoldOptions(ClaudeOptions, PlaceOptions, EngineOptions):
    """Gold traces."""

    oracle: Literal["template", "claude", "reword"] = Field(
        "template",
        description="who writes the traces: template, which needs no key; claude, texts and plans; reword, the "
        "templates' plans with texts by Claude",
    )
    total: int | None = Field(None, ge=1, description="number of traces", json_schema_extra={"metavar": "N"})
    sample: bool = Field(False, description=f"make {SAMPLE} traces")
    domains: str = Field(
        "all",
        description="names of domains, separated by commas, or all",
        json_schema_extra={"metavar": "NAMES"},
    )
    checkpoint_every: int = Field(
        10_000,
        ge=100,
        le=1_000_000,
        description="traces in a file; a run resumes after the last one",
        json_schema_extra={"metavar": "N"},
    )

    def chosen(self) -> tuple[str, ...]:
        """The names of the domains.

        Raises:
          UserError: for an unknown, an empty or a repeated one, or a domain file that is at fault.
        """
        if self.domains == "all":
            return domain_names()
        names = [name.strip() for name in self.domains.split(",")]
        if not all(names):
            raise UserError(f"--domains={self.domains!r} has an empty name; write names with one comma between them")
        if repeated := [name for name, n in Counter(names).items() if n > 1]:
            raise UserError(f"--domains={self.domains!r} names {', '.join(repeated)} twice; name each domain once")
        try:
            for name in names:
                domain(name)
        except (ValueError, DomainError) as e:
            raise UserError(f"--domains={self.domains}: {e}") from None
        return tuple(names)

    def wanted(self) -> int:
        """The number of traces.

        Raises:
          UserError: where none or two are given.
        """
        if self.sample and self.total is not None:
            raise UserError(
                f"--sample makes {SAMPLE} traces, --total={self.total} says another number: "
                f"drop --sample to make {self.total}, or --total to make {SAMPLE}"
            )
        if not self.sample and self.total is None:
            raise UserError(f"--total is missing: say how many traces, or give --sample for {SAMPLE}")
        return self.total or SAMPLE
