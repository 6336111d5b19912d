"""Two companies' places and a token for each kind of caller."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domains.estate.models import House
from domains.kernel.actor import Capacity
from schema.relay import encode
from tests.factories import residents
from tests.factories.estate import house
from tests.factories.identity import Places, places, resident, staff, token

EVERYTHING = ["estate.read", "estate.write"]


@dataclass(frozen=True, slots=True)
class World:
    """`house` is in the first building, `next_door` beside it, `far` in the second building."""

    places: Places
    house: UUID
    unit: UUID
    next_door: UUID
    far: UUID
    tokens: dict[str, str | None]

    def ids(self) -> dict[str, str]:
        """Global ids of what there is to see."""
        return {
            "compound": encode("Compound", self.places.compound_id),
            "region": encode("Region", self.places.region_id),
            "building": encode("Building", self.places.building_id),
            "far building": encode("Building", self.places.other_building_id),
            "unit": encode("Unit", self.unit),
            "house": encode("House", self.house),
            "next door": encode("House", self.next_door),
            "far house": encode("House", self.far),
        }


async def _living(house_id: UUID, capacity: Capacity) -> str:
    return await token((await residents.occupant(house_id, capacity)).account_id)


async def build() -> World:
    """Everything, made anew."""
    there, other = await places(), await places()
    first, second = [await house(there.building_id, room) for room in ("101", "102")]
    far = await house(there.other_building_id, "101")
    tokens: dict[str, str | None] = {
        "owner": await _living(first, "owner"),
        "family": await _living(first, "family"),
        "tenant": await _living(first, "tenant"),
        "neighbour": await _living(second, "owner"),
        "stranger": await token(await resident()),
        "clerk": await token(await staff(there, EVERYTHING)),
        "reader": await token(await staff(there, ["estate.read"])),
        "auditor": await token(await staff(there, ["audit.read"])),
        "clerk of the building": await token(
            await staff(there, EVERYTHING, scope="building", place_id=there.building_id)
        ),
        "clerk of another building": await token(
            await staff(there, EVERYTHING, scope="building", place_id=there.other_building_id)
        ),
        "clerk of another compound": await token(
            await staff(there, EVERYTHING, scope="compound", place_id=there.other_compound_id)
        ),
        "another company": await token(await staff(other, EVERYTHING)),
        "nobody": None,
    }
    unit_id: UUID = (await House.get(pk=first).values("unit_id"))["unit_id"]
    return World(there, first, unit_id, second, far, tokens)
