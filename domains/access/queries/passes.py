"""Reads of visitors' passes (访客通行证): by the people of a house, and by staff."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from domains.access import permissions, sealed, visits
from domains.access.queries.gates import ON_THE_WAY
from domains.estate.queries import contains
from domains.kernel import clock, database, phones, sealing
from domains.kernel.actor import Actor
from domains.kernel.command import concerns, sensitive_read
from domains.residents import plates
from domains.residents.queries.reading import note

LOOKED_BACK = timedelta(days=30)
"""A search without a day goes no further back."""
MOST_CARDS, MOST_FREQUENT = 20, 20


@dataclass(frozen=True, slots=True)
class VisitorPass:
    """A visitor's pass; its link is there for its host alone, and the phone is masked for everybody."""

    id: UUID
    compound_id: UUID
    house_id: UUID
    house_number: str
    origin: str
    state: str
    guest_name: str
    phone: str | None
    plate: str
    is_car_refused: bool
    companions: int
    purpose: str
    message: str
    starts_at: datetime
    ends_at: datetime
    uses_allowed: int | None
    uses: int
    requested_at: datetime
    decided_at: datetime | None
    reason: str
    ended_at: datetime | None
    document_checked_at: datetime | None
    inside_since: datetime | None
    last_used_at: datetime | None
    host_name: str | None
    is_mine: bool
    link: str | None


@dataclass(frozen=True, slots=True)
class VisitorDoor:
    """A door on a visitor's way, and where it is; empty for the compound's own."""

    id: UUID
    name: str
    place: str


@dataclass(frozen=True, slots=True)
class FrequentGuest:
    """Somebody whom the caller has invited to a house before (常来访客)."""

    pass_id: UUID
    name: str
    phone: str | None
    plate: str
    visits: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Search:
    """What staff look for: within a day, in these states, by a part of the name, house number or plate, or by the
    phone or its last four digits."""

    on_day: date | None = None
    states: Collection[str] | None = None
    words: str | None = None


ROW = """v.id, v.compound_id, v.house_id, h.number AS house_number, v.origin, v.state, v.guest_name, v.phone_sealed,
    v.plate, v.is_car_refused, v.companions, v.purpose, v.message, v.starts_at, v.ends_at, v.uses_allowed, v.uses,
    v.requested_at, v.decided_at, v.reason, v.ended_at, v.document_checked_at, v.inside_since, v.last_used_at,
    a.name AS host_name, coalesce(v.host_id = $1, false) AS is_mine, v.link_sealed"""

FROM = """visitor_pass v JOIN house h ON h.id = v.house_id LEFT JOIN account a ON a.id = v.host_id"""

# Since when the caller ($1) belongs to a house: whoever came to those who lived there before is none of theirs.
SINCE = """(SELECT min(o.recorded_at) FROM occupancy o JOIN person p ON p.id = o.person_id
    WHERE p.account_id = $1 AND o.house_id = {house} AND o.ended_at IS NULL)"""

# Each house by its own index, so that a page reads a page of each and not all there ever was.
OF_HOUSES = f"""
SELECT {ROW} FROM (
    SELECT page.* FROM (
        SELECT one.id AS house_id, {SINCE.format(house="one.id")} AS since FROM unnest($2::uuid[]) AS one (id)) AS own
    CROSS JOIN LATERAL (
        SELECT * FROM visitor_pass w
        WHERE w.house_id = own.house_id AND coalesce(w.ended_at, w.ends_at) >= own.since
          AND ($3::text[] IS NULL OR w.state = ANY($3::text[]))
          AND ($4::timestamptz IS NULL OR (w.requested_at, w.id) < ($4, $5::uuid))
        ORDER BY w.requested_at DESC, w.id DESC LIMIT $6) AS page) v
JOIN house h ON h.id = v.house_id LEFT JOIN account a ON a.id = v.host_id
ORDER BY v.requested_at DESC, v.id DESC LIMIT $6
"""

BY_ID = f"""
SELECT {ROW} FROM {FROM}
WHERE v.id = ANY($2::uuid[])
  AND (h.compound_id = ANY($3::uuid[]) OR h.building_id = ANY($4::uuid[]) OR (
    h.id = ANY($5::uuid[]) AND coalesce(v.ended_at, v.ends_at) >= {SINCE.format(house="h.id")}))
"""

EXPECTED = f"""
SELECT {ROW} FROM {FROM}
WHERE v.house_id = ANY($2::uuid[]) AND v.state IN ('requested', 'active') AND v.ends_at > $3 AND v.starts_at < $4
ORDER BY v.state = 'requested' DESC, v.starts_at, v.id LIMIT $5
"""

