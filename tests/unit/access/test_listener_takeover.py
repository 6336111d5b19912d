"""Of two processes that hear devices one listens; when it is killed the other goes on, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
import orjson
import pytest

from api.addresses import Addresses
from api.devices_listening import LISTENER_LOCK, hear_devices
from api.instance import running
from api.settings import REPOSITORY, Settings
from domains.devices.models import Alarm
from domains.kernel import database
from tests.broker import Mosquitto, broker, real
from tests.unit.access.door_scenes import device_of, doors, eventually, records

pytestmark = pytest.mark.usefixtures("instance")
__all__ = ["broker", "real"]

EVENTS = 300


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that hears devices, or waits for its turn; it is gone after the block."""
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, *arguments, cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE
    )
    assert made.stdout is not None
    try:
        async with asyncio.timeout(60):
            while await made.stdout.readline() != b"ready\n":
                assert made.returncode is None
        yield made
    finally:
        with suppress(ProcessLookupError):
            made.kill()
        await made.communicate()


async def listeners() -> int:
    """How many processes hold the lock of the one that listens."""
    return int(
        await database.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = $1 AND classid = $2 "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            LISTENER_LOCK & 0xFFFFFFFF, LISTENER_LOCK >> 32,
        )
    )  # fmt: skip


async def test_a_second_process_goes_on_where_a_killed_one_ended(
    real: Mosquitto, settings: Settings, addresses: Addresses
) -> None:
    at = await doors()
    device = await device_of(at.unit)
    await real.admit(device)
    arguments = (str(settings.home), real.url, addresses.owner_url, addresses.app_url, addresses.redis_url)

    async def some_are_taken() -> object:
        return await records(at.unit)

    async def all_are_taken() -> object:
        over = await Alarm.exists(device_id=device, calm_since__isnull=False)
        return over and len(await records(at.unit)) >= EVENTS

    async with process(*arguments) as first, process(*arguments), real.device(device) as door:
        talking = asyncio.create_task(talk(door, f"linli/v1/{device}"))
        await eventually(some_are_taken, 30)
        assert await listeners() == 1
        first.kill()
        assert await first.wait() == -9
        await talking
        await eventually(all_are_taken, 30)
        assert await listeners() == 1
        # What was not acknowledged came again: long enough for whatever would be doubled.
        await asyncio.sleep(0.5)
    keys = [each["event_key"] for each in await records(at.unit)]
    assert sorted(keys) == sorted(f"evt:{n}" for n in range(EVENTS))
    [alarm] = await Alarm.filter(device_id=device)
    assert (alarm.kind, alarm.state) == ("tamper", "open")


async def talk(door: aiomqtt.Client, topic: str) -> None:
    """A controller's day in three seconds; an alarm begins with the first process and ends with the second."""
    await door.publish(f"{topic}/alarm", b'{"kind": "tamper", "active": true}', qos=1)
    for n in range(EVENTS):
        await door.publish(f"{topic}/evt", orjson.dumps({"id": n, "kind": "card"}), qos=1)
        await asyncio.sleep(0.01)
    await door.publish(f"{topic}/alarm", b'{"kind": "tamper", "active": false}', qos=1)


async def _hear(home: str, broker_url: str, owner_url: str, app_url: str, redis_url: str) -> None:
    settings = Settings(home=Path(home), mqtt_url=broker_url)  # type: ignore[arg-type]  # becomes a secret
    async with running(settings, Addresses(owner_url, app_url, redis_url)):
        print("ready", flush=True)
        await hear_devices(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(_hear(*sys.argv[1:]))
