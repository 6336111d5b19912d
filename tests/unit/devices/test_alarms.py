"""Reports become alarms: one open row per device and kind, counted, damped, shelved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domains.devices import jobs
from domains.devices.kinds import ALARM_KINDS
from domains.devices.models import Alarm, Device
from domains.devices.service.alarm_ending import clear_calm
from domains.devices.service.alarm_handling import clear_alarm
from domains.devices.service.alarms import report
from domains.kernel import clock, database
from domains.kernel.clock import FixedClock
from tests.factories import devices, residents
from tests.factories.alarms import NOON, all_of, current, over, raised, recorded, there
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
FIRE = ALARM_KINDS["fire"]


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
async def panel(scene: Scene) -> UUID:
    return await devices.device(scene.compound_id, "fire_panel", scene.building_id)


@pytest.fixture
async def time() -> AsyncIterator[FixedClock]:
    with clock.use(FixedClock(NOON)) as fixed:
        yield fixed


async def test_a_report_opens_an_alarm_where_the_device_stands(
    scene: Scene, panel: UUID, time: FixedClock
) -> None:
    at = NOON - 3 * SECOND
    assert await report([there(panel, detail="探测器 12", at=at)]) == [None]
    row = await current(panel)
    place = await Alarm.get(pk=row.id).values("compound_id", "building_id")
    assert place == {"compound_id": scene.compound_id, "building_id": scene.building_id}
    assert (row.level, row.state, row.detail, row.opened_at, row.said_at) == (
        "critical", "open", "探测器 12", NOON, at,
    )  # fmt: skip
    assert (row.reports, row.flaps, row.calm_since) == (1, 0, None)
    assert await recorded("AlarmOpened", row.id) == [True]


async def test_what_is_not_critical_takes_no_urgent_lane(panel: UUID) -> None:
    assert await recorded("AlarmOpened", (await raised(panel, "tamper")).id) == [False]


async def test_more_reports_are_counted_on_it(panel: UUID, time: FixedClock) -> None:
    first = await raised(panel)
    time.advance(MINUTE)
    assert await report([there(panel), there(panel, detail="更大"), there(panel)]) == [None] * 3
    row = await current(panel)
    assert (row.id, row.reports, row.detail, row.reported_at) == (first.id, 4, "更大", NOON + MINUTE)
    assert row.opened_at == NOON
    assert await recorded("AlarmOpened", row.id) == [True]


async def test_a_batch_of_many_devices_and_kinds(scene: Scene) -> None:
    made = [await devices.device(scene.compound_id) for _ in range(5)]
    kinds = ("door_forced", "door_held", "tamper")
    said = [there(device, kind) for _ in range(4) for device in made for kind in kinds]
    async with database.counted() as small:
        assert await report(said[:1]) == [None]
    async with database.counted() as cost:
        assert await report(said) == [None] * 60
    rows = await Alarm.filter(device_id__in=made)
    assert sorted(row.reports for row in rows) == [4] * 14 + [5]
    assert small.count <= cost.count <= 6, cost.texts


async def test_who_is_no_device_or_retired_raises_nothing(scene: Scene, panel: UUID) -> None:
    retired = await devices.device(scene.compound_id, "fire_panel", state="retired")
    before = await residents.fingerprint()
    said = [there(uuid4()), there(retired), there(panel, "flood"), over(panel)]
    assert await report(said) == ["DEVICE_UNKNOWN", "DEVICE_RETIRED", "ALARM_KIND_UNKNOWN", None]
    assert await residents.fingerprint() == before
    assert await all_of(retired) == await all_of(panel) == []


async def test_what_counts_of_a_device_that_is_not_in_service(scene: Scene) -> None:
    stored, broken = [
        await devices.device(scene.compound_id, "fire_panel", state=state)
        for state in ("in_store", "out_of_order")
    ]
    no = "DEVICE_NOT_IN_SERVICE"
    assert await report([there(stored), there(stored, "fault"), over(stored)]) == [no, no, None]
    assert await report([there(broken), there(broken, "fault"), there(broken, "clock")]) == [None, no, no]
    assert (await all_of(stored), [each.kind for each in await all_of(broken)]) == ([], ["fire"])


async def test_the_end_of_what_began_in_service_counts_from_the_store(panel: UUID, time: FixedClock) -> None:
    assert await report([there(panel, "fault")]) == [None]
    await Device.filter(pk=panel).update(state="in_store")
    assert await report([there(panel, "fault"), over(panel, "fault")]) == ["DEVICE_NOT_IN_SERVICE", None]
    assert (await current(panel, "fault")).reports == 1
    time.advance(timedelta(minutes=3))
    assert await clear_calm() == 1
    assert [each.state for each in await all_of(panel)] == ["cleared"]


async def test_one_bad_report_keeps_no_other_out(panel: UUID) -> None:
    assert await report([there(uuid4()), there(panel), there(panel, "flood")]) == [
        "DEVICE_UNKNOWN", None, "ALARM_KIND_UNKNOWN",
    ]  # fmt: skip
    assert (await current(panel)).reports == 1


async def test_nothing_reported_is_nothing_done() -> None:
    assert await report([]) == []


@pytest.mark.parametrize("kind", ["fire", "tamper", "hydrant"])
async def test_it_is_cleared_when_it_was_over_for_the_off_delay_and_not_before(
    panel: UUID, time: FixedClock, kind: str
) -> None:
    row, delay = await raised(panel, kind), ALARM_KINDS[kind].off_delay
    time.advance(MINUTE)
    await report([over(panel, kind)])
    calm_since = clock.now()
    time.advance(delay - timedelta(microseconds=1))
    await report([over(panel, kind)])
    assert await clear_calm() == 0
    assert (await current(panel, kind)).calm_since == calm_since
    time.advance(timedelta(microseconds=1))
    assert await clear_calm() == 1
    await row.refresh_from_db()
    assert (row.state, row.cleared_at, row.cleared_by, row.is_false) == (
        "cleared", calm_since + delay, None, False,
    )  # fmt: skip
    assert await clear_calm() == 0
    assert len(await recorded("AlarmCleared", row.id)) == 1


async def test_a_late_job_clears_as_of_then(panel: UUID, time: FixedClock) -> None:
    row = await raised(panel)
    await report([over(panel)])
    time.advance(timedelta(hours=5))
    assert await jobs.clear_calm_alarms(None) == {"cleared": 1}
    await row.refresh_from_db()
    assert row.cleared_at == NOON + FIRE.off_delay


async def test_what_lasts_is_not_cleared(panel: UUID, time: FixedClock) -> None:
    await raised(panel)
    time.advance(timedelta(days=1))
    assert await clear_calm() == 0
    assert (await current(panel)).state == "open"


async def test_a_hundred_times_on_and_off_is_one_alarm(panel: UUID, time: FixedClock) -> None:
    row = await raised(panel)
    for _ in range(100):
        time.advance(SECOND)
        await report([over(panel)])
        time.advance(SECOND)
        await report([there(panel)])
        assert await clear_calm() == 0
    [only] = await all_of(panel)
    assert (only.id, only.reports, only.flaps, only.calm_since) == (row.id, 101, 100, None)
    assert await recorded("AlarmOpened", row.id) == [True]
    assert await recorded("AlarmCleared", row.id) == []


async def test_many_calm_ones_are_cleared_in_pieces(scene: Scene, time: FixedClock) -> None:
    made = [await devices.device(scene.compound_id, "fire_panel") for _ in range(100)]
    kinds = ("fire", "gas", "fire_door", "hydrant", "tamper", "fault")
    for group in (made[:50], made[50:]):
        await report([there(device, kind) for device in group for kind in kinds])
        await report([over(device, kind) for device in group for kind in kinds])
    time.advance(timedelta(hours=1))
    assert await clear_calm() == 600
    assert not await Alarm.filter(device_id__in=made).exclude(state="cleared").exists()


async def test_a_false_fire_is_shelved_and_a_real_one_after_it_is_an_alarm(
    scene: Scene, panel: UUID, time: FixedClock
) -> None:
    false, staff = await raised(panel), scene.staff("alarms.handle")
    await clear_alarm(staff, alarm_id=false.id, note="烟雾来自施工", is_false=True)
    time.advance(FIRE.shelf - SECOND)
    await report([there(panel)])
    [only] = await all_of(panel)
    assert (only.state, only.reports, only.shelved_until) == ("cleared", 2, NOON + FIRE.shelf)
    time.advance(SECOND)
    await report([there(panel)])
    first, second = await all_of(panel)
    assert (first.reports, second.state, second.reports) == (2, "open", 1)
    assert await recorded("AlarmOpened", second.id) == [True]


@pytest.mark.parametrize("together", [True, False])
async def test_a_fire_after_the_end_of_the_false_one_opens_at_once(
    scene: Scene, panel: UUID, time: FixedClock, together: bool
) -> None:
    false = await raised(panel)
    await clear_alarm(scene.staff("alarms.handle"), alarm_id=false.id, note="误报", is_false=True)
    time.advance(SECOND)
    for batch in [[over(panel), there(panel)]] if together else [[over(panel)], [there(panel)]]:
        await report(batch)
    first, second = await all_of(panel)
    assert (first.shelved_until, second.state, second.reports, second.flaps) == (None, "open", 1, 0)


async def test_what_was_calm_when_it_was_cleared_is_not_shelved(scene: Scene, panel: UUID) -> None:
    row = await raised(panel)
    await report([over(panel)])
    await clear_alarm(scene.staff("alarms.handle"), alarm_id=row.id, note="已处理", is_false=False)
    await row.refresh_from_db()
    assert row.shelved_until is None
    await report([there(panel)])
    assert [each.state for each in await all_of(panel)] == ["cleared", "open"]


async def test_two_reports_at_once_are_one_row(panel: UUID) -> None:
    answers = await asyncio.gather(*(report([there(panel)]) for _ in range(8)))
    assert answers == [[None]] * 8
    [only] = await all_of(panel)
    assert (only.reports, only.state) == (8, "open")
    assert await recorded("AlarmOpened", only.id) == [True]


async def test_batches_in_opposite_order_never_wait_in_a_circle(scene: Scene) -> None:
    made = [await devices.device(scene.compound_id) for _ in range(20)]
    said = [there(device, kind) for device in made for kind in ("tamper", "fault")]
    async with asyncio.timeout(20):
        for turn in range(5):
            batches = [
                said,
                said[::-1],
                said[10:] + said[:10],
                [over(each.device_id, each.kind) for each in said],
            ]
            await asyncio.gather(*(report(each) for each in batches), *(clear_calm() for _ in range(2)))
            assert await Alarm.filter(device_id__in=made).count() == 40, turn
    # Of each turn three of the batches report; what the end comes first or last leaves their number the same.
    assert {row.reports for row in await Alarm.filter(device_id__in=made)} == {15}


async def test_reports_and_a_clearing_at_once_leave_one_open_or_one_shelved(
    scene: Scene, panel: UUID
) -> None:
    staff = scene.staff("alarms.handle")
    for _ in range(10):
        row = await raised(panel)
        await asyncio.gather(
            clear_alarm(staff, alarm_id=row.id, note="看过了", is_false=True),
            *(report([there(panel)]) for _ in range(3)),
        )
        await row.refresh_from_db()
        # However they took turns: what lasted when it was cleared is counted there, and nothing else opens.
        assert (row.state, row.reports) == ("cleared", 4)
        assert row.shelved_until is not None
        await report([over(panel)])
    assert len(await all_of(panel)) == 10


async def test_a_device_that_moves_keeps_its_alarm_where_it_was(scene: Scene, panel: UUID) -> None:
    await raised(panel)
    await Device.filter(pk=panel).update(building_id=scene.other_building_id)
    await report([there(panel)])
    [only] = await Alarm.filter(device_id=panel).values("building_id", "reports")
    assert only == {"building_id": scene.building_id, "reports": 2}
