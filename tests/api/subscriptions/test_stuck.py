"""Who asks for news and does not take them holds nothing for long."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager

import pytest
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route, WebSocketRoute

from api.graphql.connections import Connections
from api.graphql.endpoint import GraphQLEndpoint
from api.graphql.options import EdgeOptions
from api.graphql.sockets import GraphQLSockets
from api.graphql.stream import GraphQLStream
from schema.context import Context

OPEN: set[int] = set()


async def flood() -> AsyncGenerator[str, None]:
    me = id(asyncio.current_task())
    OPEN.add(me)
    try:
        while True:
            yield "x" * 200_000
            await asyncio.sleep(0)
    finally:
        OPEN.discard(me)


@strawberry.type
class Query:
    nothing: str = ""


@strawberry.type
class Subscription:
    flood = strawberry.subscription(resolver=flood)


class Anybody:
    client = "anybody"

    async def context(self) -> Context:
        return Context(budget_key="anybody")

    async def ended(self) -> None:
        await asyncio.Event().wait()


async def context_for(_: Request) -> Context:
    return Context(budget_key="anybody")


async def session_for(*_: object) -> Anybody:
    return Anybody()


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    held = Connections(5)
    endpoint = GraphQLEndpoint(
        strawberry.Schema(Query, subscription=Subscription), context_for, EdgeOptions(send_limit_s=0.3)
    )
    routes = [
        WebSocketRoute("/graphql", GraphQLSockets(endpoint.engine, session_for, held)),
        Route("/graphql/stream", GraphQLStream(endpoint, held)),
    ]
    config = uvicorn.Config(
        Starlette(routes=routes), port=0, log_level="critical", ws="websockets-sansio",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            threading.Event().wait(0.02)
        yield server.servers[0].sockets[0].getsockname()[:2]
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def by_events(line: socket.socket) -> None:
    body = json.dumps({"query": "subscription { flood }"}).encode()
    line.sendall(
        b"POST /graphql/stream HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n"
        + f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def handshake(line: socket.socket) -> None:
    key = base64.b64encode(os.urandom(16))
    line.sendall(
        b"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n"
    )
    line.recv(4096)


def send(line: socket.socket, message: Mapping[str, object]) -> None:
    text = json.dumps(message).encode()
    length = struct.pack("!B", 0x80 | len(text)) if len(text) < 126 else struct.pack("!BH", 0xFE, len(text))
    # A masked text frame whose mask is zero.
    line.sendall(b"\x81" + length + bytes(4) + text)


def by_websocket(line: socket.socket) -> None:
    handshake(line)
    send(line, {"type": "connection_init"})
    send(line, {"type": "subscribe", "id": "1", "payload": {"query": "subscription { flood }"}})


def until(holds: bool) -> None:
    for _ in range(300):
        if bool(OPEN) == holds:
            return
        threading.Event().wait(0.02)
    raise AssertionError(f"still {'closed' if holds else 'open'}")


@pytest.mark.parametrize("ask", [by_events, by_websocket])
def test_a_line_that_is_stuck_is_cut(ask: object) -> None:
    assert callable(ask)
    with served() as address, socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(address)
        ask(line)
        until(holds=True)
        until(holds=False)
