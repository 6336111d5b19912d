"""What a long-running process does around its work: servers, migrations, slots, signals."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from api.instance import Addresses, running, servers
from api.migrating import migrate
from api.settings import Settings


@asynccontextmanager
async def prepared(settings: Settings, *, platform: bool = False) -> AsyncIterator[Addresses]:
    """Servers up, database current, slots filled."""
    async with servers(settings, platform=platform) as addresses:
        if settings.profile == "embedded":
            await migrate(addresses.owner_url, addresses.app_url)
        async with running(settings, addresses):
            yield addresses


async def until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run work that ends when its event is set; SIGTERM and SIGINT set it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await work(stop)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