_NARROWED = """v.compound_id = $2 AND ($3::uuid[] IS NULL OR h.building_id = ANY($3::uuid[]))
  AND ($4::text[] IS NULL OR v.state = ANY($4::text[]))
  AND v.ends_at > $5::timestamptz AND ($6::timestamptz IS NULL OR v.starts_at < $6)
  AND ($7::text IS NULL OR v.guest_name LIKE $7 OR h.number LIKE $7 OR v.plate LIKE $8 OR v.phone_tail_index = $9
    OR v.phone_index = $10)
  AND ($1::uuid IS NULL OR true)"""

# What counts on a day began within three days before it, or is one of the few that last longer and have an
# index of their own: so a day long ago reads about a day, and not all since or before.
_DAY = f"""
WITH day AS MATERIALIZED (
    SELECT v.id FROM visitor_pass v JOIN house h ON h.id = v.house_id
    WHERE {_NARROWED} AND v.starts_at > $5 - interval '72 hours' AND v.ends_at - v.starts_at <= interval '72 hours'
    UNION ALL
    SELECT v.id FROM visitor_pass v JOIN house h ON h.id = v.house_id
    WHERE {_NARROWED} AND v.ends_at - v.starts_at > interval '72 hours')"""

ON_DAY = f"""
{_DAY} SELECT {ROW} FROM {FROM}
WHERE v.id = ANY(ARRAY(SELECT id FROM day)) AND ($11::timestamptz IS NULL OR (v.starts_at, v.id) > ($11, $12::uuid))
ORDER BY v.starts_at, v.id LIMIT $13
"""

LATEST = f"""
SELECT {ROW} FROM {FROM}
WHERE {_NARROWED} AND ($11::timestamptz IS NULL OR (v.starts_at, v.id) < ($11, $12::uuid))
ORDER BY v.starts_at DESC, v.id DESC LIMIT $13
"""

COUNT_ON_DAY = f"{_DAY} SELECT count(*) FROM day"

COUNT_LATEST = f"SELECT count(*) FROM {FROM} WHERE {_NARROWED}"

_DOOR = "d.id, d.name, coalesce(b.name, '') || coalesce(u.name, '') AS place"
_PLACED = "LEFT JOIN building b ON b.id = d.building_id LEFT JOIN unit u ON u.id = d.unit_id"
_NEAREST_LAST = "d.building_id IS NOT NULL, d.unit_id IS NOT NULL, d.number"

DOORS_OF_PASSES = f"""
SELECT v.id AS pass_id, {_DOOR} FROM visitor_pass v JOIN house h ON h.id = v.house_id JOIN door d ON {ON_THE_WAY} {_PLACED}
WHERE v.id = ANY($1::uuid[]) AND d.removed_at IS NULL AND d.is_for_visitors
  AND (NOT EXISTS (SELECT FROM visitor_pass_door n WHERE n.visitor_pass_id = v.id)
    OR EXISTS (SELECT FROM visitor_pass_door n WHERE n.visitor_pass_id = v.id AND n.door_id = d.id))
ORDER BY v.id, {_NEAREST_LAST}
"""

DOORS_OF_HOUSE = f"""
SELECT {_DOOR} FROM house h JOIN door d ON {ON_THE_WAY} {_PLACED}
WHERE h.id = $1 AND d.removed_at IS NULL AND d.is_for_visitors ORDER BY {_NEAREST_LAST}
"""

FREQUENT = """
SELECT (array_agg(id ORDER BY requested_at DESC))[1] AS pass_id, guest_name AS name,
    (array_agg(phone_sealed ORDER BY requested_at DESC))[1] AS phone_sealed, plate, count(*) AS visits,
    max(starts_at) AS last_at
FROM visitor_pass
WHERE house_id = ANY($1::uuid[]) AND host_id = $2 AND state NOT IN ('requested', 'rejected') AND ends_at > $3
GROUP BY guest_name, phone_index, plate ORDER BY visits DESC, last_at DESC LIMIT $4
"""


async def of_own_houses(
    actor: Actor,
    house_id: UUID | None,
    *,
    states: Collection[str] | None,
    after: tuple[object, ...] | None,
    limit: int,
) -> list[VisitorPass]:
    """A page of the passes of the caller's houses, or of one of them, the last one first; anybody who does not
    belong to it is refused."""
    houses = [tie.house_id for tie in actor.houses if house_id in (None, tie.house_id)]
    if house_id is not None and not houses:
        actor.refuse()
    wanted = None if states is None else list(states)
    rows = await database.fetch(OF_HOUSES, actor.account_id, houses, wanted, *(after or (None, None)), limit)
    return [from_row(row) for row in rows]


async def expected(actor: Actor) -> list[VisitorPass]:
    """What waits for a word of the caller's houses, and who comes today (待确认、今日来访); at most twenty, one
    statement, and none for who has no house."""
    if not actor.houses:
        return []
    houses, now = [tie.house_id for tie in actor.houses], clock.now()
    _, midnight = clock.business_day_bounds(clock.today())
    rows = await database.fetch(EXPECTED, actor.account_id, houses, now, midnight, MOST_CARDS)
    return [from_row(row) for row in rows]


