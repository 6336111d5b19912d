"""What runs beside the API, in its process or apart: delivery of events and scheduled jobs."""

from __future__ import annotations

import asyncio

import structlog
from redis.exceptions import RedisError

from api.instance import Addresses, cache
from api.wiring import EVENTS, HANDLERS, JOBS
from domains.kernel import outbox
from domains.kernel.jobs import Scheduler

log = structlog.get_logger(__name__)

WAKE = "linli:outbox"
WAKE_LIMIT_S = 0.25


async def wake_relays() -> None:
    """Tell every worker that something was recorded; lost, they poll. A commit does not wait for a
    cache that is away."""
    async with asyncio.timeout(WAKE_LIMIT_S):
        await cache().publish(WAKE, b"")


async def _listen(woken: tuple[asyncio.Event, ...], stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            async with cache().pubsub() as channel:
                await channel.subscribe(WAKE)
                while not stop.is_set():
                    if await channel.get_message(ignore_subscribe_messages=True, timeout=1.0) is not None:
                        for event in woken:
                            event.set()
        except (OSError, RedisError):
            await asyncio.sleep(1)


async def work(stop: asyncio.Event) -> None:
    """Deliver events until `stop`: one relay for what is urgent, one for the rest."""
    relays = [outbox.Relay(EVENTS, HANDLERS, urgent=urgent) for urgent in (True, False)]
    woken = tuple(asyncio.Event() for _ in relays)
    log.info("worker.delivers", events=len(HANDLERS))
    async with asyncio.TaskGroup() as group:
        for relay, event in zip(relays, woken, strict=True):
            group.create_task(relay.run(stop, event))
        group.create_task(_listen(woken, stop))
        await stop.wait()
        for event in woken:
            event.set()


async def schedule(addresses: Addresses, stop: asyncio.Event) -> None:
    """Run the scheduled jobs here if nobody leads, else stand by."""
    await Scheduler(addresses.app_url, JOBS).run(stop)
