"""A fire opens the building's doors, keeps them open, and tells everyone inside."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.access import permissions
from domains.access.models import Door, DoorCommand, VisitorPass
from domains.access.service import fire
from domains.access.service.modes import set_door_mode
from domains.devices.events import AlarmCleared, AlarmOpened
from domains.devices.models import Alarm
from domains.kernel import clock, database, live
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, Forbidden, Unauthenticated
from domains.kernel.ids import uuid7
from domains.residents.models import Occupancy
from tests.factories import access, devices, residents
from tests.factories.residents import CALLERS
from tests.unit.access.door_scenes import Doors, age, behave, doors, eventually, records, sent_to, tap
from tests.unit.access.test_door_opening import known

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def at() -> Doors:
    return await doors()


async def alarm(at: Doors, kind: str = "fire") -> AlarmOpened:
    """An alarm of a detector in the building."""
    device = await devices.device(at.at.compound_id, "smoke_detector", at.at.building_id)
    made = await Alarm.create(
        compound_id=at.at.compound_id, building_id=at.at.building_id, device_id=device, kind=kind, level="critical",
        state="open", opened_at=clock.now(), reported_at=clock.now(),
    )  # fmt: skip
    return AlarmOpened(made.id, at.at.compound_id, at.at.building_id, device, kind)


async def begin(event: AlarmOpened) -> None:
    async with database.transaction():
        await fire.release_doors(event, uuid7())


async def clear(event: AlarmOpened) -> None:
    await Alarm.filter(pk=event.alarm_id).update(state="cleared", cleared_at=clock.now())
    async with database.transaction():
        await fire.restore_doors(
            AlarmCleared(event.alarm_id, event.compound_id, event.building_id, event.kind), uuid7()
        )


async def modes(at: Doors) -> dict[str, tuple[str, bool]]:
    """Mode of each door, and whether a fire holds it open."""
    rows = {row["id"]: row for row in await Door.all().values("id", "mode", "released_by_id")}
    names = ("gate", "building", "unit", "other_unit", "far")
    return {
        name: (rows[getattr(at, name)]["mode"], rows[getattr(at, name)]["released_by_id"] is not None)
        for name in names
    }


USUAL, RELEASED = ("normal", False), ("held_open", True)


async def orders_end(*door_ids: UUID) -> None:
    async def ended() -> object:
        return not await DoorCommand.filter(door_id__in=door_ids, state__in=("requested", "sent")).count()

    await eventually(ended)


async def ordered_again() -> int:
    done = await fire.keep_doors(None)
    assert done is not None
    return int(done["again"])


async def told(kind: str, at: Doors) -> list[UUID]:
    rows = await database.fetch(
        "SELECT account_id FROM notification n JOIN notice x ON x.id = n.notice_id "
        "WHERE n.kind = $1 AND x.compound_id = $2", kind, at.at.compound_id,
    )  # fmt: skip
    return sorted(row["account_id"] for row in rows)


async def test_a_fire_opens_the_building_and_its_end_closes_it(at: Doors) -> None:
    await Occupancy.filter(pk=at.at.family.occupancy_id).update(ended_at=clock.now(), end_reason="搬走")
    event = await alarm(at)
    await begin(event)
    inside = [at.building, at.unit, at.other_unit]
    expected = {"gate": USUAL, "building": RELEASED, "unit": RELEASED, "other_unit": RELEASED, "far": USUAL}
    assert await modes(at) == expected
    await orders_end(*inside)
    for door in inside:
        [record] = await records(door)
        assert (record["method"], record["result"], record["account_id"]) == ("fire", "opened", None)
    who = sorted([at.at.owner.account_id, at.at.tenant.account_id, at.at.neighbour.account_id])
    assert await told("fire.evacuate", at) == who
    # The same event again changes nothing.
    await begin(event)
    assert await DoorCommand.filter(door_id__in=inside).count() == 3
    assert await told("fire.evacuate", at) == who
    await clear(event)
    assert set((await modes(at)).values()) == {USUAL}
    await orders_end(*inside)
    assert sorted([each.action for each in await DoorCommand.filter(door_id=at.unit)]) == [
        "hold_open",
        "normal",
    ]
    assert await told("fire.over", at) == who


async def test_other_alarms_open_nothing(at: Doors) -> None:
    await begin(await alarm(at, "gas"))
    device = await devices.device(at.at.compound_id, "fire_panel")
    await begin(AlarmOpened(uuid4(), at.at.compound_id, None, device, "fire"))
    assert set((await modes(at)).values()) == {USUAL}
    assert await told("fire.evacuate", at) == []


async def test_an_event_that_comes_after_the_end_opens_nothing(at: Doors) -> None:
    event = await alarm(at)
    await Alarm.filter(pk=event.alarm_id).update(state="cleared", cleared_at=clock.now())
    await begin(event)
    assert set((await modes(at)).values()) == {USUAL}
    assert await told("fire.evacuate", at) == []


async def test_of_two_fires_the_last_to_end_closes(at: Doors) -> None:
    first, second = await alarm(at), await alarm(at)
    await asyncio.gather(begin(first), begin(second))
    assert (await modes(at))["unit"] == RELEASED
    assert await DoorCommand.filter(door_id=at.unit).count() == 1
    assert len(await told("fire.evacuate", at)) == 4
    await clear(first)
    assert (await modes(at))["unit"] == RELEASED
    assert await told("fire.over", at) == []
    await clear(second)
    assert (await modes(at))["unit"] == USUAL
    assert len(await told("fire.over", at)) == 4


async def test_two_fires_that_end_together_close_once(at: Doors) -> None:
    both = [await alarm(at), await alarm(at)]
    for event in both:
        await begin(event)
    await asyncio.gather(*map(clear, both))
    assert set((await modes(at)).values()) == {USUAL}
    assert await DoorCommand.filter(door_id=at.unit, action="normal").count() == 1
    assert len(await told("fire.over", at)) == 4


async def test_a_fire_that_begins_while_another_ends_finds_the_doors_open(at: Doors) -> None:
    for _ in range(5):
        first, second = await alarm(at), await alarm(at)
        await begin(first)
        await asyncio.gather(clear(first), begin(second))
        assert (await modes(at))["unit"] == RELEASED
        await clear(second)


async def test_a_door_that_could_not_be_reached_is_ordered_again(at: Doors) -> None:
    await behave(at.unit, is_there=False)
    event = await alarm(at)
    await begin(event)
    await orders_end(at.unit)
    assert [each["result"] for each in await records(at.unit)] == ["refused"]
    await behave(at.unit)
    assert await ordered_again() == 1
    await orders_end(at.unit)
    assert [each["result"] for each in await records(at.unit)] == ["refused", "opened"]
    assert await ordered_again() == 0
    # So is the end of it, for an hour.
    await behave(at.unit, is_there=False)
    await clear(event)
    await orders_end(at.unit)
    last = await DoorCommand.filter(door_id=at.unit).order_by("-id").first()
    assert last is not None and (last.action, last.state) == ("normal", "refused")
    assert await ordered_again() == 1
    await orders_end(at.unit)
    for each in await DoorCommand.filter(door_id=at.unit):
        await age(each.id, 3700)
    assert await ordered_again() == 0


async def test_the_job_finds_what_events_have_missed(at: Doors) -> None:
    event = await alarm(at)
    await fire.keep_doors(None)
    assert (await modes(at))["unit"] == RELEASED
    await Alarm.filter(pk=event.alarm_id).update(state="cleared", cleared_at=clock.now())
    await fire.keep_doors(None)
    assert (await modes(at))["unit"] == USUAL


async def test_nobody_locks_what_a_fire_has_opened(at: Doors) -> None:
    staff = await known(at.at.staff(permissions.DOORS_WRITE))
    event = await alarm(at)
    await begin(event)
    await orders_end(at.unit)
    for mode in ("closed", "normal"):
        with pytest.raises(Conflict, match="DOOR_FIRE_RELEASED"):
            await hold(staff, at.unit, mode)
    with pytest.raises(Conflict, match="DOOR_STANDS_OPEN"):
        await tap(await at.resident(), at.unit)
    assert (await records(at.unit))[-1]["result"] == "opened"
    assert await sent_to(at.unit) == 1


async def test_visitors_pages_are_woken(at: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = await access.visitor_pass(at.at.compound_id, at.at.house_id, inside_since=clock.now())
    coming = await access.visitor_pass(at.at.compound_id, at.at.house_id)
    later = clock.now() + timedelta(days=1)
    await access.visitor_pass(
        at.at.compound_id, at.at.house_id, starts_at=later, ends_at=later + timedelta(hours=1)
    )
    await access.visitor_pass(at.at.compound_id, at.at.far_house_id)
    await VisitorPass.filter(pk=inside).update(state="used_up", ended_at=clock.now())
    names: list[str] = []

    async def wake(given: Any) -> None:
        names.extend(given)

    monkeypatch.setattr(live, "wake", wake)
    await begin(await alarm(at))
    assert {each for each in names if each.startswith("pass:")} == {f"pass:{inside}", f"pass:{coming}"}


async def hold(actor: Actor, door_id: UUID, mode: Any = "held_open") -> DoorCommand:
    id = await set_door_mode(actor, door_id=door_id, mode=mode, reason="装修搬运", idempotency_key=uuid4())
    return await DoorCommand.get(pk=id)


async def test_a_door_is_held_as_its_controller_confirms(at: Doors) -> None:
    staff = await known(at.at.staff(permissions.DOORS_WRITE))
    for mode in ("held_open", "closed", "normal"):
        assert (await hold(staff, at.gate, mode)).state == "opened"
        assert (await Door.get(pk=at.gate)).mode == mode
    await behave(at.gate, is_there=False)
    assert (await hold(staff, at.gate, "closed")).reason == "DOOR_UNREACHABLE"
    assert (await Door.get(pk=at.gate)).mode == "normal"
    assert await records(at.gate) == []
    entries = await residents.audited("door.set_mode", at.at.compound_id)
    assert len(entries) == 4 and "装修搬运" in entries[0]["details"]


@pytest.mark.parametrize("kind", [each for each in CALLERS if each != "staff"])
async def test_who_may_not_hold_a_door(at: Doors, kind: str) -> None:
    actor = await residents.caller(at.at, kind, permissions.DOORS_WRITE)
    with pytest.raises((Forbidden, Unauthenticated)):
        await hold(actor, at.gate)
    assert await sent_to(at.gate) == 0
    assert await DoorCommand.filter(door_id=at.gate).count() == 0


async def test_a_building_is_not_the_compound(at: Doors) -> None:
    only = await known(
        residents.staff(permissions.DOORS_WRITE, compound_id=at.at.compound_id, building_id=at.at.building_id)
    )
    assert (await hold(only, at.unit)).state == "opened"
    for door in (at.gate, at.far):
        with pytest.raises(Forbidden):
            await hold(only, door)
        assert await sent_to(door) == 0
