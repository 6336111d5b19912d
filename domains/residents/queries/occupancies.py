"""Reads of who belongs to a house (居住关系)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from uuid import UUID

import asyncpg

from domains.estate.queries import Compound, House
from domains.estate.sql import HOUSE_COLUMNS
from domains.kernel import clock, database
from domains.kernel.actor import Actor, HouseTie
from domains.kernel.command import concerns, sensitive_read
from domains.residents import permissions, sealed
from domains.residents.queries.reading import note


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Somebody of a house. What the caller may not know of the others is None."""

    id: UUID
    compound_id: UUID
    house_id: UUID
    person_id: UUID | None
    name: str
    phone: str | None
    capacity: str
    relation: str | None
    since_on: date | None
    lease_until_on: date | None
    verified_by: str | None
    ended_at: datetime | None
    end_reason: str | None
    is_me: bool


@dataclass(frozen=True, slots=True)
class OwnHouse:
    """A house of the caller, as what, and in which compound."""

    id: UUID
    """The occupancy."""
    capacity: str
    since_on: date | None
    lease_until_on: date | None
    house: House
    compound: Compound


# What counts at this moment: an occupancy that ended is not there, nor a lease whose last day is over.
# Whoever reads it passes the business date as the statement's last parameter.
def _live(today: str) -> str:
    return f"o.ended_at IS NULL AND (o.lease_until_on IS NULL OR o.lease_until_on >= {today})"


TIES = f"""
SELECT o.house_id, o.compound_id, o.capacity FROM person p JOIN occupancy o ON o.person_id = p.id
WHERE p.account_id = $1 AND {_live("$2")}
ORDER BY o.recorded_at, o.id
"""

_COMPOUND = ", ".join(f"c.{field.name} AS c_{field.name}" for field in fields(Compound))

REGISTER_NAME = f"""
SELECT p.name FROM person p JOIN occupancy o ON o.person_id = p.id
WHERE p.account_id = $1 AND {_live("$2")}
ORDER BY o.recorded_at, o.id LIMIT 1
"""

OWN_HOUSES = f"""
SELECT o.id AS occupancy_id, o.capacity, o.since_on, o.lease_until_on, {HOUSE_COLUMNS}, {_COMPOUND}
FROM person p JOIN occupancy o ON o.person_id = p.id JOIN house h ON h.id = o.house_id
JOIN building b ON b.id = h.building_id JOIN unit u ON u.id = h.unit_id JOIN compound c ON c.id = h.compound_id
WHERE p.account_id = $1 AND {_live("$2")}
ORDER BY o.recorded_at, o.id
"""

_ROW = """o.id, o.compound_id, o.house_id, o.person_id, p.name, p.phone_sealed, o.capacity, o.relation, o.since_on,
    o.lease_until_on, o.verified_by, o.ended_at, o.end_reason, coalesce(p.account_id = $1, false) AS is_me"""
_ORDER = """ORDER BY o.house_id, o.ended_at DESC NULLS FIRST,
    CASE o.capacity WHEN 'owner' THEN 0 WHEN 'family' THEN 1 ELSE 2 END, o.recorded_at, o.id"""

MEMBERS = f"""
SELECT {_ROW} FROM occupancy o JOIN person p ON p.id = o.person_id
WHERE o.house_id = ANY($2::uuid[]) AND {_live("$3")} {_ORDER}
"""

HISTORY = f"""
SELECT {_ROW} FROM occupancy o JOIN person p ON p.id = o.person_id JOIN house h ON h.id = o.house_id
WHERE o.house_id = ANY($2::uuid[]) AND (h.compound_id = ANY($3::uuid[]) OR h.building_id = ANY($4::uuid[])) {_ORDER}
"""

OF_PEOPLE = f"""
SELECT {_ROW} FROM occupancy o JOIN person p ON p.id = o.person_id JOIN house h ON h.id = o.house_id
WHERE o.person_id = ANY($2::uuid[]) AND (h.compound_id = ANY($3::uuid[]) OR h.building_id = ANY($4::uuid[]))
    AND {_live("$5")} {_ORDER}
"""

BY_ID = f"""
SELECT {_ROW} FROM occupancy o JOIN person p ON p.id = o.person_id JOIN house h ON h.id = o.house_id
WHERE o.id = ANY($2::uuid[]) AND (h.compound_id = ANY($3::uuid[]) OR h.building_id = ANY($4::uuid[])
    OR (h.id = ANY($5::uuid[]) AND {_live("$6")}))
"""


