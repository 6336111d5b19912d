"""Vehicles: registered once per compound, removed, flagged."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.errors import Conflict, DomainError, NotFound
from domains.residents import permissions
from domains.residents.models import Vehicle
from domains.residents.queries import vehicles as queries
from domains.residents.service import vehicles as service
from tests.factories import residents
from tests.factories.residents import Scene

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture
async def scene() -> Scene:
    return await residents.scene()


async def register(actor: Actor, house_id: UUID, plate: str = "浙A·12345") -> UUID:
    return await service.register_vehicle(actor, house_id=house_id, kind="car", plate=plate, brand="吉利")


async def test_a_resident_registers_a_car(scene: Scene) -> None:
    tenant = await residents.resident(scene.tenant.account_id)
    id = await register(tenant, scene.house_id)
    row = await Vehicle.get(pk=id)
    assert (row.plate, row.plate_colour, row.brand, row.source) == ("浙A12345", "blue", "吉利", "resident")
    assert (await Vehicle.get(pk=id).values("person_id"))["person_id"] == scene.tenant.person_id
    assert await residents.events("VehicleRegistered", id)
    seen = await queries.of_houses(tenant, [scene.house_id, scene.next_door_id])
    assert [each.plate for each in seen[scene.house_id]] == ["浙A12345"]
    assert await queries.of_houses(await residents.newcomer(), [scene.house_id]) == {}


async def test_one_live_plate_per_compound_also_in_a_race(scene: Scene) -> None:
    owner, neighbour = [await residents.resident(each.account_id) for each in (scene.owner, scene.neighbour)]
    answers = await asyncio.gather(
        register(owner, scene.house_id),
        register(neighbour, scene.next_door_id, "浙A12345"),
        return_exceptions=True,
    )
    assert [answer.code for answer in answers if isinstance(answer, Conflict)] == ["PLATE_TAKEN"]
    [taken] = [answer for answer in answers if isinstance(answer, UUID)]
    holder = owner if await Vehicle.exists(pk=taken, house_id=scene.house_id) else neighbour
    await service.remove_vehicle(holder, vehicle_id=taken)
    with pytest.raises(NotFound):
        await service.remove_vehicle(holder, vehicle_id=taken)
    await register(neighbour, scene.next_door_id)


async def test_a_plate_may_be_in_two_compounds(scene: Scene) -> None:
    other = await residents.scene()
    await register(await residents.resident(scene.owner.account_id), scene.house_id)
    await register(await residents.resident(other.owner.account_id), other.house_id)


async def test_bad_input_leaves_nothing(scene: Scene) -> None:
    owner = await residents.resident(scene.owner.account_id)
    before = await residents.fingerprint()
    with pytest.raises(DomainError):
        await register(owner, scene.house_id, "没有车牌")
    with pytest.raises(DomainError):
        await service.register_vehicle(
            owner, house_id=scene.house_id, kind="car", plate="浙A12345", brand="长" * 41
        )
    assert await residents.fingerprint() == before


async def test_flags_and_the_list_of_staff(scene: Scene) -> None:
    staff = scene.staff(permissions.READ, permissions.WRITE)
    ids = [await register(staff, scene.house_id, f"浙A1234{number}") for number in range(3)]
    await service.flag_vehicle(staff, vehicle_id=ids[1], flag="stolen")
    async with database.counted() as cost:
        rows = await queries.vehicles(
            staff, scene.compound_id, plate="a·1234", flag=None, after=None, limit=50
        )
    assert [row.plate for row in rows] == ["浙A12340", "浙A12341", "浙A12342"]
    assert cost.count == 2
    rows = await queries.vehicles(staff, scene.compound_id, plate=None, flag="stolen", after=None, limit=50)
    assert [row.id for row in rows] == [ids[1]]
    await service.flag_vehicle(staff, vehicle_id=ids[1], flag=None)
    assert await queries.count_vehicles(staff, scene.compound_id, None, "stolen") == 0
    elsewhere = residents.staff(
        permissions.READ, compound_id=scene.compound_id, building_id=scene.other_building_id
    )
    rows = await queries.vehicles(elsewhere, scene.compound_id, plate=None, flag=None, after=None, limit=50)
    assert rows == []
    assert await queries.by_id(elsewhere, ids) == {}
