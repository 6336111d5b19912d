"""Around every request: its id, its line in the log, its part in the metrics."""

from __future__ import annotations

import time

import orjson
import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.observability import exchange
from api.observability.exchange import Exchange
from api.observability.metrics import OTHER, Metrics
from schema.context import language_of
from schema.errors import general_text, log_fault

log = structlog.get_logger("api.requests")
# Asked for every few seconds by machines; a line each would bury the rest.
QUIET = frozenset({"/health", "/ready", "/metrics"})


class Observed:
    """The outermost layer of the application. What nobody below has caught becomes a coded 500 here."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, and tells of it afterwards."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        here = Exchange(exchange.request_id(Headers(scope=scope).get("x-request-id")), self.metrics)
        scope.setdefault("state", {})["request_id"] = here.request_id
        exchange.begin(here)
        await (self._http if scope["type"] == "http" else self._socket)(here, scope, receive, send)

    async def _http(self, here: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (b"x-request-id", here.request_id.encode())]
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as fault:  # the caller gets a coded error, the log the place
            log_fault("request.fault", fault, here.request_id)
            if not status:
                await _internal(scope, here, sending)
        finally:
            seconds = time.perf_counter() - started
            route = route_of(scope)
            # A client that left before the answer is known to other servers under this number too.
            self.metrics.request(scope["method"], route, status or 499, seconds)
            if route not in QUIET or status >= 400:
                _log(here, scope["method"], route, status or 499, seconds)

    async def _socket(self, here: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        try:
            await self.app(scope, receive, send)
        finally:
            _log(here, "WEBSOCKET", route_of(scope), None, time.perf_counter() - started)


def route_of(scope: Scope) -> str:
    """The template of the address, never the address: that may hold a code or a name."""
    return getattr(scope.get("route"), "path", OTHER)


def _log(here: Exchange, method: str, route: str, status: int | None, seconds: float) -> None:
    log.info(
        "request",
        request_id=here.request_id,
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        operation=here.operation,
        actor=here.actor_kind,
        account_id=here.account_id and str(here.account_id),
    )


async def _internal(scope: Scope, here: Exchange, send: Send) -> None:
    language = language_of(Headers(scope=scope).get("accept-language", ""))
    told = {"code": "INTERNAL", "message": general_text("INTERNAL", language), "requestId": here.request_id}
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(told)})
