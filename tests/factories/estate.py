"""Houses the short way, in the places that tests.factories.identity makes."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from domains.estate.models import Building, House, Unit
from domains.estate.places import room_key, unit_key
from domains.estate.rules import sort_key
from domains.kernel import clock


async def house(building_id: UUID, room: str = "101", unit: str = "1单元", area: str = "89.50") -> UUID:
    """A house; its unit is made if need be."""
    building = await Building.get(pk=building_id).values("compound_id", "name", "key")
    compound_id, key = building["compound_id"], unit_key(unit)
    stairs, _ = await Unit.get_or_create(
        building_id=building_id,
        key=key,
        defaults={"compound_id": compound_id, "name": unit, "sort": sort_key(key)},
    )
    made = await House.create(
        compound_id=compound_id, building_id=building_id, unit=stairs, room=room, room_key=room_key(room),
        number=f"{building['name']}{unit}{room}", sort=f"{sort_key(building['key'])}/{sort_key(key)}/{sort_key(room)}",
        floor=1, built_area_m2=Decimal(area), use="residential", state="self_occupied", source="staff",
        recorded_at=clock.now(),
    )  # fmt: skip
    return made.id


async def number_of(house_id: UUID) -> str:
    """A house's number as it is spoken."""
    return (await House.get(pk=house_id)).number
