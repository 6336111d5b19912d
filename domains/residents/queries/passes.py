"""Reads behind the electronic pass (电子通行证)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domains.kernel import clock, database
from domains.kernel.actor import Actor

OWN = """
SELECT o.id FROM occupancy o JOIN person p ON p.id = o.person_id
WHERE p.account_id = $1 AND o.house_id = $2 AND o.ended_at IS NULL
    AND (o.lease_until_on IS NULL OR o.lease_until_on >= $3)
"""

HOLDER = """
SELECT o.id, o.compound_id, h.building_id, o.house_id, p.name, o.capacity, h.number AS house_number
FROM occupancy o JOIN person p ON p.id = o.person_id JOIN house h ON h.id = o.house_id
WHERE o.id = $1 AND o.ended_at IS NULL AND (o.lease_until_on IS NULL OR o.lease_until_on >= $2)
"""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who shows a pass."""

    id: UUID
    compound_id: UUID
    building_id: UUID
    house_id: UUID
    name: str
    capacity: str
    house_number: str


async def own_occupancy(actor: Actor, house_id: UUID) -> UUID | None:
    """The caller's occupancy of the house at this moment."""
    id: UUID | None = await database.fetchval(OWN, actor.id, house_id, clock.today())
    return id


async def holder(occupancy_id: UUID) -> Holder | None:
    """Whose pass it is; None once the occupancy ended. The caller is checked where it is known what for."""
    row = await database.fetchrow(HOLDER, occupancy_id, clock.today())
    return None if row is None else Holder(**row)
