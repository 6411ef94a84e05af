"""The Messages and Message Batches API of Claude on loopback, for tests and benchmarks.

It speaks the API's protocol to the `anthropic` SDK and enforces its documented rules: what it refuses, how it counts
and what it charges are this project's reading of the documentation, so it tests clients, not Claude.

In a thread of a test, or in a process of its own:

    with serving(Config(latency=0.2, rate_limit=0.05)) as server:
        client = anthropic.Anthropic(api_key=server.api_key, base_url=server.url)
        ...
        assert server.stats()["paid_again"] == 0

    with spawned(Config(latency=2)) as server: ...

    python -m tools.claude_server --port 0 --latency 2     # prints {"port": ..., "url": ...} when it listens

`serving(config, answer=function)` or the option `answers="module:function"` say what the text of an answer is:
`function(body) -> str`, where body is the JSON of the request (in a batch, its params). The default is JSON that
satisfies the request's schema. Tests have the fixture `claude_server(answer=..., **options) -> Server`.

`Server`: `url`, `api_key`, `stats()`, `configure(**options)`, `reset()`. The options are the fields of `config.Config`.
Faults are rates, drawn by (seed, hash of the request, number of the attempt); `script=("rate_limit", "", "cut")` gives
the first requests of /v1/messages theirs, in order of arrival. Over HTTP: GET /_stats (?paid=0 leaves out the hashes),
POST /_config, POST /_reset.

What `stats()` has:
  requests         by method and route, such as "POST /v1/messages"
  statuses         of the answers, by their number
  outcomes         of generated answers: whole, cut or gone (the client had hung up), and their stop reasons
  paid             generated answers by `request_hash(body)`: also those that did not arrive
  paid_answers, paid_requests, duplicates    their sum, how many different requests, and the difference
  paid_again       answers generated after a usable one to the same request had been sent whole
  tokens           {model: {"standard" | "batch": {input, cache_write_5m, cache_write_1h, cache_read, output (with
                   thinking), thinking, answers}}}
  in_flight, max_in_flight    of /v1/messages
  seconds          from the first request of /v1/messages, or the first paid answer, to the last one
  batches          [{"id", "requests"}] in order of creation
  versions, retries, max_tokens    requests by anthropic-version, by x-stainless-retry-count, by max_tokens
"""

from .config import Config
from .faults import request_hash
from .serving import Server, serving, spawned

__all__ = ["Config", "Server", "request_hash", "serving", "spawned"]
