"""Devices that fall silent raise an alarm, those that are heard again end it, and twice is once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domains.devices import jobs
from domains.devices.kinds import ALARM_KINDS
from domains.devices.models import Device
from domains.devices.rules import OFFLINE_GRACE
from domains.devices.service.alarm_handling import clear_alarm
from domains.devices.service.presence import Sighting, seen
from domains.kernel import clock, database
from domains.kernel.clock import FixedClock
from tests.factories import devices, residents
from tests.factories.alarms import NOON, all_of, current
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

SECOND = timedelta(seconds=1)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = await residents.scene()
    yield made
    for statement in ("DELETE FROM alarm", "UPDATE device SET state = 'in_store'"):
        await database.execute(statement)


@pytest.fixture
async def time() -> AsyncIterator[FixedClock]:
    with clock.use(FixedClock(NOON)) as fixed:
        yield fixed


async def heard(scene: Scene, **columns: Any) -> UUID:  # Any: columns
    """A device that was heard at noon."""
    known: dict[str, Any] = {"is_online": True, "last_seen_at": NOON, "silent_after_s": 300}
    return await devices.device(scene.compound_id, **known | columns)


async def watch() -> tuple[int, int]:
    """The job; how many fell silent, and how many were heard again."""
    result = await jobs.watch_offline(None)
    assert result is not None
    return result["silent"], result["heard"]


async def test_silence_has_its_length(scene: Scene, time: FixedClock) -> None:
    device = await heard(scene)
    time.advance(300 * SECOND)
    assert await watch() == (0, 0)
    time.advance(SECOND)
    assert await watch() == (1, 0)
    row = await current(device, "offline")
    assert (row.level, row.opened_at, row.said_at) == ("minor", clock.now(), None)
    for _ in range(3):
        time.advance(timedelta(minutes=1))
        assert await watch() == (0, 0)
    await row.refresh_from_db()
    assert (row.reports, row.flaps) == (1, 0)


async def test_a_goodbye_has_its_grace(scene: Scene, time: FixedClock) -> None:
    device = await heard(scene, silent_after_s=None)
    await seen([Sighting(device, NOON, is_online=False)])
    time.advance(OFFLINE_GRACE - SECOND)
    assert await watch() == (0, 0)
    time.advance(SECOND)
    assert await watch() == (1, 0)
    assert (await current(device, "offline")).reports == 1


async def test_one_that_comes_back_in_time_is_nothing(scene: Scene, time: FixedClock) -> None:
    device = await heard(scene)
    await seen([Sighting(device, NOON, is_online=False)])
    time.advance(OFFLINE_GRACE / 2)
    await seen([Sighting(device, clock.now())])
    time.advance(OFFLINE_GRACE)
    assert await watch() == (0, 0)
    assert await all_of(device) == []


async def test_who_is_heard_again_ends_it_after_the_off_delay(scene: Scene, time: FixedClock) -> None:
    device = await heard(scene)
    time.advance(timedelta(minutes=10))
    await watch()
    time.advance(timedelta(minutes=1))
    await seen([Sighting(device, clock.now())])
    assert await watch() == (0, 1)
    assert await watch() == (0, 0)
    calm_since = clock.now()
    time.advance(ALARM_KINDS["offline"].off_delay)
    await jobs.clear_calm_alarms(None)
    [row] = await all_of(device)
    assert (row.state, row.cleared_at) == ("cleared", calm_since + ALARM_KINDS["offline"].off_delay)


async def test_a_bad_line_is_one_alarm(scene: Scene, time: FixedClock) -> None:
    device = await heard(scene)
    time.advance(timedelta(minutes=10))
    await watch()
    for _ in range(5):
        await seen([Sighting(device, clock.now())])
        await watch()
        time.advance(SECOND)
        await seen([Sighting(device, clock.now(), is_online=False)])
        time.advance(OFFLINE_GRACE)
        await watch()
    [row] = await all_of(device)
    assert (row.state, row.reports, row.flaps) == ("open", 6, 5)


@pytest.mark.parametrize(
    "columns",
    [
        {"state": "in_store"}, {"state": "out_of_order"}, {"state": "retired"}, {"silent_after_s": None},
        {"last_seen_at": None, "is_online": None},
    ],
)  # fmt: skip
async def test_who_is_not_expected_is_not_missed(
    scene: Scene, time: FixedClock, columns: dict[str, Any]
) -> None:
    device = await heard(scene, **columns)
    time.advance(timedelta(days=1))
    assert await watch() == (0, 0)
    assert await all_of(device) == []


@pytest.mark.parametrize("change", [{"state": "out_of_order"}, {"silent_after_s": None}])
async def test_who_is_not_expected_any_more_is_not_missed_any_more(
    scene: Scene, time: FixedClock, change: dict[str, Any]
) -> None:
    device = await heard(scene)
    time.advance(timedelta(days=1))
    await watch()
    await Device.filter(pk=device).update(**change)
    assert await watch() == (0, 1)
    assert (await current(device, "offline")).calm_since == clock.now()


async def test_what_somebody_shelved_is_raised_again_after_the_shelf(scene: Scene, time: FixedClock) -> None:
    device = await heard(scene)
    time.advance(timedelta(minutes=10))
    await watch()
    first = await current(device, "offline")
    await clear_alarm(scene.staff("alarms.handle"), alarm_id=first.id, note="停电检修", is_false=False)
    assert await watch() == (0, 0)
    time.advance(ALARM_KINDS["offline"].shelf - SECOND)
    assert await watch() == (0, 0)
    time.advance(SECOND)
    assert await watch() == (1, 0)
    assert [row.state for row in await all_of(device)] == ["cleared", "open"]


async def test_what_is_shelved_and_heard_again_may_fall_silent_anew(scene: Scene, time: FixedClock) -> None:
    device = await heard(scene)
    time.advance(timedelta(minutes=10))
    await watch()
    first = await current(device, "offline")
    await clear_alarm(scene.staff("alarms.handle"), alarm_id=first.id, note="断网", is_false=False)
    await seen([Sighting(device, clock.now())])
    assert await watch() == (0, 1)
    time.advance(timedelta(minutes=10))
    assert await watch() == (1, 0)
