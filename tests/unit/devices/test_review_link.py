"""What is dropped on the line is on record with the device that sent it, and how the line is can be seen."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import cast
from uuid import UUID, uuid4

import orjson
import pytest
from paho.mqtt.client import MQTTMessage
from prometheus_client import CollectorRegistry

from api import devices_listening
from api.devices_listening import HEARS, Broker, broker
from api.instance import cache
from api.observability.doors import DoorGauges
from domains.access.models import DoorCommand
from domains.devices.link import LARGEST_PAYLOAD, Consumer, Link, Message
from domains.devices.link.connection import Receipt
from domains.devices.link.lane import MOST_WAITING_OF_A_DEVICE
from domains.devices.models import DeviceRefusal
from domains.devices.service.refusals import refusals
from domains.kernel import clock
from domains.kernel.clock import FixedClock
from tests.factories import access, devices, identity
from tests.factories.alarms import raised

pytestmark = pytest.mark.usefixtures("instance")


class Taken:
    """Counts what the broker may forget."""

    def __init__(self) -> None:
        self.count = 0

    def take(self) -> None:
        self.count += 1


def message(device: UUID | str, payload: bytes = b"x", suffix: str = "alarm") -> MQTTMessage:
    made = MQTTMessage(topic=f"linli/v1/{device}/{suffix}".encode())
    made.payload, made.qos = payload, 1
    return made


async def nothing(_: list[Message]) -> None: ...


async def test_floods_and_what_is_too_large_are_on_record_and_acknowledged() -> None:
    at = await identity.places()
    device, stranger = await devices.device(at.compound_id), uuid4()
    consumer = Consumer({"alarm": nothing}, refused=devices_listening._note)
    receipt = Taken()
    for _ in range(MOST_WAITING_OF_A_DEVICE + 3):
        consumer.received(message(device), cast("Receipt", receipt))
    large = b"x" * (LARGEST_PAYLOAD + 1)
    for each in (device, stranger, "nobody"):
        consumer.received(message(each, large), cast("Receipt", receipt))
    assert receipt.count == 6
    assert consumer.counts == {
        "received": MOST_WAITING_OF_A_DEVICE + 6, "flooded": 3, "oversized": 2, "foreign": 1,
    }  # fmt: skip
    await refusals().write()
    rows = await DeviceRefusal.filter(device_id__in=[device, stranger])
    assert {row.code: row.count for row in rows} == {"DEVICE_TOO_OFTEN": 3, "PAYLOAD_TOO_LARGE": 1}


async def test_what_no_handler_can_take_is_on_record() -> None:
    at = await identity.places()
    bad, good = [await devices.device(at.compound_id) for _ in range(2)]

    async def refuse_poison(batch: list[Message]) -> None:
        if any(each.device_id == bad for each in batch):
            raise TypeError("unhashable")

    consumer, receipt = Consumer({"alarm": refuse_poison}, refused=devices_listening._note), Taken()
    for each in (bad, good):
        consumer.received(message(each), cast("Receipt", receipt))
    consumer.start()
    async with asyncio.timeout(10):
        while receipt.count < 2:
            await asyncio.sleep(0.01)
    await consumer.stop()
    await refusals().write()
    assert await DeviceRefusal.filter(device_id=bad).values_list("code", "way", "count") == [
        ("MESSAGE_FAILED", "mqtt", 1)
    ]
    assert not await DeviceRefusal.filter(device_id=good).exists()


async def test_how_long_the_first_waits_is_known() -> None:
    consumer = Consumer({"alarm": nothing, "evt": nothing})
    assert consumer.oldest_s() == 0
    with clock.use(FixedClock(clock.now())) as time:
        for suffix in ("alarm", "evt"):
            consumer.received(message(uuid4(), suffix=suffix), cast("Receipt", Taken()))
            time.advance(timedelta(seconds=7))
        assert (consumer.waiting(), consumer.oldest_s()) == (2, 14)


async def read() -> dict[str, float]:
    registry = CollectorRegistry()
    await DoorGauges(registry).read()
    return {
        ":".join([sample.name, *sample.labels.values()]): sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }


async def test_open_alarms_orders_and_scans_are_counted() -> None:
    at = await identity.places()
    before = await read()
    await raised(await devices.device(at.compound_id, "fire_panel"))
    door = await access.door(at.compound_id)
    for result, reason in (("opened", ""), ("refused", "EXPIRED"), ("refused", "EXPIRED")):
        await access.record(door, method="qr", result=result, reason=reason)
    await access.record(door, method="app")
    now = clock.now()
    await DoorCommand.create(
        compound_id=at.compound_id, door_id=door, action="open", state="opened", requested_at=now,
        expires_at=now + timedelta(seconds=10), sent_at=now, settled_at=now + timedelta(seconds=2),
    )  # fmt: skip
    found = await read()
    assert found["linli_alarms_open:critical"] == before["linli_alarms_open:critical"] + 1
    assert (found["linli_scans:OK"], found["linli_scans:EXPIRED"]) == (1, 2)
    assert found["linli_door_commands:opened"] == 1
    assert found["linli_door_command_seconds:0.5"] == 2
    assert "linli_device_link_up:listener" not in found, "without a broker there is no line"


async def test_the_line_of_whoever_listens_is_seen_from_elsewhere_and_ends_with_it() -> None:
    broker.fill(Broker("mqtt://127.0.0.1:1", ""))
    try:
        link, consumer = Link("mqtt://127.0.0.1:1", "test"), Consumer({"alarm": nothing})
        link.online.set()
        link.counts.update(connected=1)
        consumer.received(message(uuid4()), cast("Receipt", Taken()))
        await devices_listening._tell(link, consumer)
        found = await read()
        assert (found["linli_device_link_up:listener"], found["linli_device_link_up:orders"]) == (1, 0)
        assert (found["linli_device_messages_waiting"], found["linli_device_messages:received"]) == (1, 1)
        assert 0 < await cache().ttl(HEARS) <= 20
        assert orjson.loads(await cache().get(HEARS) or b"{}")["counts"] == Counter(connected=1, received=1)
        await cache().delete(HEARS)
        assert (await read())["linli_device_link_up:listener"] == 0
    finally:
        broker.fill(None)
