"""The register of doors: numbers that are never used again, controllers that serve one door, places that fit."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from domains.access import permissions
from domains.access.models import Door
from domains.access.queries import doors as queries
from domains.access.queries.doors import DoorFilter
from domains.access.service import doors as service
from domains.devices import permissions as device_rights
from domains.devices.events import DeviceRetired
from domains.devices.models import AssetEntry, Device
from domains.devices.service.registry import update_device
from domains.estate.models import Unit
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unauthenticated
from tests.factories import devices, residents
from tests.factories.residents import CALLERS, Scene
from tests.unit.access.door_scenes import EVERYTHING

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def at() -> Scene:
    return await residents.scene()


async def register(actor: Actor, at: Scene, **more: Any) -> UUID:  # Any: the command's own arguments
    device = more.pop("device_id", None) or await devices.device(at.compound_id, "gate")
    given: dict[str, Any] = {
        "compound_id": at.compound_id,
        "device_id": device,
        "name": "南门",
        "kind": "gate",
    }
    return await service.register_door(actor, **given | more)


async def numbers(at: Scene) -> list[int]:
    return sorted(await Door.filter(compound_id=at.compound_id).values_list("number", flat=True))  # type: ignore[arg-type]  # flat


async def test_a_door_is_registered_changed_and_removed(at: Scene) -> None:
    staff = at.staff(permissions.DOORS_WRITE, permissions.DOORS_READ)
    unit = await Unit.filter(building_id=at.building_id).first()
    assert unit is not None
    id = await register(
        staff,
        at,
        kind="unit_door",
        name=" 1单元门 ",
        building_id=at.building_id,
        unit_id=unit.id,
        methods=["qr", "app", "qr"],
    )
    [door] = await queries.doors(staff, at.compound_id, DoorFilter(), after=None, limit=10)
    assert (door.id, door.number, door.name, door.methods) == (id, 1, "1单元门", ["app", "qr"])
    assert (door.mode, door.position, door.is_online) == ("normal", "unknown", None)
    await service.update_door(staff, door_id=id, name="东单元门", methods=["card"], is_for_visitors=False)
    [door] = (await queries.by_id(staff, [id])).values()
    assert (door.name, door.methods, door.is_for_visitors, door.direction) == (
        "东单元门",
        ["card"],
        False,
        "both",
    )
    await service.remove_door(staff, door_id=id)
    assert await queries.by_id(staff, [id]) == {}
    for attempt in (
        service.remove_door(staff, door_id=id),
        service.update_door(staff, door_id=id, name="门"),
    ):
        with pytest.raises(NotFound):
            await attempt
    actions = [
        len(await residents.audited(f"door.{each}", at.compound_id))
        for each in ("register", "update", "remove")
    ]
    assert actions == [1, 1, 1]


async def test_numbers_are_never_used_again_also_in_a_race(at: Scene) -> None:
    staff = at.staff(permissions.DOORS_WRITE)
    ids = await asyncio.gather(*(register(staff, at) for _ in range(6)))
    assert await numbers(at) == [1, 2, 3, 4, 5, 6]
    last = await Door.get(compound_id=at.compound_id, number=6)
    await service.remove_door(staff, door_id=last.id)
    await register(staff, at)
    assert await numbers(at) == [1, 2, 3, 4, 5, 6, 7]
    assert len(set(ids)) == 6


async def test_a_controller_serves_one_door_until_that_is_removed(at: Scene) -> None:
    staff, device = at.staff(permissions.DOORS_WRITE), await devices.device(at.compound_id, "vehicle_gate")
    answers = await asyncio.gather(
        *(register(staff, at, device_id=device, kind="vehicle_gate") for _ in range(3)),
        return_exceptions=True,
    )
    [door] = [each for each in answers if isinstance(each, UUID)]
    assert {each.code for each in answers if isinstance(each, Conflict)} == {"DEVICE_TAKEN"}
    other = await register(staff, at)
    with pytest.raises(Conflict, match="DEVICE_TAKEN"):
        await service.update_door(staff, door_id=other, device_id=device)
    await service.remove_door(staff, door_id=door)
    await service.update_door(staff, door_id=other, device_id=device)
    assert (await Door.get(pk=other).values("device_id"))["device_id"] == device


async def test_a_retired_controllers_door_leaves_the_register(at: Scene) -> None:
    staff, device = at.staff(permissions.DOORS_WRITE), await devices.device(at.compound_id, "door")
    id = await register(staff, at, device_id=device)
    await service.remove_with_device(DeviceRetired(device, at.compound_id), uuid4())
    assert (await Door.get(pk=id)).removed_at is not None


async def test_bad_input_leaves_nothing(at: Scene) -> None:
    staff, unit = (
        at.staff(permissions.DOORS_WRITE),
        await Unit.filter(building_id=at.other_building_id).first(),
    )
    assert unit is not None
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("DEVICE_NOT_A_DOOR", {"device_id": await devices.device(at.compound_id, "lift")}),
        ("DEVICE_NOT_A_DOOR", {"device_id": await devices.device(at.other_compound_id, "gate")}),
        ("DEVICE_NOT_A_DOOR", {"device_id": await devices.device(at.compound_id, "gate", state="retired")}),
        ("DEVICE_NOT_A_DOOR", {"device_id": uuid4()}),
        ("DOOR_PLACE_INVALID", {"kind": "unit_door", "building_id": uuid4()}),
        ("DOOR_PLACE_INVALID", {"kind": "unit_door", "unit_id": unit.id}),
        ("DOOR_PLACE_INVALID", {"kind": "unit_door", "building_id": at.building_id, "unit_id": unit.id}),
        ("DOOR_KIND_INVALID", {"kind": "unit_door"}),
        ("DOOR_KIND_INVALID", {"kind": "gate", "building_id": at.building_id}),
        ("DOOR_METHOD_UNKNOWN", {"methods": ["magic"]}),
        ("TEXT_EMPTY", {"name": "  "}),
        ("TEXT_TOO_LONG", {"name": "门" * 61}),
    ]
    for code, more in wrong:
        with pytest.raises((Invalid, Conflict), match=code):
            await register(staff, at, **more)
    assert await numbers(at) == []


@pytest.mark.parametrize("kind", CALLERS)
async def test_who_registers_changes_and_removes(at: Scene, kind: str) -> None:
    id = await register(at.staff(permissions.DOORS_WRITE), at)
    actor = await residents.caller(at, kind, permissions.DOORS_WRITE)
    before = await database.fetch("SELECT * FROM door WHERE compound_id = $1 ORDER BY id", at.compound_id)
    for attempt in (
        register(actor, at), service.update_door(actor, door_id=id, name="北门"), service.remove_door(actor, door_id=id),
    ):  # fmt: skip
        if kind == "staff":
            await attempt
            continue
        with pytest.raises((Forbidden, Unauthenticated)):
            await attempt
    after = await database.fetch("SELECT * FROM door WHERE compound_id = $1 ORDER BY id", at.compound_id)
    assert (after == before) == (kind != "staff")


async def test_staff_of_a_building_keep_its_doors_and_no_others(at: Scene) -> None:
    own = residents.staff(*EVERYTHING, compound_id=at.compound_id, building_id=at.building_id)
    id = await register(own, at, kind="unit_door", building_id=at.building_id)
    everywhere = at.staff(*EVERYTHING)
    gate = await register(everywhere, at)
    far = await register(everywhere, at, kind="unit_door", building_id=at.other_building_id)
    for attempt in (
        register(own, at), register(own, at, kind="unit_door", building_id=at.other_building_id),
        service.remove_door(own, door_id=gate), service.remove_door(own, door_id=far),
    ):  # fmt: skip
        with pytest.raises(DomainError, match="FORBIDDEN"):
            await attempt
    async with database.counted() as cost:
        found = await queries.doors(own, at.compound_id, DoorFilter(), after=None, limit=10)
    assert cost.count == 1
    assert [each.id for each in found] == [id]
    assert await queries.count_doors(own, at.compound_id, DoorFilter()) == 1
    assert set(await queries.by_id(own, [id, gate, far])) == {id}


async def test_a_doors_controller_keeps_its_kind_until_the_door_is_removed(at: Scene) -> None:
    clerk = residents.staff(device_rights.WRITE, compound_id=at.compound_id)
    device_id = await devices.device(at.compound_id, "gate")
    door = await register(at.staff(permissions.DOORS_WRITE), at, device_id=device_id)
    for kind in ("manhole", "door"):
        with pytest.raises(Conflict, match="DEVICE_OPENS_DOOR"):
            await update_device(clerk, device_id=device_id, facts={"kind": kind, "name": "井盖"})
    device = await Device.get(pk=device_id)
    assert (device.kind, device.name != "井盖") == ("gate", True)
    assert not await AssetEntry.filter(device_id=device_id).exists()
    await update_device(clerk, device_id=device_id, facts={"kind": "gate", "name": "南门闸机"})
    await service.remove_door(at.staff(permissions.DOORS_WRITE), door_id=door)
    await update_device(clerk, device_id=device_id, facts={"kind": "manhole"})
    assert (await Device.get(pk=device_id)).kind == "manhole"


async def test_a_device_becomes_a_door_or_another_kind_and_never_both(at: Scene) -> None:
    clerk = residents.staff(device_rights.WRITE, compound_id=at.compound_id)
    for _ in range(5):
        device_id = await devices.device(at.compound_id, "gate")
        await asyncio.gather(
            register(at.staff(permissions.DOORS_WRITE), at, device_id=device_id),
            update_device(clerk, device_id=device_id, facts={"kind": "manhole"}),
            return_exceptions=True,
        )
        has_door = await Door.filter(device_id=device_id).exists()
        assert has_door == ((await Device.get(pk=device_id)).kind == "gate")


async def test_lists_are_narrowed_and_paged(at: Scene) -> None:
    staff = at.staff(*EVERYTHING)
    ids = [await register(staff, at, name=f"{name}门", kind=kind) for name, kind in (
        ("东", "gate"), ("西", "vehicle_gate"), ("南", "gate"),
    )]  # fmt: skip
    ids.append(await register(staff, at, name="1号楼", kind="unit_door", building_id=at.building_id))

    async def found(wanted: DoorFilter, after: tuple[object, ...] | None = None) -> list[UUID]:
        return [each.id for each in await queries.doors(staff, at.compound_id, wanted, after=after, limit=2)]

    assert await found(DoorFilter()) == ids[:2]
    assert await found(DoorFilter(), (2, ids[1])) == ids[2:]
    assert await found(DoorFilter(kind="gate")) == [ids[0], ids[2]]
    assert await found(DoorFilter(search="南")) == [ids[2]]
    assert await found(DoorFilter(search="%")) == []
    assert await found(DoorFilter(building_id=at.building_id)) == [ids[3]]
    assert await queries.count_doors(staff, at.compound_id, DoorFilter(search="门")) == 3
    with pytest.raises(Forbidden):
        await queries.doors(
            at.staff(permissions.DOORS_WRITE), at.compound_id, DoorFilter(), after=None, limit=2
        )
