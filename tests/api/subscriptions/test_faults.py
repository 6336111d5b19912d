"""Processes that die, a Valkey that goes, a client that stops reading: nobody else loses anything."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psutil
import pytest
import redis.asyncio as aioredis

from api.addresses import Addresses
from api.settings import Settings
from domains.kernel import database, live
from domains.kernel.live import Hub
from notifications.viewer_events import tell
from tests.api.subscriptions.following import EVENTS, TRANSPORTS, Follow, here, over_websocket, shown
from tests.api.subscriptions.listening import by_websocket, message
from tests.api.subscriptions.processes import PrivateValkey, served
from tests.api.subscriptions.test_stuck import handshake, send
from tests.factories import identity

pytestmark = pytest.mark.usefixtures("instance")
MIB = 1024 * 1024


async def happened(account: UUID, *names: str) -> None:
    async with database.transaction():
        for name in names:
            await tell([account], name)


async def somebody() -> tuple[UUID, str]:
    account = await identity.resident()
    return account, await identity.token(account)


async def test_after_kill_9_another_process_goes_on_from_the_cursor(
    settings: Settings, addresses: Addresses
) -> None:
    me, token = await somebody()
    with served(settings, addresses) as (first, process), served(settings, addresses) as (second, _):
        heard, place = [], await here(first, token)
        for follow in TRANSPORTS:
            async with follow(first, token, EVENTS, after=place) as answers:
                await happened(me, "before", "and before")
                heard += (seen := await shown(answers, 2))
                place = seen[-1]["cursor"]
        async with over_websocket(first, token, EVENTS, after=place) as answers:
            process.kill()
            process.wait()
            await happened(me, "meanwhile")
            with pytest.raises(Exception, match="close"):
                await shown(answers)
        async with over_websocket(second, token, EVENTS, after=place) as answers:
            await happened(me, "afterwards")
            heard += await shown(answers, 2)
    assert [each["name"] for each in heard] == [*["before", "and before"] * 2, "meanwhile", "afterwards"]


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[PrivateValkey]:
    made = PrivateValkey(tmp_path)
    made.start()
    yield made
    made.kill()


@asynccontextmanager
async def publishing_to(url: str) -> AsyncIterator[None]:
    """Wake-ups of this process go there."""
    before, client = live.hub(), aioredis.Redis.from_url(url)
    live.hub.fill(Hub(client))
    yield
    live.hub.fill(before)
    await client.aclose()


async def back(url: str) -> None:
    """Valkey answers, and whoever listens has had time to hear of it."""
    async with aioredis.Redis.from_url(url) as client, asyncio.timeout(20):
        while True:
            try:
                if await client.pubsub_numsub(live.CHANNEL) != [(live.CHANNEL.encode(), 0)]:
                    return
            except (OSError, aioredis.RedisError):
                pass
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("follow", TRANSPORTS)
async def test_valkey_may_go_and_come_back(
    settings: Settings, addresses: Addresses, valkey: PrivateValkey, follow: Follow
) -> None:
    me, token = await somebody()
    with served(settings, replace(addresses, redis_url=valkey.url)) as (address, _):
        async with publishing_to(valkey.url), follow(address, token, EVENTS) as answers:
            await back(valkey.url)
            await happened(me, "before")
            await shown(answers)
            valkey.kill()
            await happened(me, "unheard")
            valkey.start()
            # It is read as soon as the process listens again, and not when it would look by itself.
            assert [each["name"] for each in await shown(answers, within_s=20)] == ["unheard"]
            await back(valkey.url)
            await happened(me, "afterwards")
            assert [each["name"] for each in await shown(answers, within_s=3)] == ["afterwards"]


async def test_who_stops_reading_is_cut_and_holds_up_nobody(settings: Settings, addresses: Addresses) -> None:
    """10,000 events happen meanwhile: the memory stays, and others have theirs at once."""
    stuck, its_token = await somebody()
    me, token = await somebody()
    cursors = " ".join(f"c{n}: cursor" for n in range(29))
    with served(settings, addresses) as (address, process), socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await asyncio.to_thread(follow_and_stop_reading, line, address, its_token, cursors)
        async with by_websocket(address, token, EVENTS) as ws:
            await asyncio.sleep(0.5)
            before = psutil.Process(process.pid).memory_info().rss
            most, slowest = 0.0, 0.0
            for n in range(100):
                await happened(stuck, *["x"] * 100)
                await happened(me, f"e{n}")
                began = asyncio.get_running_loop().time()
                heard = await message(ws)
                slowest = max(slowest, asyncio.get_running_loop().time() - began)
                assert heard["payload"]["data"]["viewerEvents"]["name"] == f"e{n}"
                most = max(most, (psutil.Process(process.pid).memory_info().rss - before) / MIB)
        assert most < 24, f"{most:.1f} MiB more"
        assert slowest < 2, f"{slowest:.2f} s"
        async with asyncio.timeout(40):
            while line.getsockname()[1] in ports_of_clients(process.pid):
                await asyncio.sleep(0.2)


def ports_of_clients(pid: int) -> set[int]:
    open_ones = psutil.Process(pid).net_connections("tcp")
    return {each.raddr.port for each in open_ones if each.status == "ESTABLISHED" and each.raddr}


def follow_and_stop_reading(line: socket.socket, address: str, token: str, fields: str) -> None:
    host, port = address.split(":")
    line.connect((host, int(port)))
    handshake(line)
    send(line, {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
    line.recv(100)
    query = f"subscription Wide {{ viewerEvents {{ {fields} }} }}"
    send(line, {"type": "subscribe", "id": "1", "payload": {"query": query}})
