"""Servers for tests and benchmarks: in a thread of this process, or in a process of their own."""

import asyncio
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from .answers import Answerer
from .app import make_app
from .config import Config

_ROOT = Path(__file__).parents[2]
# The environment's proxies are not for loopback.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Server:
    """A server that runs: `url` is the base_url for a client, `api_key` its key."""

    def __init__(self, url: str, api_key: str) -> None:
        self.url, self.api_key = url, api_key

    def stats(self, hashes: bool = True) -> dict[str, Any]:
        """The counts that the package's docstring names; without `hashes`, `paid` is left out."""
        return self._ask("GET", f"/_stats?paid={int(hashes)}")

    def configure(self, **options: Any) -> None:
        """Changes options of `Config` from now on.

        Raises:
          urllib.error.HTTPError: an option is unknown or out of its range.
        """
        self._ask("POST", "/_config", options)

    def reset(self) -> None:
        """Forgets the counts."""
        self._ask("POST", "/_reset", {})

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with _OPENER.open(urllib.request.Request(self.url + path, data, method=method), timeout=60) as response:
            answer: dict[str, Any] = json.load(response)
            return answer


async def listen(config: Config, answer: Answerer | None = None, port: int = 0) -> tuple[web.AppRunner, int]:
    """Starts a server on loopback in this loop: what stops it by `cleanup()`, and its port."""
    # A request that hangs does not hold the server up when it stops.
    runner = web.AppRunner(make_app(config, answer), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    return runner, runner.addresses[0][1]


@contextmanager
def serving(config: Config | None = None, answer: Answerer | None = None) -> Iterator[Server]:
    """A server in a thread, until the block ends. `answer` goes before `config.answers`."""
    config = config or Config()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="claude-server", daemon=True)
    thread.start()
    try:
        runner, port = asyncio.run_coroutine_threadsafe(listen(config, answer), loop).result()
        try:
            yield Server(f"http://127.0.0.1:{port}", config.api_key)
        finally:
            asyncio.run_coroutine_threadsafe(_stop(runner), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _stop(runner: web.AppRunner) -> None:
    await runner.cleanup()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


@contextmanager
def spawned(config: Config | None = None, port: int = 0) -> Iterator[Server]:
    """A server in a process of its own (`python -m tools.claude_server`), until the block ends."""
    config = config or Config()
    command = [sys.executable, "-m", "tools.claude_server", "--port", str(port), "--config", config.model_dump_json()]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start: {' '.join(command)}")
        yield Server(json.loads(line)["url"], config.api_key)
    finally:
        process.terminate()
        process.communicate()
