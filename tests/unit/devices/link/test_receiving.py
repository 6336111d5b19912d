"""What devices say reaches the handlers in batches; rubbish and floods cost their sender and nobody else."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import aiomqtt
import asyncpg
import pytest
from tortoise.exceptions import DBConnectionError, OperationalError

from domains.devices.link import LARGEST_PAYLOAD, Consumer, Link, Message
from domains.kernel import clock
from tests.broker import Broker, Mosquitto
from tests.unit.devices.link.conftest import Taken, eventually


@asynccontextmanager
async def listening(broker: Broker, consumer: Consumer, name: str | None = None) -> AsyncIterator[Link]:
    async with Link(broker.url, name or f"test-{uuid4()}", consumer) as link:
        await asyncio.wait_for(link.online.wait(), 10)
        yield link


async def say(device: UUID, client: aiomqtt.Client, *payloads: bytes, suffix: str = "evt") -> None:
    for payload in payloads:
        await client.publish(f"linli/v1/{device}/{suffix}", payload, qos=1)


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(first, first + count)]


async def test_a_message_says_whose_it_is_and_when_it_came(
    broker: Broker, devices: list[UUID], taken: Taken
) -> None:
    async with listening(broker, Consumer({"evt": taken})), broker.device(devices[1]) as door:
        await say(devices[1], door, b'{"kind": "forced"}')
        await eventually(lambda: taken.messages)
    (message,) = taken.messages
    assert (message.device_id, message.suffix, message.payload) == (devices[1], "evt", b'{"kind": "forced"}')
    assert abs(clock.now() - message.received_at) < timedelta(seconds=5)
    assert not message.retained


async def test_each_suffix_has_its_handler(broker: Broker, devices: list[UUID]) -> None:
    events, acks = Taken(), Taken()
    async with (
        listening(broker, Consumer({"evt": events, "ack": acks})),
        broker.device(devices[0]) as door,
    ):
        await say(devices[0], door, b"e", suffix="evt")
        await say(devices[0], door, b"a", suffix="ack")
        await say(devices[0], door, b"t", suffix="telemetry")
        await eventually(lambda: events.messages and acks.messages)
    assert (events.payloads, acks.payloads) == ([b"e"], [b"a"])


async def test_a_state_from_before_is_marked_as_such(
    broker: Broker, devices: list[UUID], taken: Taken
) -> None:
    async with broker.device(devices[0]) as door:
        await door.publish(f"linli/v1/{devices[0]}/state", b"closed", qos=1, retain=True)
        async with listening(broker, Consumer({"state": taken})):
            await eventually(lambda: taken.of(devices[0]))
            await door.publish(f"linli/v1/{devices[0]}/state", b"open", qos=1, retain=True)
            await eventually(lambda: len(taken.of(devices[0])) == 2)
        await door.publish(f"linli/v1/{devices[0]}/state", b"", qos=1, retain=True)
    own = [each for each in taken.messages if each.device_id == devices[0]]
    assert [(each.payload, each.retained) for each in own] == [(b"closed", True), (b"open", False)]


async def test_what_arrives_meanwhile_is_one_batch_in_order(
    broker: Broker, devices: list[UUID], taken: Taken
) -> None:
    taken.may.clear()
    consumer = Consumer({"evt": taken})
    async with listening(broker, consumer), broker.device(devices[0]) as door:
        await say(devices[0], door, *numbered(90))
        await eventually(lambda: consumer.counts["received"] == 90)
        taken.may.set()
        await eventually(lambda: len(taken.messages) == 90)
    assert taken.payloads == numbered(90)
    assert len(taken.batches) == 2
    assert consumer.counts == {"received": 90, "handled": 90}


async def test_rubbish_is_dropped_and_counted(broker: Broker, devices: list[UUID], taken: Taken) -> None:
    """The program's own account may write to any topic; a device could reach some of these at most."""
    consumer = Consumer({"evt": taken})
    strange = (
        "nobody",
        str(devices[0]).upper(),
        f"{{{devices[0]}}}",
        "urn:uuid:" + str(devices[0]),
        "０" * 36,
    )
    async with (
        listening(broker, consumer),
        aiomqtt.Client(
            "127.0.0.1", broker.port, username="linli", password="test-password",
            protocol=aiomqtt.ProtocolVersion.V5,
        ) as anybody,
    ):  # fmt: skip
        for name in strange:
            await anybody.publish(f"linli/v1/{name}/evt", b"x", qos=1)
        await say(
            devices[0], anybody, b"x" * (LARGEST_PAYLOAD + 1), b"x" * LARGEST_PAYLOAD, os.urandom(500), b""
        )
        await eventually(lambda: len(taken.messages) == 3)
    assert [len(payload) for payload in taken.payloads] == [LARGEST_PAYLOAD, 500, 0]
    assert (consumer.counts["foreign"], consumer.counts["oversized"]) == (len(strange), 1)


