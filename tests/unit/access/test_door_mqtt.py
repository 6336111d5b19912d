"""Doors behind a real broker: orders out, answers in, by two processes that both hear them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import aiomqtt
import orjson
import pytest

from api.devices_listening import ROUTES, Broker, door_controllers
from domains.access.controllers.mqtt import MqttControllers
from domains.access.controllers.port import controllers
from domains.access.controllers.simulator import Controller
from domains.access.models import Door, DoorCommand
from domains.access.service import sending
from domains.access.signing import public_keys
from domains.devices.link import Consumer, Link
from domains.devices.models import Device
from domains.kernel import clock
from tests.broker import Broker as RealBroker
from tests.broker import broker
from tests.unit.access.door_scenes import Doors, device_of, doors, eventually, records, tap

pytestmark = pytest.mark.usefixtures("instance")
__all__ = ["broker"]


@asynccontextmanager
async def by_mqtt(broker: RealBroker) -> AsyncIterator[Link]:
    """Orders go by the broker, and a worker hears what devices say beside this process."""
    before = controllers()
    worker = Link(broker.url, "linli-worker", Consumer(ROUTES, durable=True))
    async with worker, door_controllers(Broker(broker.url, ""), simulated=False) as way:
        assert isinstance(way, MqttControllers)
        await asyncio.gather(worker.online.wait(), way.link.online.wait())
        controllers.fill(way)
        try:
            yield way.link
        finally:
            controllers.fill(before)


@asynccontextmanager
async def controller(broker: RealBroker, device: UUID, *, repeats: int = 1) -> AsyncIterator[Controller]:
    """A controller that obeys, and says each answer so often."""
    made, keys, topic = Controller(device), await public_keys(), f"linli/v1/{device}"
    goodbye = aiomqtt.Will(f"{topic}/state", orjson.dumps({"online": False}), qos=1, retain=True)
    async with broker.device(device, will=goodbye) as client:
        await client.subscribe(f"{topic}/cmd", qos=1)
        there = orjson.dumps({"online": True, "position": "closed", "mode": "normal"})
        await client.publish(f"{topic}/state", there, qos=1, retain=True)

        async def obey() -> None:
            async for message in client.messages:
                assert not message.retain
                answer = made.take(bytes(message.payload), keys, clock.now())
                for _ in range(repeats if answer else 0):
                    assert answer is not None
                    await client.publish(f"{topic}/ack", answer.payload(), qos=1)

        task = asyncio.create_task(obey())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def at(broker: RealBroker) -> Doors:
    made = await doors()
    await broker.admit(await device_of(made.unit), await device_of(made.gate))
    await public_keys()
    from domains.access.signing import signer

    await signer()
    return made


async def test_a_door_opens_by_the_broker_and_is_written_down_once(at: Doors, broker: RealBroker) -> None:
    device = await device_of(at.unit)
    async with by_mqtt(broker), controller(broker, device, repeats=3) as door:

        async def is_online() -> object:
            return (await Device.get(pk=device)).is_online and (
                await Door.get(pk=at.unit)
            ).position == "closed"

        await eventually(is_online)
        made = await tap(await at.resident(), at.unit)
        assert made.state == "opened" and door.openings == 1
        await asyncio.sleep(0.2)
        assert [each["result"] for each in await records(at.unit)] == ["opened"]


async def test_a_controller_that_is_away_is_unreachable_and_hears_nothing_later(
    at: Doors, broker: RealBroker
) -> None:
    async with by_mqtt(broker):
        made = await tap(await at.resident(), at.unit)
        assert (made.state, made.reason) == ("refused", "DOOR_UNREACHABLE")
        async with controller(broker, await device_of(at.unit)) as door:
            await asyncio.sleep(0.3)
            assert door.openings == 0


async def test_another_devices_word_counts_for_nothing(
    at: Doors, broker: RealBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PATIENCE_S", 0.3)
    own, other = await device_of(at.unit), await device_of(at.gate)
    async with by_mqtt(broker), broker.device(own) as silent, broker.device(other) as liar:
        await silent.subscribe(f"linli/v1/{own}/cmd", qos=1)
        tapping = asyncio.create_task(tap(await at.resident(), at.unit))

        async def sent() -> object:
            return await DoorCommand.get_or_none(door_id=at.unit, state="sent")

        await eventually(sent)
        order = await DoorCommand.get(door_id=at.unit)
        lie = orjson.dumps({"id": str(order.id), "result": "opened", "reason": "", "at": 0})
        await liar.publish(f"linli/v1/{other}/ack", lie, qos=1)
        assert (await tapping).state == "sent"
        assert await records(at.unit) == []


async def test_twenty_taps_at_once_are_one_publication(at: Doors, broker: RealBroker) -> None:
    owner = await at.resident()
    async with by_mqtt(broker) as link, controller(broker, await device_of(at.unit)) as door:
        made = await asyncio.gather(*(tap(owner, at.unit) for _ in range(20)))
        assert {each.state for each in made} == {"opened"}
        assert door.openings == 1
        assert link.counts["published"] == 1
