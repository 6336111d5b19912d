"""Houses, by staff (房屋维护)."""

from __future__ import annotations

from uuid import UUID

from domains.estate import facts as checks
from domains.estate import permissions, places, rules
from domains.estate.events import HouseCreated, HouseUpdated
from domains.estate.facts import Columns, HouseFacts
from domains.estate.models import Building, House, Unit
from domains.estate.service.buildings import STAFF, open_building, take_turn
from domains.kernel import clock, outbox, text
from domains.kernel.actor import Actor
from domains.kernel.command import command, concerns
from domains.kernel.errors import Conflict, NotFound
from domains.kernel.ids import uuid7

UNIT_MAX, ROOM_MAX = 30, 60
UNSTATED: Columns = {"inner_area_m2": None, "use": "residential", "state": "vacant", "is_rented": False}


@command("house.create", caller="staff", permission=permissions.WRITE)
async def create_house(actor: Actor, *, building_id: UUID, unit: str, room: str, facts: HouseFacts) -> UUID:
    """Record a house under its building; a unit that is new is recorded with it.

    `facts` must hold the built area. Names are understood as in an import: 1-101 without a unit is room 101
    of unit 1. Raises NotFound BUILDING_NOT_FOUND, Conflict HOUSE_EXISTS, Invalid NUMBER_RANGE,
    INNER_AREA_EXCEEDS, RENTAL_CONTRADICTED or a TEXT_ code.
    """
    building, compound_id = await open_building(actor, building_id)
    id = uuid7()
    columns = UNSTATED | checks.house_columns(facts)
    checks.check_house(columns)
    columns |= await _placed(building, compound_id, *_read(unit, room))
    await House.create(
        id=id,
        compound_id=compound_id,
        building_id=building_id,
        source=STAFF,
        recorded_at=clock.now(),
        **columns,
    )
    concerns("House", id, compound_id, building=building_id)
    await outbox.record(HouseCreated(id, building_id, compound_id))
    return id


@command("house.update", caller="staff", permission=permissions.WRITE)
async def update_house(
    actor: Actor, *, house_id: UUID, unit: str | None = None, room: str | None = None, facts: HouseFacts
) -> UUID:
    """Change what is given; the building stays.

    Raises NotFound HOUSE_NOT_FOUND, and as `create_house`.
    """
    house, compound_id = await _open_house(actor, house_id)
    columns = checks.house_columns(facts)
    if unit is not None or room is not None:
        of_unit = house.unit.name if unit is None else unit
        read = _read(of_unit, house.room if room is None else room)
        columns |= await _placed(house.building, compound_id, *read, house_id)
    checks.check_house({name: columns.get(name, getattr(house, name)) for name in checks.JUDGED})
    changed = {column: value for column, value in columns.items() if getattr(house, column) != value}
    concerns("House", house_id, compound_id, changed=rules.changes(house, changed))
    if changed:
        await House.filter(pk=house_id).update(**changed)
        await outbox.record(HouseUpdated(house_id, house.building.id, compound_id, tuple(changed)))
    return house_id


async def _open_house(actor: Actor, house_id: UUID) -> tuple[House, UUID]:
    found = await House.get_or_none(pk=house_id).values("compound_id", "building_id")
    if found is None:
        raise NotFound("HOUSE_NOT_FOUND", "没有找到这套房屋,请刷新后重试", "house")
    concerns("House", house_id, found["compound_id"])
    actor.require(permissions.WRITE, found["compound_id"], found["building_id"])
    await take_turn(found["compound_id"])
    house = await House.get(pk=house_id).select_related("building", "unit")
    return house, found["compound_id"]


def _read(unit: str, room: str) -> tuple[str, str]:
    """Unit and room as they are meant: a room may say its unit."""
    unit = text.clean(unit, max_length=UNIT_MAX, min_length=0, fold=True, field="unit")
    room = text.clean(room, max_length=ROOM_MAX, fold=True, field="room")
    said = None if unit else places.unit_and_room(room)
    return (said.unit, said.room) if said else (unit, room)


async def _placed(
    building: Building, compound_id: UUID, unit_name: str, room: str, but: UUID | None = None
) -> Columns:
    """The columns of a house's place. Raises Conflict HOUSE_EXISTS where there is a house already."""
    unit = await _unit(building, compound_id, unit_name)
    key = places.room_key(room)
    number = rules.house_number(building.name, unit.name, places.room_shown(room))
    if await House.filter(unit_id=unit.id, room_key=key).exclude(pk=but).exists():
        raise Conflict("HOUSE_EXISTS", f"{number}已经存在(写法可能不同),请核对", "room")
    return {
        "unit_id": unit.id, "room": places.room_shown(room), "room_key": key, "number": number,
        "sort": f"{building.sort}/{unit.sort}/{rules.sort_key(key)}",
    }  # fmt: skip


async def _unit(building: Building, compound_id: UUID, name: str) -> Unit:
    key = places.unit_key(name)
    found = await Unit.get_or_none(building_id=building.id, key=key)
    return found or await Unit.create(
        compound_id=compound_id, building_id=building.id, name=places.unit_shown(name), key=key, sort=rules.sort_key(key),
        source=STAFF, recorded_at=clock.now(),
    )  # fmt: skip
