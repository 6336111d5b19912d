"""Reads of meters (仪表): by staff, and by the people of a house."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from domains.billing import permissions
from domains.estate import places
from domains.estate.queries import contains
from domains.kernel import database
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.residents.queries.reading import note


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter with its last accepted reading."""

    id: UUID
    compound_id: UUID
    house_id: UUID | None
    house_number: str | None
    building_id: UUID | None
    building_name: str | None
    device_id: UUID | None
    kind: str
    number: str
    multiplier: Decimal
    digits: int
    daily_most: Decimal | None
    installed_on: date
    removed_on: date | None
    replaces_id: UUID | None
    last_value: Decimal | None
    last_read_at: datetime | None
    waiting: int
    """Readings that wait for review."""


@dataclass(frozen=True, slots=True)
class MeterFilter:
    """What a list of meters is narrowed to."""

    kind: str | None = None
    building_id: UUID | None = None
    search: str | None = None
    """A part of the meter's number or of the house's, or the whole of the latter as people say it: 3-1-101."""
    unread_since: date | None = None
    """No accepted reading of this day or a later one, of meters in use."""
    is_removed: bool = False


_FROM = "meter m LEFT JOIN house h ON h.id = m.house_id LEFT JOIN building b ON b.id = m.building_id"

_ROW = """m.id, m.compound_id, m.house_id, h.number AS house_number, m.building_id, b.name AS building_name,
    m.device_id, m.kind, m.number, m.multiplier, m.digits, m.daily_most, m.installed_on, m.removed_on, m.replaces_id,
    last.value AS last_value, last.read_at AS last_read_at,
    (SELECT count(*) FROM meter_reading w WHERE w.meter_id = m.id AND w.state = 'held') AS waiting"""

_LAST = """LEFT JOIN LATERAL (
    SELECT r.value, r.read_at FROM meter_reading r WHERE r.meter_id = m.id AND r.state = 'accepted'
    ORDER BY r.read_on DESC, r.read_at DESC LIMIT 1) last ON true"""

BY_ID = f"""
SELECT {_ROW} FROM {_FROM} {_LAST}
WHERE m.id = ANY($1::uuid[])
  AND (m.compound_id = ANY($2::uuid[]) OR m.building_id = ANY($3::uuid[]) OR m.house_id = ANY($4::uuid[]))
"""

OF_HOUSES = f"""
SELECT {_ROW} FROM {_FROM} {_LAST}
WHERE m.house_id = ANY($1::uuid[]) AND m.removed_on IS NULL
ORDER BY h.sort, m.house_id, array_position(ARRAY['water', 'hot_water', 'electricity', 'gas', 'heat'], m.kind), m.number
LIMIT 200
"""

# A house number as people say it (3-1-101) names its house; `$1` is the compound.
_SAID = """(m.number LIKE {} OR h.number LIKE {} OR (h.room_key = {} AND EXISTS (
    SELECT FROM unit u JOIN building s ON s.id = u.building_id
    WHERE u.id = h.unit_id AND s.key = {} AND ({}::text = '' OR u.key = {}))))"""

# One look into the index for each meter on the way: as a join it would read all that was ever read.
UNREAD = """coalesce((SELECT r.read_on FROM meter_reading r WHERE r.meter_id = m.id AND r.state = 'accepted'
    ORDER BY r.read_on DESC, r.read_at DESC LIMIT 1) < {}, true)"""

Condition = tuple[str, Sequence[object]]
Statement = tuple[str, Sequence[object]]


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Meter]:
    """Those the caller may see: by permission, which leaves its trace, or of one's own houses."""
    read, write = actor.reach(permissions.METERS_READ), actor.reach(permissions.METERS_WRITE)
    compounds, buildings = [*read.compounds, *write.compounds], [*read.buildings, *write.buildings]
    async with database.transaction():
        rows = await database.fetch(BY_ID, ids, compounds, buildings, read.houses)
        found = {row["id"]: Meter(**row) for row in rows}
        if actor.kind == "staff":
            await note(actor, "meter.read", "Meter", found.values())
    return found


async def of_own_houses(actor: Actor, house_id: UUID | None = None) -> list[Meter]:
    """The meters in use of the caller's houses, or of one of them; anybody who does not belong to it is refused."""
    houses = [tie.house_id for tie in actor.houses if house_id in (None, tie.house_id)]
    if house_id is not None and not houses:
        actor.refuse()
    return [Meter(**row) for row in await database.fetch(OF_HOUSES, houses)]


@sensitive_read("meter.list", caller="staff", permission=permissions.METERS_READ)
async def meters(
    actor: Actor, compound_id: UUID, narrowed: MeterFilter, *, after: tuple[object, ...] | None, limit: int
) -> list[Meter]:
    """A page of a compound's meters by kind and number, of those the caller may see."""
    concerns("Meter", None, compound_id, kind=narrowed.kind, searched=narrowed.search is not None)
    text, values = page_statement(actor, compound_id, narrowed, after=after, limit=limit)
    return [Meter(**row) for row in await database.fetch(text, *values)]


async def count_meters(actor: Actor, compound_id: UUID, narrowed: MeterFilter) -> int:
    """How many there are over all pages."""
    where, values = _numbered(list(_conditions(actor, compound_id, narrowed)))
    text = f"SELECT count(*) FROM meter m LEFT JOIN house h ON h.id = m.house_id WHERE {where}"
    return int(await database.fetchval(text, *values))


def page_statement(
    actor: Actor, compound_id: UUID, narrowed: MeterFilter, *, after: tuple[object, ...] | None, limit: int
) -> Statement:
    """The statement of a page with its values."""
    conditions = list(_conditions(actor, compound_id, narrowed))
    if after is not None:
        conditions.append(("(m.kind, m.number, m.id) > ({}, {}, {})", after))
    where, values = _numbered(conditions)
    text = f"""SELECT {_ROW} FROM {_FROM} {_LAST} WHERE {where}
        ORDER BY m.kind, m.number, m.id LIMIT ${len(values) + 1}"""
    return text, [*values, limit]


def _conditions(actor: Actor, compound_id: UUID, narrowed: MeterFilter) -> Iterator[Condition]:
    actor.require(permissions.METERS_READ, compound_id)
    reached = actor.buildings(permissions.METERS_READ, compound_id)
    yield "m.compound_id = {}", (compound_id,)
    yield ("m.removed_on IS NOT NULL" if narrowed.is_removed else "m.removed_on IS NULL"), ()
    for text, value in (
        ("m.building_id = ANY({}::uuid[])", None if reached is None else list(reached)),
        ("m.building_id = {}", narrowed.building_id),
        ("m.kind = {}", narrowed.kind),
        (UNREAD, narrowed.unread_since),
    ):
        if value is not None:
            yield text, (value,)
    typed = unicodedata.normalize("NFKC", narrowed.search or "")
    if pattern := contains(typed):
        yield _said(typed, pattern)


def _said(typed: str, pattern: str) -> Condition:
    parts = places.whole_number(typed)
    if parts is None:
        return "(m.number LIKE {} OR h.number LIKE {})", (pattern, pattern)
    unit = places.unit_key(parts.unit)
    keys = places.room_key(parts.room), places.building_key(parts.building), unit, unit
    return _SAID, (pattern, pattern, *keys)


def _numbered(conditions: Sequence[Condition]) -> Statement:
    """The conditions as one, their places numbered in the order of the values."""
    values = [value for _, each in conditions for value in each]
    text = " AND ".join(text for text, _ in conditions)
    return text.format(*(f"${number}" for number in range(1, len(values) + 1))), values
