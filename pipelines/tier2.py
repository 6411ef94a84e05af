"""`gatling-beam tier2`: proved attacks and their benign twins, in exact numbers by strategy and difficulty."""

import sys
from collections.abc import Sequence
from typing import Literal

from pydantic import Field, field_validator, model_validator

from gatling_beam.families.build import STRATEGIES
from gatling_beam.families.compound import STRATEGY as COMPOUND
from gatling_beam.families.make import Making
from gatling_beam.pipelines.audit_step import Gate
from gatling_beam.pipelines.families_run import FamiliesOptions, Plan, run_families
from gatling_beam.pipelines.options import parse, parser_of
from gatling_beam.pipelines.output import BENIGN, DATA
from gatling_beam.pipelines.runner import beam_options
from gatling_beam.quotas import kind_of, shares_of, stratum_of, tier2_quotas

STAGE = "tier2"


class Tier2Options(FamiliesOptions):
    """Tier II."""

    per_term: int = Field(
        description="negatives of each of the four energy terms, an even number; as many benign twins come with them",
        ge=2,
        json_schema_extra={"metavar": "N"},
    )
    difficulty: str = Field(
        "40,35,25",
        description="per cent of hard, medium and easy ones, which add up to 100",
        json_schema_extra={"metavar": "H,M,E"},
    )
    compounds: int = Field(
        0,
        ge=0,
        description="further negatives that violate scope and flow at once, an even number",
        json_schema_extra={"metavar": "N"},
    )
    catalogue: Literal["ours", "original"] = Field(
        "ours",
        description="original: the four mutations of the original system with its declared labels, to compare with; "
        "they know no difficulty",
        json_schema_extra={"metavar": "NAME"},
    )

    @field_validator("difficulty")
    @classmethod
    def _shares(cls, text: str) -> str:
        shares_of(text)
        return text

    @model_validator(mode="after")
    def _quotas_exist(self) -> "Tier2Options":
        self.quotas()
        return self

    def quotas(self) -> dict[str, int]:
        """Negatives by stratum.

        Raises:
          ValueError: where the numbers cannot be kept.
        """
        try:
            shares = shares_of(self.difficulty)
            by_level = tier2_quotas(STRATEGIES, self.per_term, shares)
            if self.compounds:
                by_level |= tier2_quotas((COMPOUND,), self.compounds, shares)
        except ValueError as e:
            raise ValueError(
                f"--per_term={self.per_term}, --compounds={self.compounds}, --difficulty={self.difficulty}: {e}"
            ) from None
        if self.catalogue == "ours":
            return by_level
        if self.compounds:
            raise ValueError("--compounds: the original has none; leave it out, or --catalogue=original")
        return dict.fromkeys(STRATEGIES, self.per_term)

    def gate(self) -> Gate:
        """What is asked for; the rows of the original are known to give their labels away."""
        return self.audit or ("gate" if self.catalogue == "ours" else "report")


def run(options: Tier2Options, beam_args: Sequence[str] = ()) -> bool:
    """Makes the output directory that `options` describe: negatives in `data/`, their twins in `benign/`.

    False if the audit of its rows is a gate and does not hold; the rows are committed all the same.

    Raises:
      UserError: for whatever the user can mend. Nothing is committed then.
    """
    engine = beam_options(options, beam_args, Tier2Options)
    ours = options.catalogue == "ours"
    plan = Plan(
        stage=STAGE,
        quotas=options.quotas(),
        stratum_of=stratum_of if ours else kind_of,
        first=Making(STRATEGIES, seed=options.seed, k=options.k, catalogue=options.catalogue),
        refill=(lambda stratum: refill(stratum, options.seed)) if ours else None,
        # A rug pull of the original is its own positive by row_hash.
        distinct=ours,
        folders={"adversarial": DATA, "benign": BENIGN},
        recipe={"per_term": options.per_term, "difficulty": options.difficulty, "catalogue": options.catalogue}
        | ({"compounds": options.compounds} if options.compounds else {}),
    )
    return run_families(options, plan, engine)


def refill(stratum: str, seed: int) -> Making:
    """What makes more rows of a stratum."""
    strategy, *form, level = stratum.split("/")
    return Making((strategy,), difficulty=level, seed=seed, form=form[0] if form else None)


def command(argv: Sequence[str], prog: str) -> int:
    """Runs the command line of `gatling-beam tier2`: 1 if the audit is a gate and does not hold, 0 otherwise."""
    options, beam_args = parse(Tier2Options, parser_of(Tier2Options, prog, __doc__ or ""), argv)
    return 0 if run(options, beam_args) else 1


def main() -> int:
    """The command alone, as `python -m gatling_beam.pipelines.tier2`."""
    from gatling_beam.pipelines.cli import main as cli

    return cli(["tier2", *sys.argv[1:]])


if __name__ == "__main__":
    # Functions of __main__ would be pickled by value; imported, they go by name.
    from gatling_beam.pipelines.tier2 import main

    raise SystemExit(main())
