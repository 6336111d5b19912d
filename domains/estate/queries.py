"""Reads of the places, filtered in SQL by what the caller may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from domains.estate import permissions
from domains.kernel import database
from domains.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Compound:
    """A compound as it is read."""

    id: UUID
    name: str
    code: str
    address: str
    service_phone: str
    region_id: UUID
    latitude: Decimal | None
    longitude: Decimal | None


@dataclass(frozen=True, slots=True)
class Building:
    """A building as it is read (楼栋)."""

    id: UUID
    compound_id: UUID
    name: str
    code: str
    sort: str
    built_year: int | None
    use: str
    structure: str
    storeys_above: int | None
    storeys_below: int | None
    height_m: Decimal | None
    area_m2: Decimal | None
    service_life_years: int | None
    standard_address: str
    police_station: str
    street_in_charge: str
    latitude: Decimal | None
    longitude: Decimal | None


@dataclass(frozen=True, slots=True)
class House:
    """A house as it is read (房屋)."""

    id: UUID
    compound_id: UUID
    building_id: UUID
    unit_id: UUID
    building_name: str
    unit_name: str
    room: str
    number: str
    sort: str
    floor: int | None
    built_area_m2: Decimal
    inner_area_m2: Decimal | None
    use: str
    state: str
    is_rented: bool
    handed_over_on: date | None
    title_document: str


COMPOUND_COLUMNS = "c.id, c.name, c.code, c.address, c.service_phone, c.region_id, c.latitude, c.longitude"
_BUILDING = """b.id, b.compound_id, b.name, b.code, b.sort, b.built_year, b.use, b.structure, b.storeys_above,
    b.storeys_below, b.height_m, b.area_m2, b.service_life_years, b.standard_address, b.police_station,
    b.street_in_charge, b.latitude, b.longitude"""
HOUSE_COLUMNS = """h.id, h.compound_id, h.building_id, h.unit_id, b.name AS building_name, u.name AS unit_name, h.room,
    h.number, h.sort, h.floor, h.built_area_m2, h.inner_area_m2, h.use, h.state, h.is_rented, h.handed_over_on,
    h.title_document"""

COMPOUNDS = f"SELECT {COMPOUND_COLUMNS} FROM compound c WHERE c.id = ANY($1::uuid[]) ORDER BY c.name, c.id"

COMPOUND_BY_CODE = f"SELECT {COMPOUND_COLUMNS} FROM compound c WHERE c.code = $1"

BUILDINGS = f"""
SELECT {_BUILDING} FROM building b
WHERE (b.compound_id = ANY($1::uuid[]) OR b.id = ANY($2::uuid[])
       OR b.id IN (SELECT building_id FROM house WHERE id = ANY($3::uuid[])))
  AND ($4::uuid[] IS NULL OR b.id = ANY($4::uuid[])) AND ($5::uuid[] IS NULL OR b.compound_id = ANY($5::uuid[]))
ORDER BY b.compound_id, b.sort, b.id
"""

HOUSES_BY_ID = f"""
SELECT {HOUSE_COLUMNS} FROM house h JOIN building b ON b.id = h.building_id JOIN unit u ON u.id = h.unit_id
WHERE h.id = ANY($4::uuid[])
  AND (h.compound_id = ANY($1::uuid[]) OR h.building_id = ANY($2::uuid[]) OR h.id = ANY($3::uuid[]))
"""

HOUSES = f"""
SELECT {HOUSE_COLUMNS} FROM house h JOIN building b ON b.id = h.building_id JOIN unit u ON u.id = h.unit_id
WHERE h.compound_id = $1 AND ($2::uuid[] IS NULL OR h.building_id = ANY($2::uuid[]))
  AND ($3::uuid IS NULL OR h.building_id = $3) AND ($4::text IS NULL OR h.state = $4)
  AND ($5::text IS NULL OR h.number LIKE $5)
  AND ($6::text IS NULL OR (h.sort, h.id) > ($6, $7::uuid))
ORDER BY h.sort, h.id LIMIT $8
"""

COUNT_HOUSES = """
SELECT count(*) FROM house h
WHERE h.compound_id = $1 AND ($2::uuid[] IS NULL OR h.building_id = ANY($2::uuid[]))
  AND ($3::uuid IS NULL OR h.building_id = $3) AND ($4::text IS NULL OR h.state = $4)
  AND ($5::text IS NULL OR h.number LIKE $5)
"""


@dataclass(frozen=True, slots=True)
class HouseFilter:
    """What a list of houses is narrowed to."""

    building_id: UUID | None = None
    state: str | None = None
    number: str | None = None
    """A part of the house's number."""


def contains(text: str | None) -> str | None:
    """A LIKE pattern that finds the text itself, its wildcards taken literally."""
    if not text or not text.strip():
        return None
    escaped = text.strip().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"


async def compounds(actor: Actor, ids: Sequence[UUID] | None = None) -> list[Compound]:
    """Compounds the caller works in or lives in, by name."""
    seen = {grant.compound_id for grant in actor.grants} | {tie.compound_id for tie in actor.houses}
    wanted = seen if ids is None else seen & set(ids)
    return [Compound(**row) for row in await database.fetch(COMPOUNDS, list(wanted))]


async def compound_by_code(code: str) -> Compound | None:
    """The compound whose code a resident scanned."""
    row = await database.fetchrow(COMPOUND_BY_CODE, code.strip().upper())
    return None if row is None else Compound(**row)


async def buildings(
    actor: Actor, *, ids: Sequence[UUID] | None = None, compound_ids: Sequence[UUID] | None = None
) -> list[Building]:
    """Buildings the caller may see, in the order people count them."""
    reach = actor.reach(permissions.READ)
    rows = await database.fetch(BUILDINGS, reach.compounds, reach.buildings, reach.houses, ids, compound_ids)
    return [Building(**row) for row in rows]


async def houses_by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, House]:
    """Those of the houses that the caller may see."""
    reach = actor.reach(permissions.READ)
    rows = await database.fetch(HOUSES_BY_ID, reach.compounds, reach.buildings, reach.houses, ids)
    return {row["id"]: House(**row) for row in rows}


async def houses(
    actor: Actor,
    compound_id: UUID,
    narrowed: HouseFilter,
    *,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[House]:
    """A page of a compound's houses for staff, in the order people count them."""
    rows = await database.fetch(
        HOUSES, *_houses_args(actor, compound_id, narrowed), *(after or (None, None)), limit
    )
    return [House(**row) for row in rows]


async def count_houses(actor: Actor, compound_id: UUID, narrowed: HouseFilter) -> int:
    """How many houses there are over all pages."""
    return int(await database.fetchval(COUNT_HOUSES, *_houses_args(actor, compound_id, narrowed)))


def _houses_args(actor: Actor, compound_id: UUID, narrowed: HouseFilter) -> tuple[object, ...]:
    actor.require(permissions.READ, compound_id)
    reached = actor.buildings(permissions.READ, compound_id)
    buildings_reached = None if reached is None else list(reached)
    return compound_id, buildings_reached, narrowed.building_id, narrowed.state, contains(narrowed.number)
