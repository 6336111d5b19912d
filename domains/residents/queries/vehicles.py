"""Reads of vehicles (车辆)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domains.estate.queries import contains
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.residents import permissions, plates


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A car or an e-bike of a house."""

    id: UUID
    compound_id: UUID
    house_id: UUID
    kind: str
    plate: str
    plate_colour: str | None
    brand: str
    model: str
    colour: str
    flag: str | None
    photo_key: str | None
    recorded_at: datetime


_ROW = """v.id, v.compound_id, v.house_id, v.kind, v.plate, nullif(v.plate_colour, '') AS plate_colour, v.brand,
    v.model, v.colour, v.flag, v.photo_key, v.recorded_at"""

OF_HOUSES = f"""
SELECT {_ROW} FROM vehicle v JOIN house h ON h.id = v.house_id
WHERE v.house_id = ANY($1::uuid[]) AND v.removed_at IS NULL
  AND (h.compound_id = ANY($2::uuid[]) OR h.building_id = ANY($3::uuid[]) OR h.id = ANY($4::uuid[]))
ORDER BY v.house_id, v.plate, v.id
"""

BY_ID = f"""
SELECT {_ROW} FROM vehicle v JOIN house h ON h.id = v.house_id
WHERE v.id = ANY($1::uuid[]) AND v.removed_at IS NULL
  AND (h.compound_id = ANY($2::uuid[]) OR h.building_id = ANY($3::uuid[]) OR h.id = ANY($4::uuid[]))
"""

_NARROWED = """v.compound_id = $1 AND v.removed_at IS NULL
  AND ($2::uuid[] IS NULL OR h.building_id = ANY($2::uuid[]))
  AND ($3::text IS NULL OR v.plate LIKE $3) AND ($4::text IS NULL OR v.flag = $4)"""

VEHICLES = f"""
SELECT {_ROW} FROM vehicle v JOIN house h ON h.id = v.house_id
WHERE {_NARROWED} AND ($5::text IS NULL OR (v.plate, v.id) > ($5, $6::uuid)) ORDER BY v.plate, v.id LIMIT $7
"""

COUNT_VEHICLES = f"SELECT count(*) FROM vehicle v JOIN house h ON h.id = v.house_id WHERE {_NARROWED}"


async def of_houses(actor: Actor, house_ids: Sequence[UUID]) -> Mapping[UUID, list[Vehicle]]:
    """Vehicles of those houses the caller may see: one's own, or by permission."""
    reach = actor.reach(permissions.READ)
    rows = await database.fetch(OF_HOUSES, house_ids, reach.compounds, reach.buildings, reach.houses)
    found: defaultdict[UUID, list[Vehicle]] = defaultdict(list)
    for row in rows:
        found[row["house_id"]].append(Vehicle(**row))
    return found


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Vehicle]:
    """Those the caller may see."""
    reach = actor.reach(permissions.READ)
    rows = await database.fetch(BY_ID, ids, reach.compounds, reach.buildings, reach.houses)
    return {row["id"]: Vehicle(**row) for row in rows}


@sensitive_read("vehicle.list", caller="staff", permission=permissions.READ)
async def vehicles(
    actor: Actor,
    compound_id: UUID,
    *,
    plate: str | None,
    flag: str | None,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[Vehicle]:
    """A page of a compound's vehicles by plate; `plate` is a part of one, however it is written."""
    concerns("Vehicle", None, compound_id, flag=flag)
    arguments = _arguments(actor, compound_id, plate, flag)
    rows = await database.fetch(VEHICLES, *arguments, *(after or (None, None)), limit)
    return [Vehicle(**row) for row in rows]


async def count_vehicles(actor: Actor, compound_id: UUID, plate: str | None, flag: str | None) -> int:
    """How many there are over all pages."""
    return int(await database.fetchval(COUNT_VEHICLES, *_arguments(actor, compound_id, plate, flag)))


def _arguments(actor: Actor, compound_id: UUID, plate: str | None, flag: str | None) -> tuple[object, ...]:
    actor.require(permissions.READ, compound_id)
    reached = actor.buildings(permissions.READ, compound_id)
    wanted = contains(None if plate is None else plates.normalise(plate))
    return compound_id, None if reached is None else list(reached), wanted, flag
