"""The routes."""

import json
import traceback
from collections.abc import Awaitable, Callable

from aiohttp import web

from .answers import Answerer
from .batches import Batches
from .claude import Claude
from .config import Config
from .errors import ApiError, request_id
from .rules import check_counted, check_version, find_model, parsed
from .tokens import blocks_of, tokens_of

_MB = 1024 * 1024
_MAX_MESSAGE, _MAX_BATCH = 32 * _MB, 256 * _MB

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(config: Config, answer: Answerer | None = None) -> web.Application:
    """The server of a configuration; `answer` goes before `config.answers`."""
    routes = _Routes(Claude(config, answer))
    app = web.Application(client_max_size=_MAX_BATCH, middlewares=[routes.guard])
    app.add_routes(
        [
            web.post("/v1/messages", routes.message),
            web.post("/v1/messages/count_tokens", routes.count_tokens),
            web.get("/v1/models/{id}", routes.model),
            web.post("/v1/messages/batches", routes.create_batch),
            web.get("/v1/messages/batches", routes.list_batches),
            web.get("/v1/messages/batches/{id}", routes.batch),
            web.get("/v1/messages/batches/{id}/results", routes.results),
            web.post("/v1/messages/batches/{id}/cancel", routes.cancel),
            web.get("/_stats", routes.stats),
            web.post("/_config", routes.configure),
            web.post("/_reset", routes.reset),
        ]
    )
    return app


def _base(request: web.Request) -> str:
    return f"http://{request.host}"


async def _read(request: web.Request, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        raise ApiError(413, "Request exceeds the maximum size")
    raw = await request.read()
    if len(raw) > limit:
        raise ApiError(413, "Request exceeds the maximum size")
    return raw


class _Routes:
    def __init__(self, claude: Claude) -> None:
        self._claude = claude
        self._batches = Batches(claude)

    @web.middleware
    async def guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Counts requests and statuses, checks key and version, and gives errors the API's form."""
        if not request.path.startswith("/v1/"):
            return await handler(request)
        stats, id_ = self._claude.stats, request_id()
        resource = request.match_info.route.resource
        stats.requests[f"{request.method} {resource.canonical if resource else request.path}"] += 1
        stats.versions[request.headers.get("anthropic-version", "")] += 1
        stats.retries[request.headers.get("x-stainless-retry-count", "")] += 1
        try:
            self._check_key(request)
            request["version"] = check_version(request.headers.get("anthropic-version"))
            request["request_id"] = id_
            response = await handler(request)
        except ApiError as e:
            response = web.json_response(e.body(id_), status=e.status, headers=e.headers)
        except web.HTTPException as e:
            error = ApiError(413 if e.status == 413 else 404, e.reason)
            response = web.json_response(error.body(id_), status=error.status)
        except Exception as e:
            # A fault of the answering function, or of this server: tests shall see it.
            traceback.print_exc()
            response = web.json_response(ApiError(500, f"{type(e).__name__}: {e}").body(id_), status=500)
        stats.statuses[str(response.status)] += 1
        if not response.prepared:
            response.headers["request-id"] = id_
        return response

    def _check_key(self, request: web.Request) -> None:
        key = self._claude.config.api_key
        if request.headers.get("Authorization") == f"Bearer {key}" or request.headers.get("x-api-key") == key:
            return
        if "x-api-key" in request.headers:
            raise ApiError(401, "invalid x-api-key")
        raise ApiError(401, "invalid authentication credentials")

    async def message(self, request: web.Request) -> web.Response:
        body = parsed(await _read(request, _MAX_MESSAGE))

        def gone() -> bool:
            return request.transport is None or request.transport.is_closing()

        reply = await self._claude.reply(body, request["version"], gone)
        text = json.dumps(reply.message)
        if reply.cut:
            text = text[: len(text) // 2]
        return web.Response(text=text, content_type="application/json", headers=reply.headers)

    async def count_tokens(self, request: web.Request) -> web.Response:
        body = parsed(await _read(request, _MAX_MESSAGE))
        check_counted(body)
        return web.json_response({"input_tokens": tokens_of(sum(len(block.text) for block in blocks_of(body)))})

    async def model(self, request: web.Request) -> web.Response:
        return web.json_response(find_model(request.match_info["id"]).info())

    async def create_batch(self, request: web.Request) -> web.Response:
        batch = await self._batches.create(parsed(await _read(request, _MAX_BATCH)), request["version"])
        return web.json_response(batch.view(_base(request)))

    async def list_batches(self, request: web.Request) -> web.Response:
        limit = request.query.get("limit", "20")
        page, more = self._batches.page(
            int(limit) if limit.isdecimal() else 0, request.query.get("after_id"), request.query.get("before_id")
        )
        return web.json_response(
            {
                "data": [batch.view(_base(request)) for batch in page],
                "has_more": more,
                "first_id": page[0].id if page else None,
                "last_id": page[-1].id if page else None,
            }
        )

    async def batch(self, request: web.Request) -> web.Response:
        return web.json_response(self._batches.get(request.match_info["id"]).view(_base(request)))

    async def cancel(self, request: web.Request) -> web.Response:
        return web.json_response(self._batches.cancel(request.match_info["id"]).view(_base(request)))

    async def results(self, request: web.Request) -> web.StreamResponse:
        lines = self._batches.lines(request.match_info["id"])
        headers = {"content-type": "application/x-jsonl", "request-id": request["request_id"]}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        for line in lines:
            await response.write(line)
        await response.write_eof()
        return response

    async def stats(self, request: web.Request) -> web.Response:
        return web.json_response(self._claude.stats.summary(hashes=request.query.get("paid") != "0"))

    async def configure(self, request: web.Request) -> web.Response:
        try:
            self._claude.configure(parsed(await request.read()))
        except ValueError as e:
            return web.Response(text=str(e), status=400)
        return web.json_response(self._claude.config.model_dump())

    async def reset(self, request: web.Request) -> web.Response:
        self._claude.reset()
        return web.json_response({})
