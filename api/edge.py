"""The GraphQL edge over this installation: who calls, what it may cost, which documents are trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from starlette.requests import HTTPConnection, Request
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from api.actors import actor_for, actor_of, bearer
from api.graphql.budget import LimiterBudget
from api.graphql.connections import Connections
from api.graphql.documents import TrustedDocuments
from api.graphql.endpoint import GraphQLEndpoint, request_id_of
from api.graphql.options import EdgeOptions
from api.graphql.sockets import GraphQLSockets
from api.graphql.stream import GraphQLStream
from api.instance import cache
from api.observability.exchange import note_actor
from api.observability.metrics import Metrics
from api.refusals import keep_refusals
from api.settings import Settings
from api.watching import Watch
from domains.identity.queries import live_session
from domains.identity.tokens import Claims, signer
from domains.kernel.actor import Actor, Origin
from domains.kernel.rates import Limiter, RateLimit, WhenDown
from schema.context import Context, language_of
from schema.root import schema

BUDGET = RateLimit("graphql", per_period=60_000, period_s=60, burst=20_000, when_down=WhenDown.OPEN)
"""Cost points of a caller: a screen of a phone costs some hundred."""

DESK_BUDGET = RateLimit("desk", per_period=600_000, period_s=60, burst=200_000, when_down=WhenDown.OPEN)
"""The same for the pages of staff, which execute committed documents alone: a list costs some thousand, and a clerk
turns a page every second or two."""

_watch = Watch()


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
    return _surroundings(await actor_for(token, origin))


def _surroundings(actor: Actor) -> Context:
    note_actor(actor)
    origin = actor.origin
    return Context(
        actor=actor,
        request_id=origin.request_id,
        language=language_of(origin.language),
        budget_key=str(actor.account_id or origin.ip),
        renewal=partial(actor_of, _claims_of(actor), origin, is_request=False),
    )


def _claims_of(actor: Actor) -> Claims | None:
    if actor.account_id is None or actor.session_id is None:
        return None
    return Claims(actor.account_id, actor.session_id)


async def context_for(request: Request) -> Context:
    """The surroundings of an operation over HTTP."""
    return await context_of(bearer(request.headers.get("authorization")), origin_of(request))


@dataclass(frozen=True, slots=True)
class Session:
    """Who is behind a socket. The access token it was opened with may run out; the session counts."""

    claims: Claims | None
    origin: Origin

    @property
    def client(self) -> str:
        """For whom connections are counted: the account, or the address of a stranger."""
        return str(self.claims.account_id if self.claims else self.origin.ip)

    async def context(self) -> Context:
        """Read anew for each operation."""
        return _surroundings(await actor_of(self.claims, self.origin))

    async def ended(self) -> None:
        """Returns when the session no longer counts; an anonymous one never ends."""
        await _watch.ended(self.claims)


async def session_for(payload: Mapping[str, object], socket: WebSocket) -> Session:
    """The session named in `connection_init`: {"authorization": "Bearer …"}, or nobody."""
    header = payload.get("authorization", payload.get("Authorization"))
    token = bearer(header if isinstance(header, str) else None)
    session = Session(signer().open(token) if token is not None else None, origin_of(socket))
    if session.claims is not None:
        await live_session(session.claims)
    return session


async def session_ended(context: Context) -> None:
    """Returns when the session behind a stream no longer counts."""
    await _watch.ended(_claims_of(context.actor))


def options_of(settings: Settings) -> EdgeOptions:
    """How the edge behaves under these settings."""
    path = settings.trusted_documents
    return EdgeOptions(
        on_errors=keep_refusals,
        introspection=settings.introspection,
        suggestions=settings.introspection,
        ide=settings.ide,
        uploads=True,
        trusted=TrustedDocuments.read(path) if path else TrustedDocuments(),
        trusted_only=settings.trusted_documents_only,
        names_required=settings.profile == "production",
        allowed_origins=frozenset({settings.url}),
    )


def routes(
    settings: Settings, metrics: Metrics | None = None, held: Connections | None = None
) -> list[BaseRoute]:
    """GraphQL over HTTP and WebSocket on one path, server-sent events on another."""
    options = options_of(settings)
    endpoint = GraphQLEndpoint(schema, context_for, options, LimiterBudget(Limiter(cache()), BUDGET))
    held = held or Connections(options.sockets_per_client)
    if metrics is not None:
        metrics.sockets.set_function(held.total)
    return [
        Route("/graphql", endpoint),
        WebSocketRoute("/graphql", GraphQLSockets(endpoint.engine, session_for, held)),
        Route("/graphql/stream", GraphQLStream(endpoint, held, session_ended)),
    ]
