"""Alarms as staff list, narrow and count them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domains.devices import permissions
from domains.devices.kinds import ALARM_KINDS
from domains.devices.queries import alarms as queries
from domains.devices.queries.alarms import AlarmFilter
from domains.devices.service.alarm_ending import clear_calm
from domains.devices.service.alarm_handling import acknowledge_alarm, clear_alarm
from domains.devices.service.alarms import report
from domains.kernel import clock, database
from domains.kernel.actor import SYSTEM, Actor
from domains.kernel.clock import FixedClock
from domains.kernel.errors import Invalid
from tests.factories import devices, residents
from tests.factories.alarms import NOON, over, raised, there
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


@pytest.fixture
def staff(scene: Scene) -> Actor:
    return scene.staff(permissions.ALARMS_READ, permissions.ALARMS_HANDLE)


async def listed(
    actor: Actor,
    compound_id: UUID,
    after: tuple[object, ...] | None = None,
    limit: int = 50,
    **narrowed: Any,  # Any: fields of the filter
) -> list[UUID]:
    """Ids of a page; the count is that of all pages."""
    wanted = AlarmFilter(**narrowed)
    rows = await queries.alarms(actor, compound_id, wanted, after=after, limit=limit)
    if after is None and limit == 50:
        assert await queries.count_alarms(actor, compound_id, wanted) == len(rows)
    return [row.id for row in rows]


async def test_every_way_to_narrow(scene: Scene, staff: Actor) -> None:
    lift = await devices.device(scene.compound_id, "lift", scene.building_id)
    door = await devices.device(scene.compound_id, "door", scene.other_building_id)
    with clock.use(FixedClock(NOON)) as time:
        old = (await raised(lift, "lift")).id
        time.advance(timedelta(hours=1))
        new, forced = (await raised(lift, "lift_trapped")).id, (await raised(door, "door_forced")).id
        await acknowledge_alarm(staff, alarm_id=forced)
        await clear_alarm(staff, alarm_id=old, note="已修好", is_false=False)
    hour = NOON + timedelta(hours=1)
    narrowings: list[tuple[dict[str, Any], set[UUID]]] = [  # Any: fields of the filter
        ({}, {old, new, forced}),
        ({"states": ["open"]}, {new}),
        ({"states": ["open", "acknowledged"]}, {new, forced}),
        ({"states": ["cleared"]}, {old}),
        ({"states": ["cleared", "open"]}, {old, new}),
        ({"states": []}, set()),
        ({"kind": "door_forced"}, {forced}),
        ({"level": "critical"}, {new}),
        ({"building_id": scene.building_id}, {old, new}),
        ({"device_id": door}, {forced}),
        ({"device_id": lift, "states": ["open"]}, {new}),
        ({"since": hour}, {new, forced}),
        ({"until": hour}, {old}),
        ({"since": NOON, "until": hour}, {old}),
    ]
    for narrowed, expected in narrowings:
        assert set(await listed(staff, scene.compound_id, **narrowed)) == expected, narrowed
        assert set(await listed(SYSTEM, scene.compound_id, **narrowed)) == expected, narrowed
    elsewhere = residents.staff(permissions.ALARMS_READ, compound_id=scene.other_compound_id)
    assert await listed(elsewhere, scene.other_compound_id) == []


async def test_pages_follow_each_other_the_last_opened_first(scene: Scene, staff: Actor) -> None:
    with clock.use(FixedClock(NOON)) as time:
        for number in range(7):
            time.advance(timedelta(minutes=number % 2))
            await raised(await devices.device(scene.compound_id), "tamper")
    whole, seen, after = await listed(staff, scene.compound_id), [], None
    while rows := await queries.alarms(staff, scene.compound_id, AlarmFilter(), after=after, limit=3):
        seen += [row.id for row in rows]
        after = (rows[-1].opened_at, rows[-1].id)
    assert seen == whole and len(set(seen)) == 7


async def test_a_row_says_where_and_who(scene: Scene, staff: Actor) -> None:
    device = await devices.device(
        scene.compound_id, "lift", scene.building_id, name="1 号电梯", place="东侧", code="L1"
    )
    row = await raised(device, "lift")
    [found] = (await queries.by_id(staff, [row.id])).values()
    assert (found.device_name, found.device_code, found.place) == ("1 号电梯", "L1", "东侧")
    assert (found.acknowledged_by, found.cleared_by, found.state) == (None, None, "open")


async def test_open_ones_of_devices_come_in_one_statement(scene: Scene, staff: Actor) -> None:
    made = [await devices.device(scene.compound_id) for _ in range(3)]
    await report([there(each, kind) for each in made[:2] for kind in ("tamper", "fault")])
    await report([over(made[0], "fault")])
    with clock.use(FixedClock(clock.now() + timedelta(hours=1))):
        await clear_calm()
    async with database.counted() as cost:
        found = await queries.open_of_devices(staff, made)
    assert {id: sorted(each.kind for each in rows) for id, rows in found.items()} == {
        made[0]: ["tamper"], made[1]: ["fault", "tamper"],
    }  # fmt: skip
    assert cost.count == 1


async def test_statistics_of_a_period(scene: Scene, staff: Actor) -> None:
    lift = await devices.device(scene.compound_id, "lift", scene.building_id)
    with clock.use(FixedClock(NOON)) as time:
        first = await raised(lift, "lift_trapped")
        time.advance(timedelta(minutes=4))
        await acknowledge_alarm(staff, alarm_id=first.id)
        time.advance(timedelta(minutes=6))
        await clear_alarm(staff, alarm_id=first.id, note="演练", is_false=True)
        await raised(lift, "lift")
        # In Shanghai it is the next day.
        time.advance(timedelta(hours=12))
        await report([over(lift, "lift")])
        time.advance(timedelta(hours=1))
        await clear_calm()
        await raised(lift, "lift")
        time.advance(timedelta(seconds=1))
        found = await queries.alarm_statistics(
            staff, scene.compound_id, building_id=scene.building_id, since=NOON, until=None
        )
        assert (found.since, found.until) == (NOON, time.now())
        end = NOON + timedelta(hours=1)
        early = await queries.alarm_statistics(
            staff, scene.compound_id, building_id=None, since=NOON, until=end
        )
        nothing = await queries.alarm_statistics(
            staff, scene.compound_id, building_id=scene.other_building_id, since=None, until=None
        )
    total = found.total
    assert (total.alarms, total.open, total.false_alarms) == (3, 1, 1)
    lasted = 720 + ALARM_KINDS["lift"].off_delay.total_seconds() / 60
    assert total.minutes_to_acknowledge == 4.0
    assert [(each.kind, each.alarms, each.minutes_to_clear) for each in found.by_kind] == [
        ("lift", 2, lasted), ("lift_trapped", 1, 10.0),
    ]  # fmt: skip
    assert {each.level: each.false_alarms for each in found.by_level} == {"major": 0, "critical": 1}
    assert [(each.on_day, each.alarms) for each in found.by_day] == [
        (date(2026, 11, 21), 2), (date(2026, 11, 22), 1),
    ]  # fmt: skip
    assert (early.total.alarms, [each.on_day for each in early.by_day]) == (2, [date(2026, 11, 21)])
    assert (nothing.total.alarms, nothing.by_kind, nothing.by_day) == (0, [], [])


async def test_a_period_has_an_order_and_a_length(scene: Scene, staff: Actor) -> None:
    year = timedelta(days=366)
    for since, until, code in (
        (NOON, NOON, "PERIOD_REVERSED"), (NOON, NOON - year, "PERIOD_REVERSED"),
        (NOON - year - timedelta(seconds=1), NOON, "PERIOD_TOO_LONG"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            await queries.alarm_statistics(
                staff, scene.compound_id, building_id=None, since=since, until=until
            )
        assert refused.value.code == code
    with pytest.raises(Invalid):
        await listed(staff, scene.compound_id, since=NOON, until=NOON)
    whole = await queries.alarm_statistics(
        staff, scene.compound_id, building_id=None, since=NOON - year, until=NOON
    )
    assert whole.total.alarms == 0