async def by_id(actor: Actor, ids: Sequence[UUID]) -> Mapping[UUID, VisitorPass]:
    """Those the caller may see: of one's own houses, or by permission, which leaves its trace."""
    reach = actor.reach(permissions.VISITORS_READ)
    async with database.transaction():
        rows = await database.fetch(
            BY_ID, actor.account_id, ids, reach.compounds, reach.buildings, reach.houses
        )
        found = {row["id"]: from_row(row) for row in rows}
        if actor.kind == "staff":
            await note(actor, "visitor_pass.read", "VisitorPass", found.values())
    return found


@sensitive_read("visitor_pass.list", caller="staff", permission=permissions.VISITORS_READ)
async def for_staff(
    actor: Actor, compound_id: UUID, search: Search, *, after: tuple[object, ...] | None, limit: int
) -> list[VisitorPass]:
    """A page of a compound's passes: of a day in their order, else of the last thirty days and to come, the latest
    first."""
    day = None if search.on_day is None else str(search.on_day)
    concerns("VisitorPass", None, compound_id, day=day, searched=search.words is not None)
    statement = LATEST if search.on_day is None else ON_DAY
    rows = await database.fetch(
        statement, *_arguments(actor, compound_id, search), *(after or (None, None)), limit
    )
    return [from_row(row) for row in rows]


async def count_for_staff(actor: Actor, compound_id: UUID, search: Search) -> int:
    """How many there are over all pages."""
    statement = COUNT_LATEST if search.on_day is None else COUNT_ON_DAY
    return int(await database.fetchval(statement, *_arguments(actor, compound_id, search)))


def _arguments(actor: Actor, compound_id: UUID, search: Search) -> tuple[object, ...]:
    actor.require(permissions.VISITORS_READ, compound_id)
    reached = actor.buildings(permissions.VISITORS_READ, compound_id)
    since, until = clock.now() - LOOKED_BACK, None
    if search.on_day is not None:
        since, until = clock.business_day_bounds(search.on_day)
    words = (search.words or "").strip()
    digits = "".join(char for char in words if char in "0123456789")
    return (
        actor.account_id, compound_id, None if reached is None else list(reached),
        None if search.states is None else list(search.states), since, until, contains(words),
        contains(plates.normalise(words)), sealed.phone_tail_index(digits) if len(digits) == 4 else None,
        sealing.find(digits, sealed.PHONE) if len(digits) == 11 else None,
    )  # fmt: skip


async def doors_of_passes(ids: Sequence[UUID]) -> Mapping[UUID, list[VisitorDoor]]:
    """The doors that passes open, by pass, the compound's gate first; whoever asks has read the passes."""
    found: defaultdict[UUID, list[VisitorDoor]] = defaultdict(list)
    for row in await database.fetch(DOORS_OF_PASSES, ids):
        found[row["pass_id"]].append(VisitorDoor(row["id"], row["name"], row["place"]))
    return found


async def doors_of_house(actor: Actor, house_id: UUID) -> list[VisitorDoor]:
    """The visitors' doors on the way to one of the caller's houses, to choose from; others are refused."""
    if all(tie.house_id != house_id for tie in actor.houses):
        actor.refuse()
    return [VisitorDoor(**row) for row in await database.fetch(DOORS_OF_HOUSE, house_id)]


async def frequent_guests(actor: Actor, house_id: UUID | None = None) -> list[FrequentGuest]:
    """Whom the caller has invited to their houses, or to one of them, in the last 180 days, the most frequent first;
    another house is refused."""
    houses = [tie.house_id for tie in actor.houses if house_id in (None, tie.house_id)]
    if house_id is not None and not houses:
        actor.refuse()
    since = clock.now() - visits.KEPT
    rows = await database.fetch(FREQUENT, houses, actor.id, since, MOST_FREQUENT)
    return [
        FrequentGuest(phone=_masked(row["phone_sealed"]), **_without(row, "phone_sealed")) for row in rows
    ]


def from_row(row: asyncpg.Record) -> VisitorPass:
    """A row of `ROW` as it is read."""
    link = sealing.unseal(row["link_sealed"], sealed.LINK) if row["is_mine"] else None
    values = _without(row, "phone_sealed", "link_sealed")
    return VisitorPass(phone=_masked(row["phone_sealed"]), link=link, **values)


def _without(row: asyncpg.Record, *names: str) -> dict[str, Any]:  # Any: columns by name
    return {name: value for name, value in row.items() if name not in names}


def _masked(blob: bytes | None) -> str | None:
    return None if blob is None else phones.mask(sealing.unseal(blob, sealed.PHONE))
