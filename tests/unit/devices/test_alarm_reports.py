"""What devices say of conditions, as it comes over the broker or by HTTP: read, judged, counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from domains.devices.link import Message
from domains.devices.models import Alarm, Device, DeviceRefusal
from domains.devices.service import alarm_reports
from domains.devices.service.alarm_reports import Intake, Said, hear_alarms, take
from domains.devices.service.listening import ROUTES
from domains.devices.service.refusals import refusals
from domains.kernel import clock, database
from domains.kernel.clock import FixedClock
from tests.factories import devices, residents
from tests.factories.alarms import NOON, all_of, current

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def compound_id() -> UUID:
    return (await residents.scene()).compound_id


@pytest.fixture
async def device(compound_id: UUID) -> UUID:
    return await devices.device(compound_id, "fire_panel")


@pytest.fixture
async def time() -> AsyncIterator[FixedClock]:
    with clock.use(FixedClock(NOON)) as fixed:
        yield fixed


def ms(at: datetime) -> int:
    """Epoch milliseconds."""
    return int(at.timestamp() * 1000)


def item(
    kind: object = "fire", active: object = True, at: object = ms(NOON), **more: object
) -> dict[str, object]:
    """What a device says, as JSON has it."""
    return {"kind": kind, "active": active, "at": at, **more}


def said(device_id: UUID, content: object, way: Any = "http") -> Said:  # Any: a way
    return Said(device_id, content, clock.now(), way)


def message(device_id: UUID, payload: bytes, *, retained: bool = False) -> Message:
    return Message(device_id, "alarm", payload, clock.now(), retained)


async def refused(device_id: UUID) -> dict[str, int]:
    """What is on record as refused: how often, by way and code."""
    await refusals().write()
    rows = await DeviceRefusal.filter(device_id=device_id).values("way", "code", "count")
    return {f"{row['way']} {row['code']}": row["count"] for row in rows}


async def test_a_device_that_speaks_is_heard(device: UUID, time: FixedClock) -> None:
    assert await take([said(device, item(detail="探测器 3\n二层\x00"))]) == [None]
    row = await current(device)
    assert (row.detail, row.said_at, row.opened_at) == ("探测器 3 二层", NOON, NOON)
    known = await Device.get(pk=device)
    assert (known.is_online, known.last_seen_at) == (True, NOON)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "ALARM_INVALID"), ([], "ALARM_INVALID"), ("fire", "ALARM_INVALID"), ({}, "ALARM_INVALID"),
        (item(active=1), "ALARM_INVALID"), (item(active="true"), "ALARM_INVALID"), (item(active=None), "ALARM_INVALID"),
        (item(kind="flood"), "ALARM_KIND_UNKNOWN"), (item(kind=7), "ALARM_KIND_UNKNOWN"),
        (item(kind=["fire"]), "ALARM_KIND_UNKNOWN"),
        (item(kind="offline"), "ALARM_KIND_UNKNOWN"), (item(kind="clock"), "ALARM_KIND_UNKNOWN"),
        (item(at="now"), "TIME_INVALID"), (item(at=True), "TIME_INVALID"), (item(at=-1), "TIME_INVALID"),
        (item(at=1.5), "TIME_INVALID"), (item(at=10**18), "TIME_INVALID"),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_refused_on_record_and_spoils_no_other(
    device: UUID, time: FixedClock, content: object, code: str
) -> None:
    assert await take([said(device, content), said(device, item("gas"))]) == [code, None]
    assert [row.kind for row in await all_of(device)] == ["gas"]
    assert await refused(device) == {f"http {code}": 1}


async def test_words_of_any_kind_keep_no_fire_out(device: UUID, time: FixedClock) -> None:
    for detail in ("长" * 500, 7, {"a": 1}, "\u202e倒", None, "\ud800"):
        assert await take([said(device, item(detail=detail))]) == [None]
    assert len((await current(device)).detail) <= alarm_reports.LONGEST_DETAIL


async def test_without_a_clock_it_counts_all_the_same(device: UUID, time: FixedClock) -> None:
    assert await take([said(device, {"kind": "fire", "active": True})]) == [None]
    [row] = await all_of(device)
    assert (row.kind, row.said_at) == ("fire", None)


@pytest.mark.parametrize(
    ("off", "said_at", "is_wrong"),
    [
        (timedelta(minutes=4), True, False), (-timedelta(minutes=4), True, False),
        (-timedelta(minutes=50), False, False), (timedelta(minutes=6), False, True), (-timedelta(days=9), False, True),
    ],
)  # fmt: skip
async def test_a_clock_that_lies_is_an_alarm_of_its_own_and_one_that_is_late_is_not(
    device: UUID, time: FixedClock, off: timedelta, said_at: bool, is_wrong: bool
) -> None:
    assert await take([said(device, item(at=ms(NOON + off)), "mqtt")]) == [None]
    fire = await current(device)
    assert (fire.said_at is not None, fire.opened_at) == (said_at, NOON)
    assert sorted(row.kind for row in await all_of(device)) == (["clock", "fire"] if is_wrong else ["fire"])


async def test_a_clock_that_was_put_right_ends_its_alarm(device: UUID, time: FixedClock) -> None:
    await take([said(device, item(at=0), "mqtt")])
    assert (await current(device, "clock")).calm_since is None
    time.advance(timedelta(minutes=1))
    await take([said(device, item(at=ms(clock.now())))])
    assert (await current(device, "clock")).calm_since == clock.now()


async def test_over_the_broker_rubbish_is_counted_and_the_rest_is_taken(
    compound_id: UUID, device: UUID, time: FixedClock
) -> None:
    other, retired = await devices.device(compound_id), await devices.device(compound_id, state="retired")
    good = orjson.dumps(item("tamper"))
    await ROUTES["alarm"](
        [
            message(device, b"\xff\x00"), message(device, good), message(device, b"[" * 900), message(other, good),
            message(retired, good), message(uuid4(), good), message(device, orjson.dumps(item("tamper", False))),
        ]
    )  # fmt: skip
    assert (await current(device, "tamper")).calm_since == NOON
    assert (await current(other, "tamper")).reports == 1
    assert await refused(device) == {"mqtt ALARM_INVALID": 2}
    assert await refused(retired) == {"mqtt DEVICE_RETIRED": 1}
    assert await all_of(retired) == []


async def test_what_the_broker_kept_is_no_news(device: UUID, time: FixedClock) -> None:
    await hear_alarms([message(device, orjson.dumps(item()), retained=True)])
    await hear_alarms([])
    assert await all_of(device) == []


async def test_many_who_speak_at_once_are_few_transactions(compound_id: UUID, time: FixedClock) -> None:
    made = [await devices.device(compound_id) for _ in range(40)]
    intake = Intake()
    async with database.counted() as cost:
        codes = await asyncio.gather(
            *(intake(said(each, item(kind))) for each in made for kind in ("tamper", "fault", "flood"))
        )
    assert codes == [None, None, "ALARM_KIND_UNKNOWN"] * 40
    assert await Alarm.filter(device_id__in=made).count() == 80
    assert cost.count <= 8, cost.texts
