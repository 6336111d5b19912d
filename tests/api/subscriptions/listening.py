"""Clients that listen: graphql-transport-ws and server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Json = Any  # messages have any shape
CHANGED = "subscription Changed { registrationChanged { id state reason } }"
PATIENCE_S = 10


@asynccontextmanager
async def by_websocket(
    address: str, token: str | None, query: str = CHANGED, **variables: object
) -> AsyncIterator[ClientConnection]:
    """A socket on which the operation was asked for."""
    payload = {"authorization": f"Bearer {token}"} if token else {}
    async with connect(f"ws://{address}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]) as ws:
        await ws.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert json.loads(await ws.recv()) == {"type": "connection_ack"}
        await ws.send(
            json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query, "variables": variables}})
        )
        yield ws


async def message(ws: ClientConnection) -> Json:
    """The next message."""
    return json.loads(await asyncio.wait_for(ws.recv(), PATIENCE_S))


async def close_code(ws: ClientConnection) -> int | None:
    """The code with which the server closes, whatever comes before."""
    try:
        while True:
            await asyncio.wait_for(ws.recv(), PATIENCE_S)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


@asynccontextmanager
async def by_events(
    address: str, token: str | None, query: str = CHANGED, **variables: object
) -> AsyncIterator[httpx.Response]:
    """An event stream, open: from now on nothing is missed."""
    headers = {"accept": "text/event-stream", **({"authorization": f"Bearer {token}"} if token else {})}
    async with (
        httpx.AsyncClient(base_url=f"http://{address}", timeout=PATIENCE_S) as http,
        http.stream(
            "POST", "/graphql/stream", json={"query": query, "variables": variables}, headers=headers
        ) as response,
    ):
        yield response


async def events(response: httpx.Response) -> AsyncIterator[Json]:
    """What comes, to the end of the stream."""
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))
