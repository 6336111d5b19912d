"""What runs beside the API, in its process or apart: delivery of events and scheduled jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog
from redis.exceptions import RedisError

from api.instance import Addresses, cache
from api.wiring import EVENTS, HANDLERS, JOBS
from domains.kernel import jobs, outbox
from domains.kernel.jobs import Scheduler
from notifications import waking
from notifications.deliveries.courier import Courier

log = structlog.get_logger(__name__)

WAKE = "linli:outbox"
WAKE_URGENT = "linli:outbox:urgent"
WAKE_LEADER = "linli:jobs"
WAKE_COURIERS = "linli:deliveries"
WAKE_URGENT_COURIERS = "linli:deliveries:urgent"
WAKE_LIMIT_S = 0.25


async def wake(channel: str) -> None:
    """Tell every process that listens that there is something for it; lost, it looks by itself. A commit
    does not wait for a cache that is away."""
    async with asyncio.timeout(WAKE_LIMIT_S):
        await cache().publish(channel, b"")


wake_relays, wake_urgent_relays = partial(wake, WAKE), partial(wake, WAKE_URGENT)
wake_couriers, wake_urgent_couriers = partial(wake, WAKE_COURIERS), partial(wake, WAKE_URGENT_COURIERS)


def wake_others() -> None:
    """Let what this process commits wake relays, couriers and leader, wherever they run."""
    outbox.wake_with(wake_relays, wake_urgent_relays)
    waking.wake_with(wake_couriers, wake_urgent_couriers)
    jobs.wake_with(partial(wake, WAKE_LEADER))


async def _listen(woken: Mapping[str, asyncio.Event], stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            async with cache().pubsub(ignore_subscribe_messages=True) as channels:
                await channels.subscribe(*woken)
                while not stop.is_set():
                    if (message := await channels.get_message(timeout=1.0)) is not None:
                        woken[message["channel"].decode()].set()
        except (OSError, RedisError):
            await asyncio.sleep(1)


async def work(stop: asyncio.Event) -> None:
    """Deliver events and send messages until `stop`: one relay and one courier for what is urgent, one
    of each for the rest."""
    wake_others()
    lanes: dict[str, outbox.Relay | Courier] = {
        WAKE: outbox.Relay(EVENTS, HANDLERS), WAKE_URGENT: outbox.Relay(EVENTS, HANDLERS, urgent=True),
        WAKE_COURIERS: Courier(), WAKE_URGENT_COURIERS: Courier(urgent=True),
    }  # fmt: skip
    woken = {name: asyncio.Event() for name in lanes}
    log.info("worker.delivers", events=len(HANDLERS))
    async with asyncio.TaskGroup() as group:
        for name, lane in lanes.items():
            group.create_task(lane.run(stop, woken[name]))
        group.create_task(_listen(woken, stop))
        await stop.wait()
        for event in woken.values():
            event.set()


async def schedule(addresses: Addresses, stop: asyncio.Event) -> None:
    """Run the scheduled jobs here if nobody leads, else stand by."""
    wake_others()
    scheduler = Scheduler(addresses.app_url, JOBS)
    async with asyncio.TaskGroup() as group:
        group.create_task(_listen({WAKE_LEADER: scheduler.woken}, stop))
        group.create_task(scheduler.run(stop))
