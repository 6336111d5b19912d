"""GraphQL over HTTP on one path, with WebSocket on the same path and server-sent events on its own."""

from __future__ import annotations

import math
import uuid
from collections.abc import Awaitable, Callable

import orjson
import strawberry
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.graphql.body import receive
from api.graphql.engine import QUERY, QUERY_OR_MUTATION, Answer
from api.graphql.ide import render_ide, wants_ide
from api.graphql.negotiation import JSON, response_type
from api.graphql.options import EdgeOptions
from api.observability.operations import ObservedEngine
from domains.kernel.errors import (
    DomainError,
    Forbidden,
    NotFound,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from schema.context import Context, Language, language_of
from schema.errors import RequestRefusedError, log_fault, message_of, refusal
from schema.limits.budget import Budget

ContextFor = Callable[[HTTPRequest], Awaitable[Context]]
# A document that cannot run is answered 200 to clients of application/json, a malformed request never.
MALFORMED = frozenset({"BAD_REQUEST", "BATCHING_DISABLED", "CSRF_HEADER_REQUIRED"})
_STATUSES: tuple[tuple[type[DomainError], int], ...] = (
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Throttled, 429),
    (Unavailable, 503),
)


class GraphQLEndpoint:
    """An ASGI application for one path.

    `context_for` may raise a DomainError: Unauthenticated is answered 401, Throttled 429 with Retry-After.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        context_for: ContextFor,
        options: EdgeOptions,
        budget: Budget | None = None,
    ) -> None:
        self.engine = ObservedEngine(schema, options, budget)
        self.context_for = context_for
        self.options = options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.respond(HTTPRequest(scope, receive))
        await response(scope, receive, send)

    async def respond(self, http: HTTPRequest) -> Response:
        """The response to any HTTP request on this path."""
        if wants_ide(http, self.options):
            return render_ide(self.options)
        media_type = JSON
        try:
            media_type = response_type(http.headers)
            answer = await self._answer(http)
        except Exception as error:  # whatever it is, the client gets a coded error and no internals
            answer = refused_answer(http, error)
        return rendered(answer, media_type)

    async def _answer(self, http: HTTPRequest) -> Answer:
        if http.method not in ("GET", "POST"):
            raise RequestRefusedError("METHOD_NOT_ALLOWED", 405)
        context = await self.context_for(http)
        received = await receive(http, self.options)
        try:
            kinds = QUERY if http.method == "GET" else QUERY_OR_MUTATION
            return await self.engine.run(received.request, context, kinds)
        finally:
            await received.close()


def rendered(answer: Answer, media_type: str) -> Response:
    """The HTTP response of an answer."""
    status = answer.status
    codes = {error["extensions"]["code"] for error in answer.errors}
    if status == 400 and media_type == JSON and not codes & MALFORMED:
        status = 200
    headers = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language", **answer.headers}
    if status == 405:
        headers["Allow"] = "GET, POST"
    return Response(
        orjson.dumps(answer.body()), status, headers=headers, media_type=f"{media_type}; charset=utf-8"
    )


def refused_answer(http: HTTPRequest, error: Exception) -> Answer:
    """The answer to a request that was refused before there was an operation."""
    language, request_id = language_of(http.headers.get("accept-language", "")), request_id_of(http)
    if isinstance(error, DomainError):
        return domain_answer(error, request_id, language)
    if isinstance(error, ClientDisconnect):
        error = RequestRefusedError("BAD_REQUEST")
    if not isinstance(error, RequestRefusedError):
        log_fault("graphql.edge_fault", error, request_id)
        error = RequestRefusedError("INTERNAL", 500)
    shown = refusal(error, request_id, language)
    return Answer([shown], status=error.status, headers=dict(error.headers))


def domain_answer(error: DomainError, request_id: str, language: Language) -> Answer:
    """The answer when the caller could not be told who they are, or may not ask now."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)
    extensions = {"code": error.code, "requestId": request_id}
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'} if status == 401 else {}
    if isinstance(error, Throttled):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    message = message_of(error, language)
    return Answer([{"message": message, "extensions": extensions}], status=status, headers=headers)


def request_id_of(http: HTTPConnection) -> str:
    """The id given by a middleware in `request.state.request_id`, or one made now and kept there."""
    found: str | None = getattr(http.state, "request_id", None)
    if found is None:
        found = http.state.request_id = uuid.uuid4().hex
    return found
