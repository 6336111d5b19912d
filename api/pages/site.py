"""What stands before every page (页面入口): the session, the form token, limits, and what refusals look like."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message

from api import edge
from api.graphql.engine import Engine
from api.pages.asking import Refusal
from api.pages.cookies import Flash, Jar
from api.pages.page import HOME, PASSWORD, SIGN_IN, Page
from api.pages.sessions import Ended, Sessions, stranger
from api.pages.streaming import EventStream, Lasting
from api.settings import Settings
from schema.context import Language
from schema.errors import general_text, log_fault

Handler = Callable[[Page], Awaitable[Response]]
FORM_BYTES = 64 * 1024
MOST_FIELDS = 2000
SAFE = frozenset({"GET", "HEAD"})
# Pages of the signed-in never stay in a cache; one address is answered with a page or with a part.
HEADERS = {"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie, HX-Request"}


@dataclass(frozen=True, slots=True)
class View:
    """A handler and who may come to it. `limit` is the most that a form may hold, in bytes; `is_part` is
    what answers open pages only."""

    handler: Handler
    for_all: bool = False
    while_confined: bool = False
    is_part: bool = False
    limit: int = FORM_BYTES

    @property
    def is_desk(self) -> bool:
        """Whether it shows pages of the desk, with its bell."""
        return not (self.for_all or self.while_confined or self.is_part)


@dataclass(frozen=True, slots=True)
class Site:
    """The pages of one installation."""

    engine: Engine
    settings: Settings
    sessions: Sessions
    lasting: Lasting

    def route(self, path: str, method: str, view: View) -> Route:
        """A page at its address."""

        async def endpoint(request: Request) -> Response:
            return await self.answer(request, view)

        return Route(path, endpoint, methods=[method], name=f"{method} {path}")

    def jar_of(self, request: Request) -> Jar:
        """The cookies that came with a request."""
        return Jar(request.cookies, https=self.settings.url.startswith("https://"))

    async def answer(self, request: Request, view: View) -> Response:
        """The response to a request for a page, whatever happens."""
        origin = edge.origin_of(request)
        jar = self.jar_of(request)
        page = Page(self.engine, self.settings, request, jar, stranger(origin), self.lasting)
        try:
            response = await self._admitted(page, view)
        except ClientDisconnect:
            response = Response(status_code=400)
        except Exception as error:  # whatever it is, the person gets a page and no internals
            response = failed(page, error)
        page.jar.write(response)
        response.headers.update(HEADERS)
        return response

    async def unmatched(self, request: Request, error: Exception) -> Response:
        """The answer to an address that is none, or that takes another method: in HTML for a browser."""
        context = stranger(edge.origin_of(request))
        page = Page(self.engine, self.settings, request, self.jar_of(request), context, self.lasting)
        if "text/html" in request.headers.get("accept", ""):
            return failed(page, error)
        told = refusal_of(error, page.context.language)
        shown = {"code": told.code, "message": told.message, "requestId": page.context.request_id}
        return JSONResponse(shown, told.status, getattr(error, "headers", None))

    async def _admitted(self, page: Page, view: View) -> Response:
        try:
            page.context = await self.sessions.open(page.jar, page.context.actor.origin)
        except Ended:
            if not view.for_all:
                return signed_out(page, ended="1")
        actor = page.context.actor
        if actor.kind == "anonymous" and not view.for_all:
            return signed_out(page)
        if actor.kind == "resident" and not view.for_all:
            raise Refusal("FORBIDDEN", general_text("FORBIDDEN", page.context.language), 403)
        if actor.confined and not view.while_confined:
            return page.go(PASSWORD)
        if view.is_desk and not page.is_partial:
            await page.ring()
        if page.request.method in SAFE:
            return await view.handler(page)
        async with form_of(page.request, view.limit) as page.form:
            check_form(page)
            return await view.handler(page)


def signed_out(page: Page, **reason: str) -> Response:
    """To the sign-in; who follows events cannot show a page, and does not ask again after no content."""
    if page.request.headers.get("Accept") == EventStream.media_type:
        return Response(status_code=204)
    return page.go(sign_in_for(page, **reason))


def sign_in_for(page: Page, **reason: str) -> str:
    """The sign-in page that leads back here afterwards; a form that was sent is not sent again."""
    url = page.request.url
    here = url.path + (f"?{url.query}" if url.query else "")
    back = {"next": here} if page.request.method in SAFE and not page.is_partial and here != HOME else {}
    query = urlencode({**back, **reason})
    return f"{SIGN_IN}?{query}" if query else SIGN_IN


def check_form(page: Page) -> None:
    """A change comes from a page of ours: its form carries the token of the browser it was shown in."""
    request = page.request
    sent = request.headers.get("x-form-token") or page.typed("form_token")
    foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if foreign or not page.jar.vouches_for(sent, page.context.actor.session_id):
        raise Refusal("FORM_EXPIRED", page.texts("页面已过期，请刷新后重新提交"), 403)


@asynccontextmanager
async def form_of(request: Request, most: int) -> AsyncIterator[FormData]:
    """The fields and files of a form of at most so many bytes. Raises HTTPException 413 or 400."""
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > most:
            # The parser's own error, for which it puts its temporary files away.
            raise MultiPartException("too large")
        return message

    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise HTTPException(413)
    try:
        form = await Request(request.scope, receive).form(max_files=1, max_fields=MOST_FIELDS)
    except HTTPException:
        raise HTTPException(413 if received > most else 400) from None
    try:
        yield form
    finally:
        await form.close()


def failed(page: Page, error: Exception) -> Response:
    """What a person sees instead of the page."""
    told = error if isinstance(error, Refusal) else refusal_of(error, page.context.language)
    if told.status == 500 and told is not error:
        log_fault("page.fault", error, page.context.request_id)
    return refused(page, told)


def refusal_of(error: Exception, language: Language) -> Refusal:
    """What is told of an error that no operation raised; of a fault nothing but that there was one."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = _CODES.get(status, "BAD_REQUEST")
    return Refusal(code, general_text(code, language), status)


_CODES = {
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    500: "INTERNAL",
}


def refused(page: Page, refusal: Refusal) -> Response:
    """A refusal: on the way to sign in or to a new password, as a message in an open page, or as a page."""
    if refusal.status == 401:
        page.jar.forget()
        return signed_out(page, ended="1")
    if refusal.code == "PASSWORD_CHANGE_REQUIRED":
        return page.go(PASSWORD)
    if page.is_partial:
        return page.notify(Flash("danger", refusal.message))
    return page.show("error.html", refusal.status, refusal=refusal)
