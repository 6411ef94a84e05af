"""The Hub's end point, and its refusals in words that say what to do."""

import os
import time
from typing import Any

from huggingface_hub import constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import build_hf_headers, http_backoff

from gatling_beam.hub.errors import SourceUnavailable

#: Seconds without a byte after which a request is given up and tried again.
TIMEOUT_S = 30.0
_TRIES = 5


def endpoint() -> str:
    """`HF_ENDPOINT` of the process that asks, else the public Hub; without a slash at the end."""
    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


def first_contact(url: str) -> Any:
    """The answer to a GET of `url`. A server that cannot be connected to is tried twice, one that fails more often.

    Raises:
      HfHubHTTPError, HTTPError: the last failure, as it came.
    """
    for attempt in range(_TRIES):
        try:
            return http_backoff(
                "GET", url, headers=build_hf_headers(), timeout=TIMEOUT_S, base_wait_time=1, retry_on_exceptions=()
            )
        except HfHubHTTPError:
            raise
        except HTTPError as e:
            # Which HTTP client raises depends on the version of huggingface_hub; the name is the same.
            if attempt == (1 if type(e).__name__ == "ConnectError" else _TRIES - 1):
                raise
            time.sleep(2**attempt)
    raise AssertionError("the last try returns or raises")


def unavailable(error: Exception, hub_id: str, revision: str) -> SourceUnavailable:
    """`error`, as huggingface_hub raised it, as one sentence about `hub_id` and what to do."""
    page = f"{endpoint()}/datasets/{hub_id}"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, GatedRepoError):
        advice = (
            f"{hub_id} is gated: accept the terms at https://huggingface.co/datasets/{hub_id} and set HF_TOKEN in the "
            "environment of the workers to a token of that account"
        )
    elif isinstance(error, RevisionNotFoundError):
        advice = f"{hub_id} has no revision {revision!r}: take a branch, tag or commit listed at {page}/commits/main"
    elif isinstance(error, RepositoryNotFoundError):
        advice = (
            f"there is no data set {hub_id} at {endpoint()}, or it is private: check the id and, if it is private, set "
            "HF_TOKEN in the environment of the workers"
        )
    elif isinstance(error, EntryNotFoundError):
        advice = f"a file of {hub_id} at revision {revision!r} is listed, but not there: {error}"
    elif isinstance(error, OfflineModeIsEnabled):
        advice = f"{hub_id} cannot be read while HF_HUB_OFFLINE is set: unset it, or pass root= of a local mirror"
    elif status in (401, 403):
        advice = (
            f"{endpoint()} refuses {hub_id} ({status}): set HF_TOKEN in the environment of the workers to a token that "
            f"may read it, and accept its terms, if there are any, at https://huggingface.co/datasets/{hub_id}"
        )
    elif status is not None:
        advice = f"{endpoint()} answers {status} for {hub_id}, also after several tries: run again later"
    else:
        advice = (
            f"{endpoint()} cannot be reached for {hub_id} ({type(error).__name__}: {error}): check the network and "
            "HF_ENDPOINT, or pass root= of a local mirror"
        )
    return SourceUnavailable(advice)
