"""Groups for the tests of batches, and runs of them in processes of their own that kill themselves at a given point.

    python batch_run.py

reads lines `URL DIRECTORY POINT`, and after each run writes the number of the signal that ended it.
"""

import os
import signal
import sys

import anthropic

import gatling_beam.claude.batch_writer as batch_writer
from gatling_beam.claude.batch_files import BatchFiles
from gatling_beam.claude.batch_read import BatchReader
from gatling_beam.claude.batch_settings import BatchSettings
from gatling_beam.claude.batch_writer import BatchWriter
from gatling_beam.claude.batches import run_batches
from gatling_beam.claude.calls import Answer, Call
from gatling_beam.claude.prices import price

MODEL = "claude-haiku-5-5"
PRICE = price(MODEL)


def call(phase: str, text: str, max_tokens: int = 500) -> Call:
    return Call(phase, {"model": MODEL, "max_tokens": max_tokens, "messages": [{"role": "user", "content": text}]})


def text_of(answer: Answer) -> str:
    if answer.message is None:
        return f"refused: {answer.error}"
    return answer.message["content"][-1]["text"]


def group(name: str, calls: int = 5):
    """Two steps: `calls` questions, and one more about their answers."""

    def steps():
        first = yield [call("requests", f"{name} question {i}") for i in range(calls)]
        said = [text_of(answer) for answer in first]
        (last,) = yield [call("graphs", f"{name} about {said}")]
        return [*said, text_of(last)]

    return steps


def groups(shards: int = 2, each: int = 10, calls: int = 5):
    return {f"s{s}": [group(f"s{s}-{g}", calls) for g in range(each)] for s in range(shards)}


def client(url: str, **options):
    return anthropic.Anthropic(api_key="test-key", base_url=url, **options)


def settings(**options) -> BatchSettings:
    return BatchSettings(PRICE, **{"poll_s": 0.05, "settle_s": 0.5, "batch_requests": 40, **options})


def _kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_after(owner, name, calls):
    real, seen = getattr(owner, name), []

    def counted(*args, **kwargs):
        result = real(*args, **kwargs)
        seen.append(1)
        if len(seen) == calls:
            _kill()
        return result

    setattr(owner, name, counted)


POINTS = {
    "intent": lambda: _kill_after(BatchFiles, "intend", 2),
    "created": lambda: setattr(BatchFiles, "submit", _kill),
    "polling": lambda: _kill_after(BatchReader, "batch", 1),
    "fetching": lambda: _kill_after(BatchWriter, "keep", 15),
    "written": lambda: setattr(BatchFiles, "close", _kill),
    "second_round": lambda: _kill_after(BatchFiles, "submit", 4),
}


def _run(url: str, directory: str, point: str) -> None:
    batch_writer._WRITE_AT = 10
    POINTS[point]()
    run_batches(groups(), directory, client(url), settings())


if __name__ == "__main__":
    for line in sys.stdin:
        # Forked, a run need not import everything again.
        child = os.fork()
        if not child:
            _run(*line.split())
            os._exit(0)
        print(os.WTERMSIG(os.waitpid(child, 0)[1]), flush=True)
