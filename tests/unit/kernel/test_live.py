"""Wake-ups from one process to whoever listens in another: late at worst, and never counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from uuid import uuid4

import pytest
import redis.asyncio as aioredis

from api.addresses import Addresses
from api.instance import cache
from domains.kernel import database, live
from domains.kernel.live import CHANNEL, MOST_NAMES, Hub, wake

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
def name() -> str:
    return f"test:{uuid4()}"


@pytest.fixture(autouse=True)
def nobody_has_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bell that rings by turns would break the silence that is asserted."""
    monkeypatch.setattr(live, "TURNS", 2**62)


@asynccontextmanager
async def another_process(addresses: Addresses) -> AsyncIterator[tuple[Hub, str]]:
    """A hub with a connection of its own, and that connection's name."""
    line = f"another-{uuid4()}"
    client = aioredis.Redis.from_url(addresses.redis_url, client_name=line)
    hub = Hub(client)
    try:
        yield hub, line
    finally:
        await hub.aclose()
        await client.aclose()


async def connections(line: str) -> list[str]:
    return [each["id"] for each in await cache().client_list(_type="pubsub") if each["name"] == line]


async def ready(*bells: asyncio.Event) -> None:
    """Everybody is told to look when the line is open; from then on it is quiet."""
    assert all([await rings(bell) for bell in bells])
    await asyncio.sleep(0.3)
    for bell in bells:
        bell.clear()


async def rings(bell: asyncio.Event, within_s: float = 5) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await bell.wait()
    return bell.is_set()


async def test_every_listener_of_a_name_is_woken_in_every_process(addresses: Addresses, name: str) -> None:
    async with another_process(addresses) as (other, _):
        with ExitStack() as stack:
            bells = [stack.enter_context(hub.listening(name)) for hub in (live.hub(), other, other)]
            elsewhere = stack.enter_context(other.listening(f"{name}:other"))
            await ready(*bells, elsewhere)
            await wake([name])
            assert [await rings(bell) for bell in bells] == [True] * 3
            assert not await rings(elsewhere, 0.2)


async def test_who_begins_to_listen_looks_at_once(name: str) -> None:
    with live.hub().listening(name) as bell:
        assert bell.is_set()


async def test_wake_ups_come_after_the_commit_once_and_never_without_one(name: str) -> None:
    with live.hub().listening(name) as bell:
        await ready(bell)
        with suppress(ZeroDivisionError):
            async with database.transaction():
                await wake([name])
                raise ZeroDivisionError
        async with database.transaction() as transaction:
            for _ in range(3):
                await wake([name])
            async with database.transaction():
                await wake([name])
            assert len(transaction.callbacks) == 1
            assert not await rings(bell, 0.2)
        assert await rings(bell)


async def test_many_are_woken_by_few_messages(name: str) -> None:
    names = [f"{name}:{n}" for n in range(2 * MOST_NAMES + 1)]
    async with cache().pubsub() as feed:
        await feed.subscribe(CHANNEL)
        with live.hub().listening(names[0]) as first, live.hub().listening(names[-1]) as last:
            await ready(first, last)
            await wake(names)
            assert await rings(first)
            assert await rings(last)
        heard = 0
        while (message := await feed.get_message(timeout=0.2)) is not None:
            heard += message["type"] == "message"
    assert heard == 3


async def test_ten_thousand_wake_ups_are_one_flag(name: str) -> None:
    with live.hub().listening(name) as bell:
        await ready(bell)
        for _ in range(100):
            await live.hub().send([name] * 100)
        assert await rings(bell)
        bell.clear()
        await asyncio.sleep(0.3)
        bell.clear()
        assert not await rings(bell, 0.2)


async def test_who_leaves_leaves_nothing_behind(name: str) -> None:
    before = live.hub().listeners()
    with live.hub().listening(name), live.hub().listening(name):
        assert live.hub().listeners() == before + 2
    assert live.hub().listeners() == before
    await wake([name])


async def test_after_a_broken_connection_everybody_looks_and_hears_again(
    addresses: Addresses, name: str
) -> None:
    async with another_process(addresses) as (other, line):
        with other.listening(name) as bell:
            await ready(bell)
            for id in await connections(line):
                await cache().client_kill_filter(_id=id)
            assert await rings(bell)
            bell.clear()
            async with asyncio.timeout(5):
                while not await connections(line):
                    await asyncio.sleep(0.01)
            await wake([name])
            assert await rings(bell)


async def test_nonsense_on_the_channel_makes_nobody_deaf(addresses: Addresses, name: str) -> None:
    async with another_process(addresses) as (other, _):
        with other.listening(name) as bell:
            await ready(bell)
            for nonsense in (b"{", b"7", b'[["a"]]'):
                await cache().publish(CHANNEL, nonsense)
                assert await rings(bell)
                bell.clear()
            await wake([name])
            assert await rings(bell)


async def test_who_was_not_woken_is_woken_by_turns(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(live, "TURN_S", 0.01)
    monkeypatch.setattr(live, "TURNS", 3)
    client = aioredis.Redis(host="127.0.0.1", port=1)
    hub = Hub(client)
    try:
        with hub.listening(name) as bell:
            bell.clear()
            assert await rings(bell)
            bell.clear()
            assert await rings(bell)
    finally:
        await hub.aclose()
        await client.aclose()


async def test_without_valkey_waking_harms_nobody(name: str) -> None:
    client = aioredis.Redis(host="127.0.0.1", port=1)
    before = live.hub()
    live.hub.fill(Hub(client))
    try:
        await wake([name])
        async with database.transaction():
            await wake([name])
    finally:
        live.hub.fill(before)
        await client.aclose()


async def test_waking_nobody_sends_nothing() -> None:
    client = aioredis.Redis(host="127.0.0.1", port=1)
    try:
        await Hub(client).send([])
    finally:
        await client.aclose()
