"""A compound with devices, and a token for each kind of caller."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domains.devices.service import keys
from domains.kernel.actor import SYSTEM, Capacity
from schema.relay import encode
from tests.factories import devices, residents
from tests.factories.estate import house
from tests.factories.identity import Places, places, resident, staff, token

EVERYTHING = ["devices.read", "devices.write", "alarms.read", "estate.read"]


@dataclass(frozen=True, slots=True)
class Register:
    """`near` stands in the first building, `far` in the second, `common` in none; `key_id` is a key of `near`."""

    places: Places
    near: UUID
    far: UUID
    common: UUID
    key_id: str
    tokens: dict[str, str | None]

    def ids(self) -> dict[str, str]:
        """Global ids of the devices."""
        return {name: encode("Device", getattr(self, name)) for name in ("near", "far", "common")}

    @property
    def compound(self) -> str:
        """Global id of the compound."""
        return encode("Compound", self.places.compound_id)


async def _living(house_id: UUID, capacity: Capacity) -> str:
    return await token((await residents.occupant(house_id, capacity)).account_id)


async def build() -> Register:
    """Everything, made anew."""
    there, other = await places(), await places()
    first, second = [await house(there.building_id, room) for room in ("101", "102")]
    near = await devices.device(there.compound_id, "door", there.building_id, code="A-near")
    far = await devices.device(there.compound_id, "lift", there.other_building_id, code="B-far")
    common = await devices.device(there.compound_id, "gate", code="C-common")
    key = await keys.issue_device_key(SYSTEM, device_id=near)
    tokens: dict[str, str | None] = {
        "owner": await _living(first, "owner"),
        "family": await _living(first, "family"),
        "tenant": await _living(first, "tenant"),
        "neighbour": await _living(second, "owner"),
        "stranger": await token(await resident()),
        "clerk": await token(await staff(there, EVERYTHING)),
        "reader": await token(await staff(there, ["devices.read"])),
        "guard": await token(await staff(there, ["alarms.handle", "estate.read"])),
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
    return Register(there, near, far, common, key.key_id, tokens)
