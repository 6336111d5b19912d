"""The bell's stream: the unread count as it changes, to a browser that looks, for as long as it may."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from api import edge
from api.app import build_app
from api.keys import Keys
from api.settings import Settings
from domains.kernel import database
from tests.api.pages.visitors import Visitor, visiting
from tests.factories import identity, notifications

pytestmark = pytest.mark.usefixtures("instance")
LIVE = "/staff/inbox/live"
PATIENCE_S = 15


@dataclass
class Stream:
    """A response as it comes."""

    came: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> tuple[int, dict[str, str]]:
        """Status and headers."""
        message = await asyncio.wait_for(self.came.get(), PATIENCE_S)
        return message["status"], {name.decode(): value.decode() for name, value in message["headers"]}

    async def event(self) -> dict[str, str]:
        """The next event; empty at the end."""
        while True:
            message = await asyncio.wait_for(self.came.get(), PATIENCE_S)
            lines = message["body"].decode().splitlines()
            if fields := dict(line.split(": ", 1) if ": " in line else (line, "") for line in lines if line):
                if fields != {":": ""}:
                    return fields
            elif not message.get("more_body"):
                return {}


@asynccontextmanager
async def streaming(app: Starlette, visitor: Visitor, path: str, **headers: str) -> AsyncIterator[Stream]:
    """The stream of that address, for a visitor's cookies."""
    stream, request = Stream(), visitor.http.build_request("GET", path, headers=headers)

    async def receive() -> Message:
        await stream.gone.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http", "method": "GET", "path": request.url.path, "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("10.1.1.1", 1), "server": ("linli.test", 80), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    serving = asyncio.create_task(app(scope, receive, stream.came.put))
    try:
        yield stream
    finally:
        stream.gone.set()
        await asyncio.wait_for(serving, PATIENCE_S)


@pytest.fixture(autouse=True)
def kinds(app: Starlette) -> None:
    """The kinds of these tests."""
    notifications.use()


@pytest.fixture
async def account() -> UUID:
    """Staff whom no other test tells anything."""
    return await identity.staff(await identity.places(), ())


@pytest.fixture
async def reader(app: Starlette, account: UUID) -> AsyncIterator[Visitor]:
    """That person, signed in."""
    async with visiting(app) as opened:
        await opened.sign_in(await identity.login_of(account))
        yield opened


async def place(visitor: Visitor) -> str:
    """From where the page that was just opened follows."""
    found = re.search(r'data-after="([^"]+)"', (await visitor.get("/staff/inbox")).text)
    assert found is not None
    return found[1]


async def test_an_open_page_learns_what_is_new_and_what_is_read(
    app: Starlette, reader: Visitor, account: UUID
) -> None:
    async with streaming(app, reader, f"{LIVE}?after={await place(reader)}") as stream:
        status, headers = await stream.start()
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert headers["cache-control"] == "no-store"
        for count in ("1", "2"):
            await notifications.told(account)
            told = await stream.event()
            assert (told["event"], told["data"]) == ("unread", count)
        marked = re.search(r'name="through" value="([^"]+)"', (await reader.get("/staff/inbox")).text)
        assert marked is not None
        await reader.post("/staff/inbox/read", {"through": marked[1]})
        assert (await stream.event())["data"] == "0"


async def test_what_was_missed_comes_when_the_page_is_seen_again(
    app: Starlette, reader: Visitor, account: UUID
) -> None:
    after = await place(reader)
    await notifications.told(account)
    async with streaming(app, reader, f"{LIVE}?after={after}") as stream:
        await stream.start()
        first = await stream.event()
        assert first["data"] == "1"
    await notifications.told(account)
    last = {"last-event-id": first["id"]}
    async with streaming(app, reader, f"{LIVE}?after={after}", **last) as stream:
        await stream.start()
        assert (await stream.event())["data"] == "2"


@pytest.mark.parametrize("after", ["x", "", "eyJhIjoxfQ"])
async def test_a_place_that_is_none_ends_it_without_a_second_try(
    app: Starlette, reader: Visitor, after: str
) -> None:
    async with streaming(app, reader, f"{LIVE}?after={after}", **{"last-event-id": after}) as stream:
        assert (await stream.start())[0] == (204 if after else 200)


async def test_it_ends_with_the_session(app: Starlette, reader: Visitor, account: UUID) -> None:
    async with streaming(app, reader, f"{LIVE}?after={await place(reader)}") as stream:
        await stream.start()
        await database.execute(
            "UPDATE session SET ended_at = now(), end_reason = 'revoked' WHERE account_id = $1", account
        )
        assert (await stream.event())["event"] == "over"
        assert await stream.event() == {}


async def test_a_page_that_is_merely_open_does_not_keep_the_session_alive(
    app: Starlette, reader: Visitor, account: UUID
) -> None:
    seen_at = "SELECT last_seen_at FROM session WHERE account_id = $1"
    after = await place(reader)
    await database.execute(
        "UPDATE session SET last_seen_at = now() - interval '5 minutes' WHERE account_id = $1", account
    )
    async with streaming(app, reader, f"{LIVE}?after={after}") as stream:
        await stream.start()
        await database.execute(
            "UPDATE session SET last_seen_at = now() - interval '5 minutes' WHERE account_id = $1", account
        )
        before = await database.fetchval(seen_at, account)
        await notifications.told(account)
        await stream.event()
        assert await database.fetchval(seen_at, account) == before


async def test_it_ends_when_the_process_stops(settings: Settings, instance: Keys, account: UUID) -> None:
    stop = asyncio.Event()
    stopping = build_app(settings, stop)
    async with visiting(stopping) as visitor:
        await visitor.sign_in(await identity.login_of(account))
        async with streaming(stopping, visitor, f"{LIVE}?after={await place(visitor)}") as stream:
            await stream.start()
            stop.set()
            assert await stream.event() == {}


async def test_a_caller_holds_so_many_and_no_more(
    app: Starlette, reader: Visitor, settings: Settings
) -> None:
    path = f"{LIVE}?after={await place(reader)}"
    most = edge.options_of(settings).sockets_per_client
    streams = [streaming(app, reader, path) for _ in range(most + 1)]
    opened = [await each.__aenter__() for each in streams]
    statuses = [(await each.start())[0] for each in opened]
    for each in streams:
        await each.__aexit__(None, None, None)
    assert sorted(statuses) == [200] * most + [204]
    async with streaming(app, reader, path) as stream:
        assert (await stream.start())[0] == 200
