"""`python -m tools.claude_server --port 0 --latency 2 --rate_limit 0.05`: see the package's docstring."""

import argparse
import asyncio
import json
import signal
from typing import Any

from .config import Config
from .serving import listen


def _arguments() -> tuple[Config, int]:
    parser = argparse.ArgumentParser(prog="python -m tools.claude_server", description="A Messages API on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free; it is printed")
    parser.add_argument("--config", default="{}", metavar="JSON", help="options; those below go before them")
    for name, field in Config.model_fields.items():
        kind: Any = field.annotation if field.annotation in (int, float) else str
        text = f"{field.description or name}; default {field.default!r}".replace("%", "%%")
        parser.add_argument(f"--{name}", type=kind, default=argparse.SUPPRESS, help=text)
    options = vars(parser.parse_args())
    port, config = options.pop("port"), json.loads(options.pop("config"))
    if "script" in options:
        options["script"] = options["script"].split(",")
    try:
        return Config.model_validate({**config, **options}), port
    except ValueError as e:
        parser.error(str(e))


async def _main(config: Config, port: int) -> None:
    runner, port = await listen(config, port=port)
    print(json.dumps({"port": port, "url": f"http://127.0.0.1:{port}"}), flush=True)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await runner.cleanup()


asyncio.run(_main(*_arguments()))