async def test_a_message_that_fails_is_given_up_and_its_neighbours_are_not(
    broker: Broker, devices: list[UUID], taken: Taken, capsys: pytest.CaptureFixture[str]
) -> None:
    async def refuse_poison(batch: list[Message]) -> None:
        await taken.may.wait()
        if any(each.payload == b"p0ison" for each in batch):
            raise ValueError("p0ison")
        taken.messages += batch

    taken.may.clear()
    consumer = Consumer({"evt": refuse_poison})
    async with (
        listening(broker, consumer),
        broker.device(devices[0]) as bad,
        broker.device(devices[1]) as good,
    ):
        await say(devices[0], bad, *[b"p0ison"] * 40)
        await say(devices[1], good, *numbered(40))
        await eventually(lambda: consumer.counts["received"] == 80)
        taken.may.set()
        await eventually(lambda: consumer.counts["handled"] + consumer.counts["failed"] == 80)
    assert taken.payloads == numbered(40)
    assert consumer.counts["failed"] == 40
    shown = capsys.readouterr().out
    assert str(devices[0]) in shown
    assert "p0ison" not in shown


@pytest.mark.parametrize(
    "failure",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        DBConnectionError("away"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.AdminShutdownError("stopping"),
        asyncpg.TooManyConnectionsError("full"),
        asyncpg.DeadlockDetectedError("again"),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_while_the_database_is_away_nothing_is_given_up(
    broker: Broker, devices: list[UUID], taken: Taken, failure: Exception
) -> None:
    left = [failure, OperationalError("wrapped")]
    left[1].__cause__ = failure

    async def commit(batch: list[Message]) -> None:
        if left:
            raise left.pop()
        taken.messages += batch

    consumer = Consumer({"evt": commit})
    async with listening(broker, consumer), broker.device(devices[0]) as door:
        await say(devices[0], door, b"1")
        await eventually(lambda: taken.messages)
    assert consumer.counts == {"received": 1, "postponed": 2, "handled": 1}


@pytest.mark.parametrize(
    "failure", [asyncpg.DataError("not a number"), asyncpg.UniqueViolationError("twice"), KeyError("x")]
)
async def test_a_message_that_the_database_refuses_is_the_messages_fault(
    broker: Broker, devices: list[UUID], failure: Exception
) -> None:
    async def refuse(_: list[Message]) -> None:
        raise failure

    consumer = Consumer({"evt": refuse})
    async with listening(broker, consumer), broker.device(devices[0]) as door:
        await say(devices[0], door, b"1")
        await eventually(lambda: consumer.counts["failed"] == 1)
    assert consumer.counts["postponed"] == 0


async def test_a_flood_delays_nobody_by_more_than_a_batch(
    real: Mosquitto, devices: list[UUID], taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(batch: list[Message]) -> None:
        await asyncio.sleep(0.2)
        taken.batches.append(len(batch))
        taken.messages += batch

    monkeypatch.setattr("domains.devices.link.consumer.MOST_WAITING_OF_A_DEVICE", 200)
    flooder, neighbour, _ = devices
    consumer = Consumer({"evt": work})
    stop = asyncio.Event()

    async def flood(client: aiomqtt.Client) -> None:
        while not stop.is_set():
            await asyncio.gather(*(say(flooder, client, b"x") for _ in range(50)))

    async with (
        listening(real, consumer),
        real.device(flooder) as bad,
        real.device(neighbour) as good,
    ):
        bad.pending_calls_threshold = 1000  # or it logs each
        flooding = asyncio.create_task(flood(bad))
        try:
            await eventually(lambda: consumer.counts["flooded"] > 100)
            delays = []
            for payload in numbered(10):
                said = time.monotonic()
                await say(neighbour, good, payload)
                await eventually(lambda payload=payload: payload in taken.of(neighbour))  # type: ignore[misc]  # a default binds the loop's value
                delays.append(time.monotonic() - said)
        finally:
            stop.set()
            await flooding
        assert max(taken.batches) <= 102
    assert taken.of(neighbour) == numbered(10)
    assert sorted(delays)[8] < 0.8


async def test_what_waits_is_bounded_and_the_rest_waits_in_the_broker(
    real: Mosquitto, devices: list[UUID], taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domains.devices.link.connection.RECEIVE_MAXIMUM", 50)
    taken.may.clear()
    consumer = Consumer({"evt": taken})
    async with listening(real, consumer), real.device(devices[0]) as door:
        await say(devices[0], door, *numbered(300))
        await asyncio.sleep(0.3)
        assert consumer.counts["received"] == 50
        taken.may.set()
        await eventually(lambda: len(taken.messages) == 300)
    assert taken.payloads == numbered(300)


async def test_messages_without_a_promise_are_bounded_as_well(
    real: Mosquitto, devices: list[UUID], taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domains.devices.link.consumer.RECEIVE_MAXIMUM", 50)
    taken.may.clear()
    consumer = Consumer({"evt": taken})
    async with listening(real, consumer), real.device(devices[0]) as door:
        for payload in numbered(300):
            await door.publish(f"linli/v1/{devices[0]}/evt", payload, qos=0)
        await eventually(lambda: consumer.counts["received"] == 300)
        assert consumer.waiting() == 50
        taken.may.set()
        await eventually(lambda: consumer.waiting() == 0)
    assert consumer.counts["flooded"] == 300 - consumer.counts["handled"]
