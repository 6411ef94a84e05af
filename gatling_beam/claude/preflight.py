"""What is looked at before a run asks Claude for anything: the key, the model and its price. None of it costs."""

from datetime import datetime
from json import JSONDecodeError

import anthropic

from gatling_beam.claude.engine_settings import KEY_VARIABLE, EngineSettings, read_key
from gatling_beam.claude.errors import Stopped
from gatling_beam.claude.faults import AskAgain, meaning

_TIMEOUT_S = 30.0


def make_client(settings: EngineSettings) -> anthropic.Anthropic:
    """A client for questions that cost nothing, and for batches.

    Raises:
      Stopped: authentication, where there is no key, or what cannot be one.
    """
    key = read_key()
    if not key:
        raise Stopped(
            "authentication",
            f"{KEY_VARIABLE} is not set: export a key of the Anthropic API in it; --oracle=template needs none",
        )
    version = settings.api_version
    return anthropic.Anthropic(
        api_key=key,
        base_url=settings.base_url or None,
        timeout=_TIMEOUT_S,
        default_headers={"anthropic-version": version} if version else None,
    )


def look_up_model(client: anthropic.Anthropic, model: str) -> str:
    """A warning for a model that will be retired, or "".

    Raises:
      Stopped: if the API does not know the key or the model, or has retired it, or does not answer.
    """
    try:
        found = client.models.retrieve(model)
    except (anthropic.APIError, JSONDecodeError) as e:
        cause = meaning(e, model, client.api_key or "")
        if isinstance(cause, AskAgain):
            raise Stopped("exhausted", f"the Anthropic API does not answer ({cause.kind}); run again later") from None
        if isinstance(cause, Stopped):
            raise cause from None
        raise Stopped("model", f"--model={model}: the Anthropic API refuses to say what it is ({cause})") from None
    lifecycle = getattr(found, "lifecycle", "active")
    retires = getattr(found, "retires_at", None)
    when = f" on {retires.date()}" if isinstance(retires, datetime) else ""
    if lifecycle == "retired":
        raise Stopped("model", f"--model={model} was retired{when}; name one that is active")
    return f"{model} is deprecated and will be retired{when}" if lifecycle == "deprecated" else ""
