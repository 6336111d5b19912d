"""Commands go out once, in time, to who listens, or it is known that they did not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from domains.devices.link import Link, NotSent, OutcomeUnknown
from tests.broker import Broker, Mosquitto, free_ports
from tests.unit.devices.link.conftest import eventually

CONNACK = bytes.fromhex("20 03 00 00 00")


def remembered() -> Properties:
    """A session that the broker keeps for a minute."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # the library's
    properties.SessionExpiryInterval = 60
    return properties


async def heard(client: aiomqtt.Client, within_s: float, until: int | None = None) -> list[bytes]:
    """What a client is told in that time, or until it was told so much."""
    payloads: list[bytes] = []
    try:
        async with asyncio.timeout(within_s):
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                payloads.append(message.payload)
                if len(payloads) == until:
                    break
    except TimeoutError:
        pass
    return payloads


@asynccontextmanager
async def sleeping(broker: Mosquitto, device: UUID) -> AsyncIterator[aiomqtt.Client]:
    """A client whose session was made, with its subscription, and which is away when the block begins."""
    away = broker.device(device, clean_start=False, properties=remembered())
    async with away:
        await away.subscribe(f"linli/v1/{device}/cmd", qos=1)
    yield broker.device(device, clean_start=False, properties=remembered())


async def test_a_command_reaches_the_device_that_listens(
    broker: Broker, link: Link, devices: list[UUID]
) -> None:
    async with broker.device(devices[0]) as door:
        await door.subscribe(f"linli/v1/{devices[0]}/cmd", qos=1)
        await link.publish(devices[0], "cmd", b"\x00\xffopen", expires_in_s=10)
        message = await anext(aiter(door.messages))
    assert (message.payload, message.retain, message.qos) == (b"\x00\xffopen", False, 1)
    assert 1 <= getattr(message.properties, "MessageExpiryInterval", 0) <= 10
    assert link.counts["published"] == 1


async def test_where_nobody_listens_nothing_was_sent(
    real: Mosquitto, link: Link, devices: list[UUID]
) -> None:
    with pytest.raises(NotSent, match="No matching subscribers"):
        await link.publish(devices[0], "cmd", b"open", expires_in_s=10)
    async with real.device(devices[0]) as door:
        await door.subscribe(f"linli/v1/{devices[0]}/cmd", qos=1)
        assert await heard(door, 0.3) == []


async def test_a_command_ends_in_the_broker_before_the_device_is_back(
    real: Mosquitto, link: Link, devices: list[UUID]
) -> None:
    async with sleeping(real, devices[0]) as door:
        await link.publish(devices[0], "cmd", b"late", expires_in_s=1)
        await link.publish(devices[0], "cmd", b"in time", expires_in_s=10)
        await asyncio.sleep(2.1)
        async with door:
            assert await heard(door, 0.5) == [b"in time"]


async def test_no_command_is_retained(real: Mosquitto, link: Link, devices: list[UUID]) -> None:
    async with real.device(devices[0]) as door:
        await door.subscribe(f"linli/v1/{devices[0]}/cmd", qos=1)
        await link.publish(devices[0], "cmd", b"open", expires_in_s=10)
        assert await heard(door, 0.3) == [b"open"]
        await door.unsubscribe(f"linli/v1/{devices[0]}/cmd")
        await door.subscribe(f"linli/v1/{devices[0]}/cmd", qos=1)
        assert await heard(door, 0.3) == []


async def test_commands_side_by_side_stay_within_the_brokers_window(
    broker: Broker, link: Link, devices: list[UUID]
) -> None:
    async with broker.device(devices[0]) as door:
        await door.subscribe(f"linli/v1/{devices[0]}/cmd", qos=1)
        await asyncio.gather(
            *(link.publish(devices[0], "cmd", b"%d" % n, expires_in_s=10) for n in range(400))
        )
        assert len(set(await heard(door, 30.0, until=400))) == 400
    assert link.counts == {"connected": 1, "published": 400}


async def test_without_a_broker_nothing_is_sent_and_nothing_waits() -> None:
    async with Link(f"mqtt://127.0.0.1:{free_ports(1)[0]}", "test") as link:
        with pytest.raises(NotSent, match="offline"):
            await link.publish(uuid4(), "cmd", b"open", expires_in_s=10)
        await eventually(lambda: link.counts["lost"] >= 2)
    assert link.counts["not_sent"] == 1


@pytest.mark.parametrize("left_s", [0, -3])
async def test_what_is_over_is_not_sent(link: Link, left_s: float) -> None:
    with pytest.raises(NotSent):
        await link.publish(uuid4(), "cmd", b"open", expires_in_s=left_s)


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def odd_broker(answer: Answer) -> AsyncIterator[Link]:
    """A line to a broker that accepts, and then does as the test says with the first packet."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK)
        await reader.read(1000)
        await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, Link(f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}", "test") as link:
        await asyncio.wait_for(link.online.wait(), 10)
        yield link


async def _silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read(1000)


async def _cut(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff" * 50)
    await reader.read(1000)


@pytest.mark.parametrize("answer", [_silence, _cut, _nonsense])
async def test_without_an_answer_the_outcome_is_unknown(answer: Answer) -> None:
    async with odd_broker(answer) as link:
        with pytest.raises(OutcomeUnknown):
            await link.publish(uuid4(), "cmd", b"open", expires_in_s=1)
        assert link.counts["unknown"] == 1


async def test_what_the_last_connection_left_unanswered_is_not_sent_by_the_next() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK)
        seen.append(await reader.read(1000))
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, Link(f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}", "test") as link:
        await asyncio.wait_for(link.online.wait(), 10)
        with pytest.raises(OutcomeUnknown):
            await link.publish(uuid4(), "cmd", b"open", expires_in_s=5)
        await eventually(lambda: link.counts["connected"] == 2)
        await asyncio.sleep(0.3)
    assert len([each for each in seen if b"open" in each]) == 1
