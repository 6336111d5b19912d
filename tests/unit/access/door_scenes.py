"""A scene with doors: of the compound, of both buildings, of the house's staircase and of another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from domains.access import permissions
from domains.access.controllers.port import controllers
from domains.access.controllers.simulator import Conduct, Simulator
from domains.access.models import Door, DoorCommand
from domains.access.service.opening import open_door
from domains.estate.models import House
from domains.kernel import database
from domains.kernel.actor import Actor
from tests.factories import access, estate, residents
from tests.factories.residents import Scene

EVERYTHING = tuple(permissions.LABELS)


@dataclass(frozen=True, slots=True)
class Doors:
    """Doors by what they lead to."""

    at: Scene
    gate: UUID
    building: UUID
    unit: UUID
    other_unit: UUID
    far: UUID
    elsewhere: UUID

    async def resident(self, who: str = "owner") -> Actor:
        """One of the scene's residents, as a request has them now."""
        return await residents.resident(getattr(self.at, who).account_id)


async def doors() -> Doors:
    """Doors of a scene that no other test uses."""
    at = await residents.scene()
    house = await House.get(pk=at.house_id).values("unit_id")
    other = await House.get(pk=await estate.house(at.building_id, "101", "2单元")).values("unit_id")
    return Doors(
        at,
        await access.door(at.compound_id, "南门"),
        await access.door(at.compound_id, "1号楼大堂", at.building_id),
        await access.door(at.compound_id, "1单元门", at.building_id, house["unit_id"]),
        await access.door(at.compound_id, "2单元门", at.building_id, other["unit_id"]),
        await access.door(at.compound_id, "2号楼大堂", at.other_building_id),
        await access.door(at.other_compound_id, "隔壁小区"),
    )


def simulator() -> Simulator:
    """The one that stands in for all controllers."""
    found = controllers()
    assert isinstance(found, Simulator)
    return found


async def device_of(door_id: UUID) -> UUID:
    """A door's controller."""
    row = await Door.get(pk=door_id).values("device_id")
    return UUID(str(row["device_id"]))


async def behave(door_id: UUID, **conduct: Any) -> None:  # Any: the fields of a conduct
    """Have a door's controller behave so."""
    simulator().conduct[await device_of(door_id)] = Conduct(**conduct)


async def sent_to(door_id: UUID) -> int:
    """How many orders reached its controller."""
    return simulator().taken.get(await device_of(door_id), 0)


async def tap(actor: Actor, door_id: UUID, house_id: UUID | None = None) -> DoorCommand:
    """Open it, and look at the order."""
    id = await open_door(actor, door_id=door_id, house_id=house_id, idempotency_key=uuid4())
    return await DoorCommand.get(pk=id)


async def records(door_id: UUID) -> list[dict[str, Any]]:  # Any: columns
    """What is on record of a door, the first attempt first."""
    rows = await database.fetch("SELECT * FROM access_record WHERE door_id = $1 ORDER BY id", door_id)
    return [dict(row) for row in rows]


async def eventually(condition: Callable[[], Awaitable[object]], limit_s: float = 5.0) -> None:
    """Wait until it holds; TimeoutError where it does not in time."""
    async with asyncio.timeout(limit_s):
        while not await condition():
            await asyncio.sleep(0.01)


async def age(command_id: UUID, seconds: float) -> None:
    """Let that much time have passed since it was asked for."""
    await database.execute(
        "UPDATE door_command SET requested_at = requested_at - $2 * interval '1 second', "
        "expires_at = expires_at - $2 * interval '1 second' WHERE id = $1", command_id, seconds,
    )  # fmt: skip
