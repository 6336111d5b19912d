"""The GraphQL edge over this installation: who calls, what it may cost, which documents are trusted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import HTTPConnection, Request
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from api.actors import actor_for, bearer
from api.graphql.budget import LimiterBudget
from api.graphql.connections import Connections
from api.graphql.documents import TrustedDocuments
from api.graphql.endpoint import GraphQLEndpoint, request_id_of
from api.graphql.options import EdgeOptions
from api.graphql.sockets import GraphQLSockets
from api.graphql.stream import GraphQLStream
from api.instance import cache
from api.settings import Settings
from domains.kernel.actor import Origin
from domains.kernel.errors import Unauthenticated
from domains.kernel.rates import Limiter, RateLimit, WhenDown
from schema.context import Context, language_of
from schema.root import schema

BUDGET = RateLimit("graphql", per_period=60_000, period_s=60, burst=20_000, when_down=WhenDown.OPEN)
"""Cost points of a caller: a screen of a phone costs some hundred."""

WATCH_S = 5.0
"""How late an open socket may learn that its session has ended."""


def origin_of(connection: HTTPConnection) -> Origin:
    """Where a request comes from; the server has resolved trusted proxies already."""
    return Origin(
        request_id=request_id_of(connection),
        ip=connection.client.host if connection.client else "",
        language=language_of(connection.headers.get("accept-language", "")),
        user_agent=connection.headers.get("user-agent", "")[:200],
    )


async def context_of(token: str | None, origin: Origin) -> Context:
    """The surroundings of an operation; an invalid credential is refused here."""
    actor = await actor_for(token, origin)
    return Context(
        actor=actor,
        request_id=origin.request_id,
        language=language_of(origin.language),
        budget_key=str(actor.account_id or origin.ip),
    )


async def context_for(request: Request) -> Context:
    """The surroundings of an operation over HTTP."""
    return await context_of(bearer(request.headers.get("authorization")), origin_of(request))


@dataclass(frozen=True, slots=True)
class Session:
    """Who is behind a socket. The access token it was opened with may run out; the session counts."""

    token: str | None
    origin: Origin

    async def context(self) -> Context:
        """Read anew for each operation."""
        return await context_of(self.token, self.origin)

    async def ended(self) -> None:
        """Returns when the session no longer counts; an anonymous one never ends."""
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                await self.context()
            except Unauthenticated:
                return


async def session_for(payload: Mapping[str, object], socket: WebSocket) -> Session:
    """The session named in `connection_init`: {"authorization": "Bearer …"}, or nobody."""
    header = payload.get("authorization", payload.get("Authorization"))
    session = Session(bearer(header if isinstance(header, str) else None), origin_of(socket))
    await session.context()
    return session


async def session_ended(context: Context) -> None:
    """Returns when the session behind a stream no longer counts."""
    from domains.identity.queries import live_session
    from domains.identity.tokens import Claims

    actor = context.actor
    while True:
        await asyncio.sleep(WATCH_S)
        if actor.account_id is None or actor.session_id is None:
            continue
        try:
            await live_session(Claims(actor.account_id, actor.session_id))
        except Unauthenticated:
            return


def options_of(settings: Settings) -> EdgeOptions:
    """How the edge behaves under these settings."""
    path = settings.trusted_documents
    return EdgeOptions(
        introspection=settings.introspection,
        suggestions=settings.introspection,
        ide=settings.ide,
        uploads=True,
        trusted=TrustedDocuments.read(path) if path else TrustedDocuments(),
        trusted_only=settings.trusted_documents_only,
        names_required=settings.profile == "production",
        allowed_origins=frozenset({settings.url}),
    )


def routes(settings: Settings) -> list[BaseRoute]:
    """GraphQL over HTTP and WebSocket on one path, server-sent events on another."""
    options = options_of(settings)
    endpoint = GraphQLEndpoint(schema, context_for, options, LimiterBudget(Limiter(cache()), BUDGET))
    held = Connections(options.sockets_per_client)
    return [
        Route("/graphql", endpoint),
        WebSocketRoute("/graphql", GraphQLSockets(endpoint.engine, session_for, held)),
        Route("/graphql/stream", GraphQLStream(endpoint, held, session_ended)),
    ]
