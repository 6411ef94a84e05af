"""`gold --dry_run`: what a run by Claude would cost."""

import os
from functools import partial

import anthropic

from gatling_beam.claude.engine_settings import KEY_VARIABLE, EngineSettings
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.estimate import Estimate, estimate, token_counter
from gatling_beam.claude.forecast import VALID_SHARE, cache_hits_of, plan_calls, valid_share_of
from gatling_beam.claude.group import GroupJob
from gatling_beam.claude.preflight import look_up_model, make_client
from gatling_beam.claude.prices import Price
from gatling_beam.claude.priors import Mode, Priors, priors, priors_of
from gatling_beam.pipelines.options import UserError

_MODES: dict[bool, Mode] = {False: "online", True: "batch"}


def print_estimate(
    job: GroupJob,
    total: int,
    answers: str,
    of: Price,
    *,
    batch: bool,
    engine: EngineSettings,
    max_cost_usd: float | None,
) -> None:
    """Prints what `total` traces would cost; nothing that costs is asked.

    Lengths of answers and the share of valid traces are those of the answers in `answers`, if there are any. Tokens are
    counted by the API, which is free, if there is a key.

    Raises:
      UserError: for a model that is retired, or a key that is not accepted.
    """
    valid = valid_share_of(answers)
    plan = plan_calls(job, total, valid or VALID_SHARE)
    guess = partial(estimate, plan, of, batch, _known(job, sum(phase.calls for phase in plan), answers, batch))
    if os.environ.get(KEY_VARIABLE):
        try:
            client = make_client(engine)
            look_up_model(client, of.model)
            found: Estimate = guess(token_counter(client))
        except Stopped as e:
            raise UserError(str(e)) from None
        except anthropic.APIError as e:
            raise UserError(
                f"the Anthropic API does not count tokens ({type(e).__name__}); unset the key to go by length"
            ) from None
    else:
        found = guess()
    print(f"{total:,} traces, nothing is paid for:")
    print(found.render())
    share = f"{valid:.0%}, measured in {answers}" if valid else f"{VALID_SHARE:.0%}, assumed until there is a pilot"
    print(f"Traces that are valid at a time: {share}; the others are asked for anew.")
    if max_cost_usd is not None and found.total.usd > max_cost_usd:
        print(f"--max_cost_usd={max_cost_usd:g} would stop this run before its end.")


def _known(job: GroupJob, calls: int, answers: str, batch: bool) -> Priors:
    """What the estimate goes by: what the pilot in `answers` shows, else what is assumed."""
    found, mode = priors_of(answers), _MODES[batch]
    of_pilot = sum(length.answers for length in found.output_tokens.values())
    measured = found.cache_hits[mode] if of_pilot else None
    hits = cache_hits_of(priors().cache_hits[mode], job, calls, measured, of_pilot)
    return found.model_copy(update={"cache_hits": {**found.cache_hits, mode: hits}})
