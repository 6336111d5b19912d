"""News from one process to whoever listens in another."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import pytest
import redis.asyncio as aioredis

from api.addresses import Addresses
from api.instance import cache
from domains.kernel import database, live
from domains.kernel.errors import Unavailable
from domains.kernel.live import MOST_WAITING, Hub, Listener, News, publish

pytestmark = pytest.mark.usefixtures("instance")


ANOTHER = f"another-{uuid4()}"


@pytest.fixture
def channel() -> str:
    return f"test:{uuid4()}"


@asynccontextmanager
async def another_process(addresses: Addresses) -> AsyncIterator[Hub]:
    """A hub with a connection of its own."""
    client = aioredis.Redis.from_url(addresses.redis_url, client_name=ANOTHER)
    hub = Hub(client)
    try:
        yield hub
    finally:
        await hub.aclose()
        await client.aclose()


async def received(listener: Listener) -> News:
    async with asyncio.timeout(5):
        return await anext(listener)


async def nothing(listener: Listener) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await anext(listener)
            return False
    return True


async def test_news_reach_every_listener_of_the_channel_in_every_process(
    addresses: Addresses, channel: str
) -> None:
    async with another_process(addresses) as other:
        listeners = [
            await live.hub().listen(channel),
            await other.listen(channel),
            await other.listen(channel),
        ]
        elsewhere = await other.listen(f"{channel}:other")
        await publish(channel, {"n": 1})
        assert [await received(listener) for listener in listeners] == [{"n": 1}] * 3
        assert await nothing(elsewhere)


async def test_news_are_sent_after_the_commit_and_never_without_one(channel: str) -> None:
    listener = await live.hub().listen(channel)
    with suppress(ZeroDivisionError):
        async with database.transaction():
            await publish(channel, {"n": 1})
            raise ZeroDivisionError
    async with database.transaction():
        await publish(channel, {"n": 2})
        assert await nothing(listener)
    assert await received(listener) == {"n": 2}


async def test_who_leaves_hears_nothing_and_leaves_nothing_behind(channel: str) -> None:
    listener = await live.hub().listen(channel)
    live.hub().leave(channel, listener)
    assert live.hub().listening(channel) == 0
    await publish(channel, {"n": 1})
    assert await nothing(listener)
    abandoned = await live.hub().listen(channel)
    assert live.hub().listening(channel) == 1
    del abandoned
    gc.collect()
    assert live.hub().listening(channel) == 0


async def test_a_slow_listener_is_cut_and_told_so(channel: str) -> None:
    slow, quick = await live.hub().listen(channel), await live.hub().listen(channel)
    for n in range(MOST_WAITING + 1):
        await publish(channel, {"n": n})
        assert await received(quick) == {"n": n}
    with pytest.raises(Unavailable, match="LIVE_TOO_SLOW"):
        await received(slow)
    assert live.hub().listening(channel) == 1


async def test_a_broken_connection_is_no_silent_gap(addresses: Addresses, channel: str) -> None:
    async with another_process(addresses) as other:
        listener = await other.listen(channel)
        [line] = [each for each in await cache().client_list(_type="pubsub") if each["name"] == ANOTHER]
        await cache().client_kill_filter(_id=line["id"])
        with pytest.raises(Unavailable, match="LIVE_INTERRUPTED"):
            await received(listener)
        again = await other.listen(channel)
        await other.send(channel, {"n": 1})
        assert await received(again) == {"n": 1}


async def test_without_valkey_listening_says_so_and_publishing_harms_nobody(channel: str) -> None:
    client = aioredis.Redis(host="127.0.0.1", port=1)
    hub = Hub(client)
    with pytest.raises(Unavailable, match="LIVE_INTERRUPTED"):
        await hub.listen(channel)
    before = live.hub()
    live.hub.fill(hub)
    try:
        await publish(channel, {"n": 1})
        async with database.transaction():
            await publish(channel, {"n": 1})
    finally:
        live.hub.fill(before)
        await hub.aclose()
        await client.aclose()


async def test_stopping_cuts_who_still_listens(addresses: Addresses, channel: str) -> None:
    async with another_process(addresses) as other:
        listener = await other.listen(channel)
    with pytest.raises(Unavailable, match="LIVE_INTERRUPTED"):
        await received(listener)
