"""The broker (设备消息服务器): which process says what to devices, and which one hears them.

Every process sends orders to doors and hears the answers that somebody waits for there. All that devices say
is heard by one worker at a time; the broker keeps it while there is none.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import orjson
import structlog
from redis.exceptions import RedisError

from api.addresses import Addresses
from api.settings import Settings
from domains.access.controllers.mqtt import MqttControllers
from domains.access.controllers.port import Controllers, NoControllers, controllers
from domains.access.controllers.simulator import Simulator
from domains.access.service import hearing
from domains.devices.link import Consumer, Handler, Link, Message
from domains.devices.service import listening
from domains.devices.service.refusals import refuse
from domains.kernel.faults import place
from domains.kernel.slots import Slot

CLIENT_ID = "linli-worker"
"""By which the broker knows the one who listens, whichever process it is."""
LISTENER_LOCK = 0x4C4C_4D51_5454
STAND_BY_S = 5.0
HEARS = "devices:listener"
"""Where whoever listens says how it is, for as long as it does."""
ANSWERS_LATER_S = 0.75
"""By then whoever waits for an answer has written it down, and PostgreSQL has it on the disk (after three times
its `wal_writer_delay` of 0.2 s): the worker finds it done, a batch at a time, or does it again."""
SIMULATED_EVERY_S = 15.0
"""Shorter than any silence that may count as offline."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and the database by which workers agree who listens there."""

    url: str = field(repr=False)
    database_url: str = field(repr=False)


broker: Slot[Broker | None] = Slot("broker")


async def hear_states(messages: list[Message]) -> None:
    """Whether a device is heard, then how its door stands."""
    await listening.hear_states(messages)
    await hearing.hear_positions(messages)


async def hear_answers(messages: list[Message]) -> None:
    """Answers to orders, after those who wait for them."""
    await asyncio.sleep(ANSWERS_LATER_S)
    await hearing.hear_acks(messages)


ROUTES: Mapping[str, Handler] = {
    **listening.ROUTES,
    **hearing.ROUTES,
    "ack": hear_answers,
    "state": hear_states,
}
"""The last part of a topic → who hears it."""


def broker_of(settings: Settings, addresses: Addresses) -> Broker | None:
    """The broker that is set, if one is."""
    url = settings.mqtt_url
    return None if url is None else Broker(url.get_secret_value(), addresses.app_url)


@asynccontextmanager
async def door_controllers(at: Broker | None, *, simulated: bool) -> AsyncIterator[Controllers]:
    """The way to the doors for as long as the block runs: by the broker; where there is none, simulated ones,
    or no way at all."""
    if at is None and not simulated:
        yield NoControllers()
    elif at is None:
        simulator = Simulator(ROUTES)
        try:
            yield simulator
        finally:
            await simulator.aclose()
    else:
        # Nobody waits longer for an answer than for the batch before it.
        answers = Consumer({"ack": hearing.hear_awaited_acks}, pace_s=0)
        async with Link(at.url, f"linli-{secrets.token_hex(6)}", answers) as link:
            yield MqttControllers(link)


async def hear_devices(stop: asyncio.Event) -> None:
    """Hear the devices until `stop`, if a broker is set and no other worker does: of several one listens, and
    another goes on where it ends. Simulated controllers are kept online instead."""
    at = broker()
    if at is None:
        await _keep_simulated(stop)
    while at is not None and not stop.is_set():
        try:
            async with _listener(at.database_url) as connection:
                if connection is not None:
                    await _hear(at, connection, stop)
        except Exception as error:  # the database is away, and with it the turn
            log.error("devices.lost_turn", **place(error))
        await _pause(stop)


async def _keep_simulated(stop: asyncio.Event) -> None:
    way = controllers()
    while isinstance(way, Simulator) and not stop.is_set():
        try:
            await way.announce()
        except Exception as error:  # the database is away: the next time they are heard again
            log.error("devices.not_simulated", **place(error))
        await _pause(stop, SIMULATED_EVERY_S)


async def _hear(at: Broker, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
    log.info("devices.listens")
    consumer = Consumer(ROUTES, durable=True, refused=_note)
    async with Link(at.url, CLIENT_ID, consumer) as link:
        while not stop.is_set():
            await _pause(stop)
            await _tell(link, consumer)
            # Raises when the session, and with it the lock, is gone.
            await connection.execute("SELECT 1", timeout=STAND_BY_S)


async def _tell(link: Link, consumer: Consumer) -> None:
    """For the metrics, which another process may serve."""
    from api.instance import cache  # which composes this module

    said = {
        "up": link.online.is_set(), "waiting": consumer.waiting(), "oldest_s": consumer.oldest_s(),
        "counts": {**link.counts, **consumer.counts},
    }  # fmt: skip
    with suppress(RedisError, OSError):
        await cache().set(HEARS, orjson.dumps(said), ex=int(4 * STAND_BY_S))


def _note(device_id: UUID, code: str) -> None:
    refuse(device_id, "mqtt", code)


@asynccontextmanager
async def _listener(url: str) -> AsyncIterator[asyncpg.Connection | None]:
    connection = await asyncpg.connect(url)
    try:
        listens = await connection.fetchval("SELECT pg_try_advisory_lock($1)", LISTENER_LOCK)
        yield connection if listens else None
    finally:
        await connection.close()


async def _pause(stop: asyncio.Event, limit_s: float = STAND_BY_S) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), limit_s)
