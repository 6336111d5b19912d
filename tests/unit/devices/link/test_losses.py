"""Brokers and consumers that are killed: what was promised arrives all the same."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID, uuid4

import aiomqtt
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from api.settings import REPOSITORY
from domains.devices.link import Consumer, Link, Message, NotSent
from domains.devices.link.connection import Receipt
from tests.broker import Broker, Mosquitto
from tests.unit.devices.link.conftest import Taken, eventually


@asynccontextmanager
async def process(broker: Broker, file: Path, *extra: str) -> AsyncIterator[asyncio.StreamReader]:
    """A consumer process; what it says. It is gone after the block."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.unit.devices.link.consumer_process", broker.url, str(file), *extra,
        cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert started.stdout is not None
    try:
        async with asyncio.timeout(30):
            yield started.stdout
    finally:
        with suppress(ProcessLookupError):
            started.kill()
        await started.wait()


async def said(lines: asyncio.StreamReader, wanted: bytes) -> list[bytes]:
    """Its lines up to the wanted one, or to its end."""
    heard: list[bytes] = []
    async for line in lines:
        if line.startswith((b"new", b"again", b"online")):
            heard.append(line.strip())
        if line.strip() == wanted:
            break
    return heard


async def say(device: UUID, client: aiomqtt.Client, *payloads: str) -> None:
    for payload in payloads:
        await client.publish(f"linli/v1/{device}/evt", payload, qos=1)


async def test_a_consumer_killed_between_commit_and_acknowledgement_is_told_again(
    real: Mosquitto, devices: list[UUID], tmp_path: Path
) -> None:
    file = tmp_path / "committed"
    file.touch()
    async with real.device(devices[0]) as door:
        async with process(real, file, "die") as first:
            await said(first, b"online")
            await say(devices[0], door, "1")
            assert await said(first, b"") == [b"new 1"]
        await say(devices[0], door, "2", "3")
        async with process(real, file) as second:
            heard = await said(second, b"new 3")
    assert [line for line in heard if line != b"online"] == [b"again 1", b"new 2", b"new 3"]
    assert file.read_text().split() == ["1", "2", "3"]


async def test_what_was_acknowledged_is_not_told_again(
    real: Mosquitto, devices: list[UUID], taken: Taken
) -> None:
    again = Taken()
    name = f"test-{uuid4()}"
    async with real.device(devices[0]) as door:
        async with Link(real.url, name, Consumer({"evt": taken}, durable=True)) as link:
            await link.online.wait()
            await say(devices[0], door, "1")
            await eventually(lambda: taken.messages)
        await say(devices[0], door, "2")
        async with Link(real.url, name, Consumer({"evt": again}, durable=True)):
            await eventually(lambda: again.messages)
    assert (taken.payloads, again.payloads) == ([b"1"], [b"2"])


async def test_a_stop_lets_the_batch_finish_and_acknowledges_it(
    real: Mosquitto, devices: list[UUID], taken: Taken
) -> None:
    began, again = asyncio.Event(), Taken()

    async def slowly(batch: list[Message]) -> None:
        began.set()
        await asyncio.sleep(0.3)
        await taken(batch)

    name = f"test-{uuid4()}"
    async with real.device(devices[0]) as door:
        async with Link(real.url, name, Consumer({"evt": slowly}, durable=True)) as link:
            await link.online.wait()
            await say(devices[0], door, "1")
            await began.wait()
        async with Link(real.url, name, Consumer({"evt": again}, durable=True)) as link:
            await link.online.wait()
            await say(devices[0], door, "2")
            await eventually(lambda: again.messages)
    assert (taken.payloads, again.payloads) == ([b"1"], [b"2"])


async def test_after_the_broker_was_killed_everything_goes_on_and_nothing_is_missing(
    broker: Broker, devices: list[UUID], taken: Taken
) -> None:
    """A device repeats what the broker did not acknowledge; what the broker handed over before it died is
    still with us, although it will never ask about it again."""
    taken.may.clear()
    consumer = Consumer({"evt": taken}, durable=True)
    async with Link(broker.url, f"test-{uuid4()}", consumer) as link:
        await link.online.wait()
        async with broker.device(devices[0], timeout=1) as door:
            await say(devices[0], door, *map(str, range(50)))
            await eventually(lambda: consumer.counts["received"] == 50)
            broker.kill()
            with pytest.raises(aiomqtt.MqttError):
                await say(devices[0], door, "unheard")
        await eventually(lambda: not link.online.is_set())
        with pytest.raises(NotSent):
            await link.publish(devices[0], "cmd", b"open", expires_in_s=5)
        await broker.start()
        await asyncio.wait_for(link.online.wait(), 20)
        async with broker.device(devices[0]) as door:
            await door.subscribe(f"linli/v1/{devices[0]}/cmd", qos=1)
            await link.publish(devices[0], "cmd", b"open", expires_in_s=5)
            assert (await anext(aiter(door.messages))).payload == b"open"
            await say(devices[0], door, *map(str, range(50, 100)))
        taken.may.set()
        await eventually(lambda: len(taken.messages) == 100)
    assert taken.payloads == [b"%d" % number for number in range(100)]
    assert link.counts["connected"] == 2


async def test_a_broker_that_restarts_keeps_what_a_durable_consumer_has_not_taken(
    real: Mosquitto, devices: list[UUID], taken: Taken
) -> None:
    name = f"test-{uuid4()}"
    async with Link(real.url, name, Consumer({"evt": taken}, durable=True)) as link:
        await link.online.wait()
    async with real.device(devices[0]) as door:
        await say(devices[0], door, *map(str, range(200)))
    real.stop()
    await real.start()
    async with Link(real.url, name, Consumer({"evt": taken}, durable=True)):
        await eventually(lambda: len(taken.messages) == 200)
    assert taken.payloads == [b"%d" % number for number in range(200)]


async def test_what_a_forgotten_session_left_outlives_the_resumption_of_the_next() -> None:
    taken, client = Taken(), Client(CallbackAPIVersion.VERSION2)
    consumer = Consumer({"evt": taken}, durable=True)

    def receive(payload: bytes) -> None:
        message = MQTTMessage(1, f"linli/v1/{uuid4()}/evt".encode())
        message.payload, message.qos = payload, 1
        consumer.received(message, Receipt(client, 1, 1))

    for resumed, payload in ((False, b"forgotten"), (False, b"comes again"), (True, b"news")):
        consumer.accepted(resumed)
        receive(payload)
    consumer.start()
    await eventually(lambda: taken.messages)
    await consumer.stop()
    assert taken.payloads == [b"forgotten", b"news"]


async def test_a_line_that_breaks_in_the_middle_of_a_batch_has_it_told_again(
    real: Mosquitto, devices: list[UUID], taken: Taken
) -> None:
    """Another client with the same id pushes the line out; both handlers see what was not acknowledged."""
    taken.may.clear()
    name, other = f"test-{uuid4()}", Taken()
    consumer = Consumer({"evt": taken}, durable=True)
    async with real.device(devices[0]) as door, Link(real.url, name, consumer) as link:
        await link.online.wait()
        await say(devices[0], door, *map(str, range(10)))
        await eventually(lambda: consumer.counts["received"] == 10)
        async with Link(real.url, name, Consumer({"evt": other}, durable=True)):
            await eventually(lambda: len(other.messages) == 10)
        taken.may.set()
        await eventually(link.online.is_set)
        await say(devices[0], door, "10")
        await eventually(lambda: b"10" in taken.payloads)
    assert other.payloads == [b"%d" % number for number in range(10)]
    assert len(taken.payloads) == len(set(taken.payloads))
