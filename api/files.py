"""Stored files over HTTP (文件下载): by an address that was signed for the account that asks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from api import edge
from api.actors import bearer
from api.pages.cookies import Jar
from api.pages.site import Site
from domains.kernel import clock, files
from domains.kernel.actor import Actor
from domains.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Throttled, Unauthenticated
from domains.kernel.storage import byte_range, response_headers
from domains.kernel.storage.content import XLSX
from schema.context import language_of
from schema.errors import message_of

_STATUSES: tuple[tuple[type[DomainError], int], ...] = (
    (Unauthenticated, 401), (Forbidden, 403), (NotFound, 404), (Throttled, 429), (Invalid, 400),
)  # fmt: skip
TEMPLATE_NAME = "邻里台账导入模板.xlsx"


def routes(site: Site) -> list[BaseRoute]:
    """The template of a register, for all, and the stored files, for whom they were signed."""

    async def stored(request: Request) -> Response:
        jar = site.jar_of(request)
        try:
            response = await _stored(request, await _caller(request, site, jar))
        except DomainError as error:
            response = refused(request, error)
        # The cookies of a page may have been renewed on the way, and the old ones are spent then.
        jar.write(response)
        return response

    return [Route("/files/register-template.xlsx", template), Route("/files/{token}", stored)]


async def _caller(request: Request, site: Site, jar: Jar) -> Actor:
    token, origin = bearer(request.headers.get("authorization")), edge.origin_of(request)
    if token is not None:
        context = await edge.context_of(token, origin)
    else:
        context = await site.sessions.open(jar, origin)
    if context.actor.confined:
        context.actor.refuse()
    return context.actor


async def _stored(request: Request, actor: Actor) -> Response:
    grant = files.links().open(request.path_params["token"], clock.now(), files.audience_of(actor))
    stat = await files.storage().stat(grant.key)
    # No file has a validator of ours, so that no condition on a part can be met (RFC 9110, 13.1.5).
    wanted = None if "if-range" in request.headers else request.headers.get("range")
    try:
        part = byte_range(wanted, stat.size)
    except Invalid as outside:
        return refused(request, outside, 416, {"Content-Range": f"bytes */{stat.size}"})
    headers = response_headers(
        content_type=stat.content_type,
        size=stat.size,
        max_age_s=int((grant.expires_at - clock.now()).total_seconds()),
        download_name=grant.download_name,
        part=part,
    )
    status = 206 if part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    start, end = (part.start, part.end) if part else (0, None)
    return StreamingResponse(await files.storage().open(grant.key, start, end), status, headers)


def refused(
    request: Request, error: DomainError, status: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The refusal in words, under the status of its family unless another is given."""
    status = status or next((status for kind, status in _STATUSES if isinstance(error, kind)), 503)
    origin = edge.origin_of(request)
    shown = {
        "code": error.code, "message": message_of(error, language_of(origin.language)),
        "requestId": origin.request_id,
    }  # fmt: skip
    return JSONResponse(shown, status, {"Cache-Control": "no-store", **(headers or {})})


async def template(_: Request) -> Response:
    """The workbook that a property company fills in; it holds no data of anybody."""
    body = await asyncio.to_thread(_template)
    headers = response_headers(content_type=XLSX, size=len(body), max_age_s=3600, download_name=TEMPLATE_NAME)
    return Response(body, headers=headers)


@cache
def _template() -> bytes:
    from domains.residents.register.template import template_workbook  # it loads the library for Excel

    return template_workbook()
