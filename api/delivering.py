"""What runs beside the API, in its process or apart: delivery of events and scheduled jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog
from redis.exceptions import RedisError

from api.devices_listening import hear_devices
from api.instance import Addresses, cache
from api.wiring import EVENTS, HANDLERS, JOBS
from domains.kernel import jobs, outbox, waking
from domains.kernel.jobs import Scheduler
from notifications.deliveries.courier import Courier
from notifications.notifying import LANES
from payments.service import results

log = structlog.get_logger(__name__)

PREFIX = "linli:wake:"
LIMIT_S = 0.25
NAMES = (*outbox.LANES.values(), *LANES.values(), results.LANE, jobs.LEADER)
"""Whoever is woken by a commit."""


async def wake(name: str) -> None:
    """Tell every process that listens that there is something for it; lost, it looks by itself. A commit
    does not wait for a cache that is away."""
    async with asyncio.timeout(LIMIT_S):
        await cache().publish(PREFIX + name, b"")


_WAKERS = {name: partial(wake, name) for name in NAMES}


def wake_others() -> None:
    """Let what this process commits wake relays, couriers and leader, wherever they run."""
    waking.wake_with(_WAKERS)


async def _listen(woken: Mapping[str, asyncio.Event], stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            async with cache().pubsub(ignore_subscribe_messages=True) as channels:
                await channels.subscribe(*(PREFIX + name for name in woken))
                while not stop.is_set():
                    if (message := await channels.get_message(timeout=1.0)) is not None:
                        woken[message["channel"].decode().removeprefix(PREFIX)].set()
        except (OSError, RedisError):
            await asyncio.sleep(1)


async def work(stop: asyncio.Event) -> None:
    """Hear devices, deliver events and send messages until `stop`: one relay and one courier for what is
    urgent, one of each for the rest, and one that asks channels what became of money."""
    wake_others()
    lanes: dict[str, outbox.Relay | Courier | results.Results] = {
        **{name: outbox.Relay(EVENTS, HANDLERS, urgent=urgent) for urgent, name in outbox.LANES.items()},
        **{name: Courier(urgent=urgent) for urgent, name in LANES.items()},
    }
    lanes[results.LANE] = results.Results()
    woken = {name: asyncio.Event() for name in lanes}
    log.info("worker.delivers", events=len(HANDLERS))
    async with asyncio.TaskGroup() as group:
        for name, lane in lanes.items():
            group.create_task(lane.run(stop, woken[name]))
        group.create_task(_listen(woken, stop))
        group.create_task(hear_devices(stop))
        await stop.wait()
        for event in woken.values():
            event.set()


async def schedule(addresses: Addresses, stop: asyncio.Event) -> None:
    """Run the scheduled jobs here if nobody leads, else stand by."""
    wake_others()
    scheduler = Scheduler(addresses.app_url, JOBS)
    async with asyncio.TaskGroup() as group:
        group.create_task(_listen({jobs.LEADER: scheduler.woken}, stop))
        group.create_task(scheduler.run(stop))
