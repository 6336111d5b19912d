"""Doors that are taken away or get another controller while a building burns, and rubbish from controllers."""

from __future__ import annotations

from uuid import UUID

import pytest

from domains.access import permissions
from domains.access.models import Door, DoorCommand
from domains.access.service import doors as service
from domains.access.service import fire, hearing
from domains.devices.events import DeviceRetired
from domains.kernel.ids import uuid7
from tests.factories import devices
from tests.unit.access.door_scenes import Doors, device_of, doors, records, sent_to
from tests.unit.access.test_door_fire import alarm, begin, clear, orders_end
from tests.unit.access.test_door_hearing import said

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def at() -> Doors:
    return await doors()


async def orders(door_id: UUID) -> list[str]:
    """What a door was ordered, in order."""
    return [each.action for each in await DoorCommand.filter(door_id=door_id).order_by("id")]


async def test_a_door_that_was_removed_in_a_fire_is_ordered_nothing_at_its_end(at: Doors) -> None:
    """Its controller may be another door's by then, of a building that still burns."""
    staff, event = at.at.staff(permissions.DOORS_WRITE), await alarm(at)
    await begin(event)
    await orders_end(at.unit)
    await service.remove_door(staff, door_id=at.unit)
    await clear(event)
    assert await orders(at.unit) == ["hold_open"]
    assert (await Door.get(pk=at.unit)).released_by_id is None  # type: ignore[attr-defined]  # the key of `released_by`


async def test_so_is_one_whose_controller_was_retired(at: Doors) -> None:
    event = await alarm(at)
    await begin(event)
    await orders_end(at.unit)
    await service.remove_with_device(DeviceRetired(await device_of(at.unit), at.at.compound_id), uuid7())
    await clear(event)
    assert await orders(at.unit) == ["hold_open"]


async def test_a_controller_that_is_put_in_during_a_fire_is_opened_too(at: Doors) -> None:
    staff, event = at.at.staff(permissions.DOORS_WRITE), await alarm(at)
    await begin(event)
    await orders_end(at.unit)
    new = await devices.device(at.at.compound_id, "door", at.at.building_id)
    await service.update_door(staff, door_id=at.unit, device_id=new)
    await fire.keep_doors(None)
    await orders_end(at.unit)
    assert await sent_to(at.unit) == 1
    door = await Door.get(pk=at.unit).values("mode", "released_by_id")
    assert door == {"mode": "held_open", "released_by_id": event.alarm_id}


async def test_a_new_controller_holds_nothing_yet(at: Doors) -> None:
    staff = at.at.staff(permissions.DOORS_WRITE)
    await Door.filter(pk=at.gate).update(mode="closed", position="open")
    new = await devices.device(at.at.compound_id, "gate")
    await service.update_door(staff, door_id=at.gate, device_id=new)
    door = await Door.get(pk=at.gate).values("mode", "position", "position_at")
    assert door == {"mode": "normal", "position": "unknown", "position_at": None}


@pytest.mark.parametrize("key", ["a\x00b", "a\nb", "x" * 61, "", True, None, [1], {}])
async def test_an_event_of_no_readable_number_is_refused_and_its_neighbours_are_kept(
    at: Doors, key: object
) -> None:
    bad = said(await device_of(at.gate), "evt", {"id": key, "kind": "card", "at": 1})
    good = said(await device_of(at.unit), "evt", {"id": "7", "kind": "card", "at": 1})
    await hearing.hear_events([bad, good])
    assert await records(at.gate) == []
    assert [row["event_key"] for row in await records(at.unit)] == ["evt:7"]
