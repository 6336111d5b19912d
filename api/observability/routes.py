"""What machines ask: is it alive, can it serve, how is it doing."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from api.instance import cache
from api.migrating import pending_migrations
from api.observability.backlog import Gauges
from api.observability.metrics import Metrics
from api.settings import Settings
from domains.kernel import database

PATIENCE_S = 3.0


async def health(_: Request) -> Response:
    """The process lives."""
    return JSONResponse({"status": "ok"})


class Readiness:
    """Whether new requests should come here: database, cache and migrations, and nobody asked us to stop."""

    def __init__(self, stop: asyncio.Event | None = None) -> None:
        self._stop = stop
        self._current = False

    async def __call__(self, _: Request) -> Response:
        """200, or 503 with what is missing."""
        if self._stop is not None and self._stop.is_set():
            return JSONResponse({"status": "stopping"}, 503)
        database_up, cache_up = await asyncio.gather(_holds(self._database), _holds(_cache))
        found = {"database": database_up, "cache": cache_up, "migrations": self._current}
        ready = all(found.values())
        return JSONResponse({"status": "ready" if ready else "unavailable", **found}, 200 if ready else 503)

    async def _database(self) -> bool:
        if self._current:
            return bool(await database.fetchval("SELECT true"))
        # Migrations only go forward: once current, this program stays served by them.
        self._current = not await pending_migrations()
        return True


async def _cache() -> bool:
    return bool(await cache().ping())


async def _holds(check: Callable[[], Awaitable[bool]]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await check()
    except Exception:  # whatever is wrong, the answer is "not now"
        return False


class Exposition:
    """The metrics, for the private network or whoever brings the token."""

    def __init__(self, metrics: Metrics, settings: Settings) -> None:
        self._metrics = metrics
        self._gauges = Gauges(metrics.registry)
        self._token = settings.metrics_token.get_secret_value() if settings.metrics_token else ""

    async def __call__(self, request: Request) -> Response:
        """The text format of Prometheus, or 403."""
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        if not (from_private_network(request) or self._has_token(request)):
            return JSONResponse({"status": "forbidden"}, 403)
        await self._gauges.read()
        body = generate_latest(self._metrics.registry)
        return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})

    def _has_token(self, request: Request) -> bool:
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        return bool(self._token) and hmac.compare_digest(sent.encode(), self._token.encode())


def from_private_network(request: Request) -> bool:
    """Whether everybody on the way is in the private network. A proxy that is not trusted by the settings
    names the true caller in a header only, and every address there counts."""
    named = request.headers.getlist("x-forwarded-for")
    others = [host.strip() for host in ",".join(named).split(",") if host.strip()]
    return all(_is_private(host) for host in (request.client.host if request.client else "", *others))


def _is_private(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback


def routes(metrics: Metrics, settings: Settings, stop: asyncio.Event | None = None) -> list[BaseRoute]:
    """/health, /ready and /metrics."""
    return [
        Route("/health", health),
        Route("/ready", _endpoint(Readiness(stop))),
        Route("/metrics", _endpoint(Exposition(metrics, settings))),
    ]


def _endpoint(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await answer(request)

    return endpoint
