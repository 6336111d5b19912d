"""What a thousand alarms a second cost: as the broker's consumer hands them over, and over a real broker."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from uuid import UUID

import aiomqtt
import orjson

from domains.devices.kinds import ALARM_KINDS, may_raise
from domains.devices.link import Consumer, Link, Message
from domains.devices.link.message import topic
from domains.devices.service.alarm_reports import NOTICED_HERE, hear_alarms
from domains.kernel import clock, database
from tests.bench.figures import Figures
from tests.broker import Broker, running
from tests.factories import devices
from tests.factories.identity import places

DEVICES, SENDERS, BATCH = 500, 50, 500
A_SECOND, SECONDS = 1_000, 60
KIND = "fire_panel"
KINDS = sorted(kind for kind in ALARM_KINDS if may_raise(KIND, kind) and kind not in NOTICED_HERE)

TAKEN = """
SELECT count(*) AS alarms, count(DISTINCT (device_id, kind)) AS conditions, coalesce(sum(reports), 0)::bigint AS reports,
    (SELECT count(*) FROM outbox_message WHERE event = 'AlarmOpened' AND payload->>'device_id' = ANY($2::text[])) AS events
FROM alarm WHERE device_id = ANY($1::uuid[])
"""


async def measure(figures: Figures, seconds: int = SECONDS) -> None:
    """Both, in an instance whose slots are filled; its workers have to be stopped."""
    compound_id = (await places()).compound_id
    await _handed_over(figures, compound_id, A_SECOND * seconds)
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder)) as broker:
            await _over_the_broker(figures, compound_id, broker, seconds)


async def _handed_over(figures: Figures, compound_id: UUID, number: int) -> None:
    made = [await devices.device(compound_id, KIND) for _ in range(DEVICES)]
    took, cpu, slowest = time.perf_counter(), time.process_time(), 0.0
    for start in range(0, number, BATCH):
        batch = [_message(made, place) for place in range(start, start + BATCH)]
        began = time.perf_counter()
        await hear_alarms(batch)
        slowest = max(slowest, time.perf_counter() - began)
    took, cpu = time.perf_counter() - took, time.process_time() - cpu
    conditions = min(number, DEVICES * len(KINDS))
    lost = await _lost(made, number, conditions)
    figures.add(
        f"{number:,} reports of {conditions:,} conditions, by {BATCH}",
        f"{number / took:,.0f} reports/s, CPU {1e6 * cpu / number:.0f} µs each",
        f"≥ {A_SECOND:,} /s", number / took >= A_SECOND,
    )  # fmt: skip
    figures.add("… slowest batch", f"{1000 * slowest:.0f} ms")
    figures.add("… lost, conditions with two rows", lost, "0, 0", lost == "0, 0")


def _message(made: Sequence[UUID], place: int) -> Message:
    device, kind = made[place % DEVICES], KINDS[place // DEVICES % len(KINDS)]
    return Message(device, "alarm", _payload(kind), clock.now(), retained=False)


def _payload(kind: str) -> bytes:
    return orjson.dumps({"kind": kind, "active": True, "at": time.time_ns() // 1_000_000, "detail": "测试"})


async def _over_the_broker(figures: Figures, compound_id: UUID, broker: Broker, seconds: int) -> None:
    made = [await devices.device(compound_id, KIND) for _ in range(SENDERS)]
    await broker.admit(*made)
    waits: list[float] = []

    async def hear(batch: list[Message]) -> None:
        await hear_alarms(batch)
        now = time.time()
        waits.extend(now - orjson.loads(each.payload)["at"] / 1000 for each in batch)

    number, consumer = A_SECOND * seconds, Consumer({"alarm": hear}, durable=True)
    async with Link(broker.url, "bench", consumer) as link:
        await asyncio.wait_for(link.online.wait(), 10)
        began = time.monotonic()
        await asyncio.gather(*(_send(broker, device, number // SENDERS, seconds) for device in made))
        sent = time.monotonic() - began
        while len(waits) < number and time.monotonic() - began < 2 * seconds + 30:
            await asyncio.sleep(0.05)
        took = time.monotonic() - began
    lost, hundredths = await _lost(made, number, SENDERS * len(KINDS)), quantiles(waits, n=100)
    figures.add(
        f"{number:,} over {type(broker).__name__}, {SENDERS} devices in the same process",
        f"sent in {sent:.1f} s, the last taken after {took:.1f} s", f"{A_SECOND:,} a second", took <= seconds + 2,
    )  # fmt: skip
    figures.add(
        "… from the device to the commit: p50, p99",
        f"{1000 * hundredths[49]:.0f} ms, {1000 * hundredths[98]:.0f} ms",
    )
    figures.add("… lost, conditions with two rows", lost, "0, 0", lost == "0, 0")


async def _send(broker: Broker, device: UUID, number: int, seconds: float) -> None:
    async with broker.device(device) as client:
        began = time.monotonic()
        for place in range(number):
            await asyncio.sleep(began + place * seconds / number - time.monotonic())
            await _publish(client, device, KINDS[place % len(KINDS)])


async def _publish(client: aiomqtt.Client, device: UUID, kind: str) -> None:
    await client.publish(topic(device, "alarm"), _payload(kind), qos=1, timeout=60)


async def _lost(made: Sequence[UUID], number: int, conditions: int) -> str:
    row = await database.fetchrow(TAKEN, made, list(map(str, made)))
    assert row is not None, "an aggregate has a row"
    assert row["conditions"] == row["events"] == conditions, dict(row)
    return f"{number - row['reports']}, {row['alarms'] - row['conditions']}"
