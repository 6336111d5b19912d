"""Reads of the places, filtered in SQL by what the caller may see."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from domains.estate import permissions, places, sql
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
    source: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as it is read (单元)."""

    id: UUID
    compound_id: UUID
    building_id: UUID
    name: str
    source: str
    recorded_at: datetime
    house_count: int


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
    source: str
    recorded_at: datetime
    floor_is_doubtful: bool


@dataclass(frozen=True, slots=True)
class HouseFilter:
    """What a list of houses is narrowed to."""

    building_id: UUID | None = None
    unit_id: UUID | None = None
    state: str | None = None
    use: str | None = None
    number: str | None = None
    """A part of the house's number, or the whole of it as people say it: 3-1-101."""


def contains(text: str | None) -> str | None:
    """A LIKE pattern that finds the text itself, its wildcards taken literally."""
    if not text or not text.strip():
        return None
    escaped = text.strip().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"


def known_compounds(actor: Actor) -> list[UUID]:
    """Compounds the caller works in or lives in."""
    return list({grant.compound_id for grant in actor.grants} | {tie.compound_id for tie in actor.houses})


async def compounds(actor: Actor, ids: Sequence[UUID] | None = None) -> list[Compound]:
    """Compounds the caller works in or lives in, by name; at most 500."""
    known = known_compounds(actor)
    wanted = known if ids is None else list(set(known) & set(ids))
    return [Compound(**row) for row in await database.fetch(sql.COMPOUNDS, wanted)]


async def compound_by_code(code: str) -> Compound | None:
    """The compound whose code a resident scanned."""
    row = await database.fetchrow(sql.COMPOUND_BY_CODE, code.strip().upper())
    return None if row is None else Compound(**row)


def _reach(actor: Actor) -> tuple[Sequence[UUID], ...]:
    reach = actor.reach(permissions.READ)
    return reach.compounds, reach.buildings, reach.houses


async def buildings_by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Building]:
    """Those of the buildings that the caller may see."""
    rows = await database.fetch(sql.BUILDINGS_BY_ID, *_reach(actor), ids)
    return {row["id"]: Building(**row) for row in rows}


async def buildings_of(actor: Actor, compound_ids: Sequence[UUID]) -> Mapping[UUID, list[Building]]:
    """By compound the buildings the caller may see, in the order people count them; at most 500 of each."""
    found: dict[UUID, list[Building]] = {id: [] for id in compound_ids}
    for row in await database.fetch(sql.BUILDINGS_OF_COMPOUNDS, *_reach(actor), compound_ids):
        found[row["compound_id"]].append(Building(**row))
    return found


async def units_by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, Unit]:
    """Those of the units that the caller may see."""
    rows = await database.fetch(sql.UNITS_BY_ID, *_reach(actor), ids)
    return {row["id"]: Unit(**row) for row in rows}


async def units_of(actor: Actor, building_ids: Sequence[UUID]) -> Mapping[UUID, list[Unit]]:
    """By building the units the caller may see; at most 100 of each."""
    found: dict[UUID, list[Unit]] = {id: [] for id in building_ids}
    for row in await database.fetch(sql.UNITS_OF_BUILDINGS, *_reach(actor), building_ids):
        found[row["building_id"]].append(Unit(**row))
    return found


async def house_counts(actor: Actor, building_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """How many houses of each building the caller may see."""
    rows = await database.fetch(sql.HOUSES_OF_BUILDINGS, *_reach(actor), building_ids)
    return dict.fromkeys(building_ids, 0) | {row["id"]: row["houses"] for row in rows}


async def houses_by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, House]:
    """Those of the houses that the caller may see."""
    rows = await database.fetch(sql.HOUSES_BY_ID, *_reach(actor), ids)
    return {row["id"]: House(**row) for row in rows}


@dataclass(frozen=True, slots=True)
class HouseOrder:
    """An order of houses: its column, and which way."""

    column: str
    backwards: bool = False


BY_PLACE = HouseOrder("sort")
"""As people count them."""
LATEST = HouseOrder("recorded_at", backwards=True)
"""What was recorded last comes first."""


async def houses(
    actor: Actor,
    compound_id: UUID,
    narrowed: HouseFilter,
    *,
    after: tuple[object, ...] | None,
    limit: int,
    order: HouseOrder = BY_PLACE,
) -> list[House]:
    """A page of a compound's houses for staff."""
    text, values = houses_statement(actor, compound_id, narrowed, after=after, limit=limit, order=order)
    return [House(**row) for row in await database.fetch(text, *values)]


def houses_statement(
    actor: Actor,
    compound_id: UUID,
    narrowed: HouseFilter,
    *,
    after: tuple[object, ...] | None,
    limit: int,
    order: HouseOrder = BY_PLACE,
) -> tuple[str, list[object]]:
    """The statement of a page with its values."""
    way, sign = ("DESC", "<") if order.backwards else ("ASC", ">")
    conditions = list(_conditions(actor, compound_id, narrowed))
    if after is not None:
        conditions.append((f"(h.{order.column}, h.id) {sign} ({{}}, {{}})", after))
    text, values = _numbered(conditions)
    ordered = f"h.{order.column} {way}, h.id {way}"
    return sql.houses_page(text, ordered, f"${len(values) + 1}"), [*values, limit]


async def count_houses(actor: Actor, compound_id: UUID, narrowed: HouseFilter) -> int:
    """How many houses there are over all pages."""
    text, values = _numbered(list(_conditions(actor, compound_id, narrowed)))
    return int(await database.fetchval(sql.houses_count(text), *values))


Condition = tuple[str, tuple[object, ...]]


def _conditions(actor: Actor, compound_id: UUID, narrowed: HouseFilter) -> Iterator[Condition]:
    actor.require(permissions.READ, compound_id)
    reached = actor.buildings(permissions.READ, compound_id)
    yield "h.compound_id = {}", (compound_id,)
    for text, value in (
        ("h.building_id = ANY({}::uuid[])", None if reached is None else list(reached)),
        ("h.building_id = {}", narrowed.building_id),
        ("h.unit_id = {}", narrowed.unit_id),
        ("h.state = {}", narrowed.state),
        ("h.use = {}", narrowed.use),
    ):
        if value is not None:
            yield text, (value,)
    typed = unicodedata.normalize("NFKC", narrowed.number or "")
    if pattern := contains(typed):
        yield _number_is(typed, pattern)


def _number_is(typed: str, pattern: str) -> Condition:
    parts = places.whole_number(typed)
    if parts is None:
        return "h.number LIKE {}", (pattern,)
    unit = places.unit_key(parts.unit)
    keys = places.room_key(parts.room), places.building_key(parts.building), unit, unit
    return sql.NUMBER_IS, (pattern, *keys)


def _numbered(conditions: Sequence[Condition]) -> tuple[str, list[object]]:
    """The conditions as one, their places numbered in the order of the values."""
    values = [value for _, each in conditions for value in each]
    text = " AND ".join(text for text, _ in conditions)
    return text.format(*(f"${number}" for number in range(1, len(values) + 1))), values


def title_document(actor: Actor, house: House) -> str | None:
    """The title deed's number (产权证号), for staff who may read the house and for its owners."""
    owns = any(tie.house_id == house.id and tie.capacity == "owner" for tie in actor.houses)
    may = owns or actor.may(permissions.READ, house.compound_id, house.building_id)
    return house.title_document if may else None
