"""Clients that follow their inbox or events, by either transport, and what they were shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any

import httpx

from tests.api.subscriptions.listening import by_events, by_websocket, events, message

Json = Any  # answers have any shape
INBOX = """subscription Inbox($after: String) { inboxChanged(after: $after) {
    cursor unreadCount notification { id title } } }"""
EVENTS = """subscription Events($after: String, $names: [String!]) { viewerEvents(after: $after, names: $names) {
    cursor name subject at node { __typename id } } }"""
HERE = "query Here { viewer { eventCursor inbox(first: 1) { unreadCount } } }"
Answers = AsyncGenerator[Json, None]
Follow = Callable[..., AbstractAsyncContextManager[Answers]]


@asynccontextmanager
async def over_websocket(
    address: str, token: str | None, query: str = EVENTS, **variables: object
) -> AsyncIterator[Answers]:
    """The payloads of a subscription; those of an `error` are answers without data."""

    async def each() -> Answers:
        while (heard := await message(ws))["type"] != "complete":
            payload = heard["payload"]
            yield payload if heard["type"] == "next" else {"errors": payload}

    async with by_websocket(address, token, query, **variables) as ws, aclosing(each()) as answers:
        yield answers


@asynccontextmanager
async def over_events(
    address: str, token: str | None, query: str = EVENTS, **variables: object
) -> AsyncIterator[Answers]:
    """The same over server-sent events."""

    async def each() -> Answers:
        if response.headers["content-type"].startswith("text/event-stream"):
            async for heard in events(response):
                yield heard
        else:
            yield httpx.Response(200, content=await response.aread()).json()

    async with by_events(address, token, query, **variables) as response, aclosing(each()) as answers:
        yield answers


TRANSPORTS = (over_websocket, over_events)


async def shown(answers: Answers, count: int = 1, within_s: float = 10) -> list[Json]:
    """The next so many of what the subscription's one field gives."""
    async with asyncio.timeout(within_s):
        found = [await anext(answers) for _ in range(count)]
    assert all("errors" not in each for each in found), found
    return [next(iter(each["data"].values())) for each in found]


async def silent(answers: Answers, for_s: float = 0.5) -> bool:
    """Whether nothing more comes for a moment; the subscription is of no use afterwards."""
    try:
        async with asyncio.timeout(for_s):
            await anext(answers)
    except TimeoutError:
        return True
    return False


async def refusal(answers: Answers) -> tuple[str, str]:
    """Code and message of the error that ends it at the start."""
    async with asyncio.timeout(10):
        [error] = (await anext(answers))["errors"]
    return error["extensions"]["code"], error["message"]


async def ask(address: str, token: str, query: str) -> Json:
    """The data of an ordinary request."""
    async with httpx.AsyncClient(base_url=f"http://{address}") as http:
        headers = {"authorization": f"Bearer {token}"}
        answer = (await http.post("/graphql", json={"query": query}, headers=headers)).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def here(address: str, token: str) -> str:
    """Where a client begins."""
    cursor: str = (await ask(address, token, HERE))["viewer"]["eventCursor"]
    return cursor
