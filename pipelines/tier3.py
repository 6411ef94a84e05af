"""`gatling-beam tier3`: pairs of rows just inside and just outside a policy limit, in exact numbers by kind."""

import sys
from collections.abc import Sequence

from pydantic import Field, model_validator

from gatling_beam.families.build import BOUNDARY_KINDS
from gatling_beam.families.make import Making
from gatling_beam.pipelines.families_run import FamiliesOptions, Plan, run_families
from gatling_beam.pipelines.options import parse, parser_of
from gatling_beam.pipelines.output import DATA
from gatling_beam.pipelines.runner import beam_options
from gatling_beam.quotas import kind_of, tier3_quotas

STAGE = "tier3"


class Tier3Options(FamiliesOptions):
    """Tier III."""

    pairs: int = Field(
        description="rows outside a limit, as equally many of each kind as can be; each comes with the row inside, and "
        "where the limit crosses one way, with the row that does the same inside another one",
        ge=1,
        json_schema_extra={"metavar": "N"},
    )

    @model_validator(mode="after")
    def _quotas_exist(self) -> "Tier3Options":
        self.quotas()
        return self

    def quotas(self) -> dict[str, int]:
        """Pairs by kind.

        Raises:
          ValueError: if there are fewer pairs than kinds.
        """
        try:
            return tier3_quotas(BOUNDARY_KINDS, self.pairs)
        except ValueError as e:
            raise ValueError(f"--pairs={self.pairs}: {e}") from None


def run(options: Tier3Options, beam_args: Sequence[str] = ()) -> bool:
    """Makes the output directory that `options` describe: the rows of both labels in `data/`.

    False if the audit of its rows is a gate and does not hold; the rows are committed all the same.

    Raises:
      UserError: for whatever the user can mend. Nothing is committed then.
    """
    engine = beam_options(options, beam_args, Tier3Options)
    plan = Plan(
        stage=STAGE,
        quotas=options.quotas(),
        stratum_of=kind_of,
        first=Making(BOUNDARY_KINDS, seed=options.seed, k=options.k),
        refill=lambda kind: Making((kind,), seed=options.seed),
        folders={"adversarial": DATA, "benign": DATA},
        recipe={"pairs": options.pairs},
    )
    return run_families(options, plan, engine)


def command(argv: Sequence[str], prog: str) -> int:
    """Runs the command line of `gatling-beam tier3`: 1 if the audit is a gate and does not hold, 0 otherwise."""
    options, beam_args = parse(Tier3Options, parser_of(Tier3Options, prog, __doc__ or ""), argv)
    return 0 if run(options, beam_args) else 1


def main() -> int:
    """The command alone, as `python -m gatling_beam.pipelines.tier3`."""
    from gatling_beam.pipelines.cli import main as cli

    return cli(["tier3", *sys.argv[1:]])


if __name__ == "__main__":
    # Functions of __main__ would be pickled by value; imported, they go by name.
    from gatling_beam.pipelines.tier3 import main

    raise SystemExit(main())
