"""Readings of many devices: written once, the newest kept, clocks judged, nobody's rubbish in anybody's way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import orjson
import pytest

from domains.devices import jobs
from domains.devices.link import Message
from domains.devices.models import Device, DeviceRefusal, Latest, Reading
from domains.devices.readings import Value
from domains.devices.service import telemetry
from domains.devices.service.listening import ROUTES
from domains.devices.service.refusals import refusals
from domains.devices.service.telemetry import Measured, take
from domains.kernel import clock, database
from domains.kernel.rates import RateLimit, WhenDown
from tests.factories import devices
from tests.factories.alarms import all_of
from tests.factories.identity import Places, places

pytestmark = pytest.mark.usefixtures("instance")

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
async def at(instance: object) -> Places:
    return await places()


@pytest.fixture
async def tank(at: Places) -> UUID:
    return await devices.device(at.compound_id, "water_tank")


def value(number: float, at: datetime | None = NOW, metric: str = "level_m") -> Value:
    return Value(metric, Decimal(str(number)), at)


def said(device_id: UUID, *values: Value, received_at: datetime = NOW) -> Measured:
    return Measured(device_id, values, received_at, "mqtt")


async def kept(device_id: UUID) -> Sequence[tuple[datetime, Decimal]]:
    rows = await Reading.filter(device_id=device_id).order_by("measured_at").values("measured_at", "value")
    return [(row["measured_at"], row["value"].normalize()) for row in rows]


async def newest(device_id: UUID, metric: str = "level_m") -> Decimal:
    return (await Latest.get(device_id=device_id, metric=metric)).value.normalize()


async def refused(device_id: UUID) -> dict[str, int]:
    await refusals().write()
    return {row.code: row.count for row in await DeviceRefusal.filter(device_id=device_id)}


async def test_a_batch_of_many_devices_is_one_statement_and_one_for_those_heard(at: Places) -> None:
    ids = [await devices.device(at.compound_id, "environment") for _ in range(20)]
    messages = [said(id, *(value(n, NOW - n * MINUTE) for n in range(5))) for id in ids]
    async with database.counted() as statements:
        taken = await take(messages)
    assert (taken.written, taken.dropped, statements.count) == (100, 0, 2)
    assert {await newest(id) for id in ids} == {Decimal(0)}


async def test_what_comes_again_is_written_once(tank: UUID) -> None:
    message = said(tank, value(1), value(2, NOW - MINUTE))
    assert (await take([message, message])).written == 2
    assert (await take([message])).written == 0
    assert len(await kept(tank)) == 2


async def test_the_newest_value_gives_way_to_a_newer_one_only(tank: UUID) -> None:
    await take([said(tank, value(5))])
    await take([said(tank, value(4, NOW - 2 * MINUTE))])
    assert await newest(tank) == 5
    await take([said(tank, value(6, NOW + MINUTE))])
    assert await newest(tank) == 6


async def test_what_was_measured_while_a_device_was_cut_off_keeps_its_time(tank: UUID) -> None:
    backlog = [value(n, NOW - n * timedelta(hours=1)) for n in range(48)]
    await take([said(tank, *backlog)])
    assert [at for at, _ in await kept(tank)] == [each.at for each in reversed(backlog)]
    assert await all_of(tank) == []


@pytest.mark.parametrize("off", [timedelta(days=400), timedelta(minutes=7), timedelta(minutes=-67)])
async def test_a_clock_that_is_wrong_raises_an_alarm_and_loses_no_value(tank: UUID, off: timedelta) -> None:
    await take([said(tank, value(1, NOW + off - MINUTE), value(2, NOW + off))])
    await take([said(tank, value(3, NOW + off), received_at=NOW + MINUTE)])
    assert await kept(tank) == [(NOW, Decimal(2)), (NOW + MINUTE, Decimal(3))]
    [alarm] = await all_of(tank)
    assert (alarm.kind, alarm.state, alarm.said_at, alarm.reports) == ("clock", "open", None, 2)


async def test_a_wrong_clock_is_on_record(tank: UUID) -> None:
    await take([said(tank, value(1, NOW + timedelta(hours=9)))])
    assert await refused(tank) == {"TIME_WRONG": 1}


async def test_a_clock_that_is_put_right_ends_its_alarm(tank: UUID) -> None:
    await take([said(tank, value(1, NOW + timedelta(hours=2)))])
    later = NOW + MINUTE
    await take([said(tank, value(2, later), received_at=later)])
    [alarm] = await all_of(tank)
    assert alarm.calm_since is not None
    async with database.counted() as statements:
        await take([said(tank, value(3, later + MINUTE), received_at=later + MINUTE)])
    assert statements.count == 2, "an alarm that is calm already is left to its off-delay"


async def test_a_device_without_a_clock_is_no_liar(tank: UUID) -> None:
    await take([said(tank, value(1, None))])
    assert await kept(tank) == [(NOW, Decimal(1))]
    assert (await all_of(tank), await refused(tank)) == ([], {})


async def test_a_time_before_anything_is_kept_is_not_believed(tank: UUID) -> None:
    await take([said(tank, value(1, datetime(1970, 1, 1, tzinfo=UTC)), value(2, NOW))])
    assert [at for at, _ in await kept(tank)] == [NOW]


async def test_unknown_and_retired_devices_are_dropped_and_counted(at: Places, tank: UUID) -> None:
    gone = await devices.device(at.compound_id, "water_tank", state="retired")
    taken = await take([said(uuid4(), value(1)), said(tank, value(1)), said(gone, value(1))])
    assert (taken.written, taken.dropped) == (1, 2)
    assert (await kept(gone), await refused(gone)) == ([], {"DEVICE_RETIRED": 1})
    assert (await Device.get(pk=gone)).last_seen_at is None


async def test_nothing_is_taken_from_nobody() -> None:
    async with database.counted() as statements:
        taken = await take([])
    assert (taken.written, statements.count) == (0, 0)


async def test_a_batch_beyond_a_statement_goes_in_parts(tank: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "MOST_ROWS", 7)
    assert (await take([said(tank, *(value(n, NOW - n * MINUTE) for n in range(20)))])).written == 20
    assert await newest(tank) == 0


async def test_processes_that_take_the_same_readings_never_wait_in_a_circle(at: Places) -> None:
    ids = [await devices.device(at.compound_id, "environment") for _ in range(30)]
    messages = [said(id, *(value(n, NOW - n * MINUTE, f"m{n % 3}") for n in range(6))) for id in ids]
    batches = [messages, messages[::-1], messages[10:], messages[20:] + messages[:10]] * 3
    taken = await asyncio.gather(*(take(batch) for batch in batches))
    assert sum(each.written for each in taken) == 180
    assert await Reading.filter(device_id__in=ids).count() == 180


def message(device_id: UUID, payload: bytes, suffix: str = "telemetry") -> Message:
    return Message(device_id, suffix, payload, clock.now(), False)


async def test_rubbish_over_the_broker_is_refused_and_holds_up_nothing(at: Places, tank: UUID) -> None:
    other = await devices.device(at.compound_id, "water_tank")
    good = orjson.dumps([{"metric": "level_m", "value": 1, "at": round(clock.now().timestamp() * 1000)}, 5])
    rubbish = [b"", b"\xff" * 100, b"{}", b"[" * 4000, orjson.dumps([{}] * 201)]
    await ROUTES["telemetry"]([*(message(tank, each) for each in rubbish), message(other, good)])
    assert len(await kept(other)) == 1
    assert await refused(tank) == {"PAYLOAD_INVALID": 4, "TOO_MANY_READINGS": 1}
    assert await refused(other) == {"READING_INVALID": 1}


async def test_a_device_has_so_many_metrics_and_no_more(at: Places, tank: UUID) -> None:
    neighbour = await devices.device(at.compound_id, "water_tank")
    await take([said(tank, *(value(n, NOW, f"m{n:03}") for n in range(60)))])
    more = [value(n, NOW + MINUTE, f"m{n:03}") for n in range(100)]
    taken = await take([said(tank, *more, value(1, NOW, "m099")), said(neighbour, value(1, NOW, "m099"))])
    assert (taken.written, taken.dropped) == (65, 0)
    assert taken.crowded == {(tank, f"m{n:03}") for n in range(64, 100)}
    assert await Latest.filter(device_id=tank).count() == 64
    assert (await refused(tank), await refused(neighbour)) == ({"METRICS_TOO_MANY": 37}, {})
    await take([said(tank, value(7, NOW + 2 * MINUTE, "m003"))])
    assert await newest(tank, "m003") == 7


async def test_a_device_that_never_stops_fills_no_table_and_raises_alarms(
    at: Places, tank: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "PER_DEVICE", RateLimit("device-readings", 10, 3600, 10, WhenDown.OPEN))
    neighbour = await devices.device(at.compound_id, "water_tank")
    flood = [said(tank, *(value(n, NOW - (5 * m + n) * MINUTE) for n in range(5))) for m in range(20)]
    taken = await take([*flood, said(neighbour, value(1))])
    assert (taken.written, taken.talkers) == (11, frozenset({tank}))
    assert (len(await kept(tank)), len(await kept(neighbour))) == (10, 1)
    assert await refused(tank) == {"READINGS_TOO_MANY": 90}
    assert (await Device.get(pk=tank)).last_seen_at == NOW
    await ROUTES["alarm"]([message(tank, b'{"kind": "water_tank", "active": true}', "alarm")])
    assert [alarm.kind for alarm in await all_of(tank)] == ["water_tank"]


async def test_a_batch_that_comes_again_after_an_outage_is_counted_once(
    tank: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "PER_DEVICE", RateLimit("device-readings", 10, 3600, 10, WhenDown.OPEN))

    async def away(_: object) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as outage:
        outage.setattr(telemetry, "seen", away)
        for _ in range(5):
            with pytest.raises(ConnectionRefusedError):
                await take([said(tank, *(value(n, NOW - n * MINUTE) for n in range(10)))])
    assert (await take([said(tank, *(value(n, NOW - n * MINUTE) for n in range(10)))])).written == 10


async def test_old_readings_are_forgotten_by_batches(tank: UUID) -> None:
    old, young = clock.now() - timedelta(days=91), clock.now() - timedelta(days=89)
    await take([said(tank, *(value(n, old - n * MINUTE) for n in range(5)), received_at=old)])
    await take([said(tank, value(9, young, "ph"), received_at=young)])
    await DeviceRefusal.create(
        device_id=tank, on_day=clock.today() - timedelta(days=181), way="http", code="X", count=1, last_at=old
    )
    gone = await jobs.purge(None, batch=2)
    assert gone is not None and gone["readings"] >= 5 and gone["latest"] >= 1 and gone["refusals"] >= 1
    assert [at for at, _ in await kept(tank)] == [young]
    assert [row.metric for row in await Latest.filter(device_id=tank)] == ["ph"]
    assert await DeviceRefusal.filter(device_id=tank).count() == 0
    await jobs.purge(None, batch=2)
    assert len(await kept(tank)) == 1