async def ties(account_id: UUID) -> tuple[HouseTie, ...]:
    """The houses of an account at this moment, and in which capacity."""
    rows = await database.fetch(TIES, account_id, clock.today())
    return tuple(HouseTie(row["house_id"], row["compound_id"], row["capacity"]) for row in rows)


async def register_name(actor: Actor) -> str:
    """What the register calls the caller, by the first house they belong to; empty for who has none."""
    return str(await database.fetchval(REGISTER_NAME, actor.account_id, clock.today()) or "")


async def own_houses(actor: Actor) -> list[OwnHouse]:
    """The caller's houses with their compounds, the first one first; one statement."""
    return [_own(row) for row in await database.fetch(OWN_HOUSES, actor.id, clock.today())]


async def members(actor: Actor, house_ids: Sequence[UUID]) -> Mapping[UUID, list[Occupancy]]:
    """The people of the caller's own houses (家庭成员): an owner sees masked phones, others names."""
    owned = {tie.house_id: tie.capacity == "owner" for tie in actor.houses}
    wanted = [id for id in house_ids if id in owned]
    rows = await database.fetch(MEMBERS, actor.account_id, wanted, clock.today())
    return _by_house([_for_resident(row, owned[row["house_id"]]) for row in rows])


@sensitive_read("house.occupancies", caller="staff", permission=permissions.READ)
async def history(
    actor: Actor, compound_id: UUID, house_ids: Sequence[UUID]
) -> Mapping[UUID, list[Occupancy]]:
    """Everybody who ever belonged to the houses, those who do first."""
    concerns("House", house_ids[0] if len(house_ids) == 1 else None, compound_id, houses=len(house_ids))
    actor.require(permissions.READ, compound_id)
    reach = actor.reach(permissions.READ)
    rows = await database.fetch(HISTORY, actor.account_id, house_ids, reach.compounds, reach.buildings)
    return _by_house([_for_staff(row) for row in rows])


async def of_people(actor: Actor, person_ids: Sequence[UUID]) -> Mapping[UUID, list[Occupancy]]:
    """The present houses of people whom staff have read, as far as the permission reaches."""
    reach = actor.reach(permissions.READ)
    rows = await database.fetch(
        OF_PEOPLE, actor.account_id, person_ids, reach.compounds, reach.buildings, clock.today()
    )
    found: defaultdict[UUID, list[Occupancy]] = defaultdict(list)
    for row in rows:
        found[row["person_id"]].append(_for_staff(row))
    return found


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Occupancy]:
    """Those the caller may see: staff by permission, residents those of their own houses."""
    if actor.compounds(permissions.READ):
        async with database.transaction():
            found = {row["id"]: _for_staff(row) for row in await _by_id(actor, ids)}
            await note(actor, "occupancy.read", "Occupancy", found.values())
        return found
    owned = {tie.house_id: tie.capacity == "owner" for tie in actor.houses}
    return {row["id"]: _for_resident(row, owned[row["house_id"]]) for row in await _by_id(actor, ids)}


async def _by_id(actor: Actor, ids: Sequence[UUID]) -> Sequence[asyncpg.Record]:
    reach = actor.reach(permissions.READ)
    return await database.fetch(
        BY_ID, actor.account_id, ids, reach.compounds, reach.buildings, reach.houses, clock.today()
    )


def _own(row: asyncpg.Record) -> OwnHouse:
    house = House(**{field.name: row[field.name] for field in fields(House)})
    compound = Compound(**{field.name: row[f"c_{field.name}"] for field in fields(Compound)})
    return OwnHouse(
        row["occupancy_id"], row["capacity"], row["since_on"], row["lease_until_on"], house, compound
    )


def _for_staff(row: asyncpg.Record) -> Occupancy:
    values = dict(row)
    return Occupancy(phone=sealed.masked_phone(values.pop("phone_sealed")), **values)


def _for_resident(row: asyncpg.Record, is_owner: bool) -> Occupancy:
    if is_owner or row["is_me"]:
        return replace(_for_staff(row), person_id=None)
    values = dict(row) | {"person_id": None, "relation": None, "since_on": None, "lease_until_on": None}
    del values["phone_sealed"]
    return Occupancy(**values | {"phone": None, "verified_by": None})


def _by_house(rows: Sequence[Occupancy]) -> Mapping[UUID, list[Occupancy]]:
    found: defaultdict[UUID, list[Occupancy]] = defaultdict(list)
    for row in rows:
        found[row.house_id].append(row)
    return found
