"""The small schema on a real server, on a port of its own choosing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from api.graphql.connections import Connections
from api.graphql.endpoint import GraphQLEndpoint
from api.graphql.options import EdgeOptions
from api.graphql.sockets import GraphQLSockets
from api.graphql.stream import GraphQLStream
from domains.kernel.errors import Unauthenticated
from schema.context import Context
from tests.api.edge.clients import STAFF, context_for
from tests.api.edge.small import SCHEMA


class Session:
    """A session that a test can end, by `Sessions.end`."""

    def __init__(self, sessions: Sessions, token: str) -> None:
        self.sessions = sessions
        self.token = token

    @property
    def client(self) -> str:
        return self.token

    async def context(self) -> Context:
        if self.token in self.sessions.ended:
            raise Unauthenticated("UNAUTHENTICATED", "请先登录")
        return Context(STAFF, "r", budget_key=self.token)

    async def ended(self) -> None:
        while self.token not in self.sessions.ended:
            await asyncio.sleep(0.02)


class Sessions:
    """Every token but "bad" opens a session."""

    def __init__(self) -> None:
        self.ended: set[str] = set()

    async def open(self, payload: Mapping[str, object], ws: WebSocket) -> Session:
        token = payload.get("token", "anyone")
        if token == "bad" or not isinstance(token, str):
            raise Unauthenticated("UNAUTHENTICATED", "请先登录")
        return Session(self, token)

    async def ended_for(self, context: Context) -> None:
        await Session(self, context.budget_key).ended()


def application(options: EdgeOptions, sessions: Sessions) -> Starlette:
    async def context(http: Request) -> Context:
        return await context_for(http)

    connections = Connections(options.sockets_per_client)
    endpoint = GraphQLEndpoint(SCHEMA, context, options)
    stream = GraphQLStream(endpoint, connections, sessions.ended_for)
    sockets = GraphQLSockets(endpoint.engine, sessions.open, connections)
    routes = [
        Route("/graphql", endpoint),
        WebSocketRoute("/graphql", sockets),
        Route("/graphql/stream", stream),
    ]
    return Starlette(routes=routes)


@contextmanager
def served(options: EdgeOptions, sessions: Sessions) -> Iterator[str]:
    """Serves in a thread; yields "127.0.0.1:port"."""
    config = uvicorn.Config(application(options, sessions), port=0, log_level="error", ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            threading.Event().wait(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
