"""The ASGI application: GraphQL, health and readiness, metrics, pages."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api import edge
from api.instance import cache
from api.settings import Settings
from domains.kernel import database


async def health(_: Request) -> Response:
    """The process lives."""
    return JSONResponse({"status": "ok"})


async def ready(_: Request) -> Response:
    """The process can serve: database and cache answer."""
    try:
        await database.fetchval("SELECT 1")
        await cache().ping()
    except Exception:  # whatever is wrong, the answer is "not now"
        return JSONResponse({"status": "unavailable"}, status_code=503)
    return JSONResponse({"status": "ready"})


def build_app(settings: Settings) -> Starlette:
    """The application over slots that are filled."""
    return Starlette(routes=[*edge.routes(settings), Route("/health", health), Route("/ready", ready)])
