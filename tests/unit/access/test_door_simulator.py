"""Simulated controllers say that they are there, as real ones do when they connect."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from api.devices_listening import SIMULATED_EVERY_S, hear_devices
from domains.access.controllers.port import NoControllers, controllers
from domains.access.models import Door
from domains.devices.models import Alarm, Device
from domains.devices.service.silence import watch_silence
from domains.kernel import clock, database
from tests.unit.access.door_scenes import Doors, behave, device_of, doors, eventually, simulator, tap

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def at() -> Doors:
    return await doors()


async def known(door_id: UUID) -> tuple[bool | None, str]:
    """Whether its controller is heard, and how the door stands."""
    door = await Door.get(pk=door_id)
    return (await Device.get(doors__id=door_id)).is_online, door.position


async def test_doors_in_use_are_online_and_closed_by_a_handful_of_statements(at: Doors) -> None:
    await behave(at.building, is_there=False)
    await Device.filter(doors__id=at.other_unit).update(state="out_of_order")
    await Door.filter(pk=at.far).update(removed_at=clock.now())
    await Door.filter(pk=at.gate).update(mode="held_open")
    async with database.counted() as cost:
        assert await simulator().announce() >= 3
    assert cost.count == 4
    assert (await known(at.unit), await known(at.gate)) == ((True, "closed"), (True, "open"))
    for silent in (at.building, at.other_unit, at.far):
        assert await known(silent) == (None, "unknown")


async def test_a_door_that_was_just_opened_is_not_said_to_be_closed(at: Doors) -> None:
    await tap(await at.resident(), at.unit)

    async def stands_open() -> object:
        return (await known(at.unit))[1] == "open"

    await eventually(stands_open)
    await simulator().announce()
    assert await known(at.unit) == (True, "open")


async def test_what_is_announced_in_time_is_never_silent(at: Doors) -> None:
    device = await device_of(at.unit)
    await Device.filter(pk=device).update(silent_after_s=30)
    with clock.use(clock.FixedClock(clock.now())) as time:
        for _ in range(10):
            await simulator().announce()
            time.advance(timedelta(seconds=SIMULATED_EVERY_S))
            await watch_silence()
    assert not await Alarm.filter(device_id=device).exists()


async def test_the_worker_keeps_them_online_until_it_stops(at: Doors) -> None:
    stop = asyncio.Event()
    working = asyncio.create_task(hear_devices(stop))

    async def is_online() -> object:
        return (await known(at.unit))[0]

    await eventually(is_online)
    stop.set()
    async with asyncio.timeout(1):
        await working


async def test_without_any_way_to_the_doors_there_is_nothing_to_keep(at: Doors) -> None:
    before = controllers()
    controllers.fill(NoControllers())
    try:
        async with asyncio.timeout(1):
            await hear_devices(asyncio.Event())
    finally:
        controllers.fill(before)
    assert await known(at.unit) == (None, "unknown")
